"""What teachers and services ask the file service: take files, tell what became of them, give texts."""

from collections.abc import Sequence
from uuid import UUID

from common_core.events.base import Contract
from common_core.status_enums import FileErrorCode, UploadState
from fastapi import Request
from fastapi.responses import PlainTextResponse
from service_runtime import SetTimer, idempotency
from service_runtime.auth import AnyReader, Reader, Teacher
from service_runtime.http import Work, router
from uuid_utils.compat import uuid7

from services.file_service.models import EXTRACT, BatchIsCancelled, KnownBatch, Upload, raw_storage_id, repetitions
from services.file_service.receiving import MAX_REQUEST_BYTES, ReceivedFile, fingerprint, received
from services.file_service.repository import Batches, Contents, Uploads
from services.file_service.settings import Settings

routes = router()

MULTIPART_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            }
        },
    }
}


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


@routes.post(
    "/batches/{batch_id}/files", status_code=202, max_body_size=MAX_REQUEST_BYTES, openapi_extra=MULTIPART_BODY
)
async def upload_files(work: Work, teacher: Teacher, batch_id: UUID, request: Request) -> list[Accepted]:
    """Upload files; with the 202 they are stored, whatever happens to the service. A zip counts as the files in it."""
    await Batches(work).visible(batch_id, teacher)
    await work.release()
    files = await received(request)
    await idempotency.claim(work, request, fingerprint(files))
    batch = await Batches(work).locked(batch_id)
    # Not before the key is claimed: a repetition gets its first answer, also from a batch cancelled meanwhile.
    if batch.cancelled:
        raise BatchIsCancelled(batch_id)
    uploads = await _store(work, batch, files, request.app.state.settings)
    work.publish([SetTimer(EXTRACT, batch_id, work.cause.at, unless_set=True)])
    return [Accepted.model_validate(upload, from_attributes=True) for upload in uploads]


async def _store(work: Work, batch: KnownBatch, files: Sequence[ReceivedFile], settings: Settings) -> list[Upload]:
    uploads = {file: work.add(_upload(batch, file, settings.max_file_bytes)) for file in files}
    for file in sorted(files, key=lambda each: each.digest):
        if storage_id := uploads[file].raw_file_storage_id:
            await Contents(work).store(storage_id, await file.data())
    return list(uploads.values())


def _upload(batch: KnownBatch, file: ReceivedFile, most_bytes: int) -> Upload:
    # Nothing is said about a file that is too large before its turn: it would take the slot of an earlier one.
    storage_id = raw_storage_id(file.digest) if file.size <= most_bytes else None
    return batch.receive(uuid7(), file.name, file.size, storage_id)


@routes.get("/batches/{batch_id}/files")
async def list_files(work: Work, caller: Reader, batch_id: UUID) -> list[FileView]:
    """The files of a batch in the order of their uploads, and what became of each."""
    await Batches(work).visible(batch_id, caller)
    return _views(await Uploads(work).of_batch(batch_id))


def _views(uploads: Sequence[Upload]) -> list[FileView]:
    repeated = repetitions(uploads)
    views = [FileView.model_validate(upload, from_attributes=True) for upload in uploads]
    return [view.model_copy(update={"duplicate_of": repeated.get(view.file_upload_id)}) for view in views]


@routes.get("/content/{text_storage_id}", response_class=PlainTextResponse)
async def show_text(work: Work, caller: AnyReader, text_storage_id: str) -> PlainTextResponse:
    """A stored text."""
    return PlainTextResponse(await Contents(work).text(text_storage_id, caller))
