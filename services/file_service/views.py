"""What teachers are shown of their files."""

from collections.abc import Sequence
from uuid import UUID

from common_core.events.base import Contract
from common_core.status_enums import FileErrorCode, UploadState

from services.file_service.models import Upload, repetitions


class Accepted(Contract):
    """A file that is stored and will be read."""

    file_upload_id: UUID
    original_file_name: str


class FileView(Accepted):
    """A file, and what became of it."""

    state: UploadState
    error_code: FileErrorCode | None
    text_storage_id: str | None
    duplicate_of: UUID | None = None
    """The first upload of the batch that has the same bytes or the same text."""


class Settled(Contract):
    """Nothing is pending: every file of a batch is read."""

    provisioned: int
    failed: int


def file_views(uploads: Sequence[Upload]) -> list[FileView]:
    """All files of a batch, in the order of their uploads."""
    repeated = repetitions(uploads)
    views = [FileView.model_validate(upload, from_attributes=True) for upload in uploads]
    return [view.model_copy(update={"duplicate_of": repeated.get(view.file_upload_id)}) for view in views]
