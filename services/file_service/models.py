"""Uploaded files and what became of them; contents by their hash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from common_core.errors import DomainError
from common_core.events import ERASED, EssayContentProvisionedV1, EssayValidationFailedV1, Event
from common_core.status_enums import FileErrorCode, UploadState
from service_runtime.erasing import ErasedStudent
from service_runtime.tables import NAMING, NOW, TYPES, add_runtime_tables
from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, false, true
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

EXTRACT = "extract"


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The tables of this service's database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)


class BatchIsCancelled(DomainError):
    """A cancelled batch takes no files."""

    def __init__(self, batch_id: UUID) -> None:
        super().__init__(f"batch {batch_id} is cancelled and takes no files; register a new batch")


class BatchIsOver(DomainError):
    """The time for which this batch's texts are kept has passed."""

    def __init__(self, batch_id: UUID) -> None:
        super().__init__(f"batch {batch_id} is over, its texts are erased and it takes no files; register a new batch")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading a file gave: its text, or why there is none."""

    text: str | None
    error_code: FileErrorCode | None = None
    error_detail: str = ""

    @classmethod
    def too_large(cls, size: int, most: int) -> "Outcome":
        """A file that nobody reads."""
        detail = f"The file has {size} bytes, {most} are allowed; save a smaller one."
        return cls(None, FileErrorCode.FILE_TOO_LARGE, detail)


class Content(Base):
    """Bytes under the name of their hash, stored once."""

    __tablename__ = "contents"

    storage_id: Mapped[str] = mapped_column(primary_key=True)
    data: Mapped[bytes]
    stored_at: Mapped[datetime] = mapped_column(server_default=NOW, init=False)


class Erasure(ErasedStudent, Base):
    """A student who was erased here: ids only."""

    __tablename__ = "erasures"


class KnownBatch(Base):
    """A batch as far as its files need it: whose it is, and whether it still takes files."""

    __tablename__ = "known_batches"

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[str]
    cancelled: Mapped[bool] = mapped_column(default=False)
    received_count: Mapped[int] = mapped_column(default=0)
    keeps_texts: Mapped[bool] = mapped_column(default=True, server_default=true())

    def receive(self, file_upload_id: UUID, name: str, size: int, raw_file_storage_id: str | None) -> "Upload":
        """A file of this batch, with its place in the order of uploads; raises BatchIsOver."""
        if not self.keeps_texts:
            raise BatchIsOver(self.batch_id)
        self.received_count += 1
        return Upload(
            file_upload_id=file_upload_id,
            batch_id=self.batch_id,
            number=self.received_count,
            teacher_id=self.teacher_id,
            original_file_name=name,
            file_size_bytes=size,
            raw_file_storage_id=raw_file_storage_id,
        )


class Upload(Base):
    """One uploaded file, and what became of it."""

    __tablename__ = "uploads"
    __table_args__ = (
        Index(None, "batch_id", "number", unique=True),
        Index("ix_uploads_received", "batch_id", "number", postgresql_where="state = 'received'"),
        Index(None, "text_storage_id", "teacher_id"),
        Index(None, "raw_file_storage_id"),
    )

    file_upload_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("known_batches.batch_id"))
    number: Mapped[int]
    teacher_id: Mapped[str]
    original_file_name: Mapped[str]
    file_size_bytes: Mapped[int] = mapped_column(BigInteger)
    raw_file_storage_id: Mapped[str | None]
    state: Mapped[UploadState] = mapped_column(default=UploadState.RECEIVED)
    text_storage_id: Mapped[str | None] = mapped_column(default=None)
    error_code: Mapped[FileErrorCode | None] = mapped_column(default=None)
    erased: Mapped[bool] = mapped_column(default=False, server_default=false())

    def erase(self) -> None:
        """Forget what the file was called, and need its bytes and its text no more."""
        self.original_file_name, self.erased = ERASED, True

    def decide(self, outcome: Outcome) -> list[Event]:
        """The file became a content, or it did not; said once."""
        if self.state is not UploadState.RECEIVED:
            return []
        about: dict[str, Any] = {
            "batch_id": self.batch_id,
            "file_upload_id": self.file_upload_id,
            "original_file_name": self.original_file_name,
            "file_size_bytes": self.file_size_bytes,
            "raw_file_storage_id": self.raw_file_storage_id,
        }
        if outcome.text is None:
            self.state, self.error_code = UploadState.FAILED, outcome.error_code
            failure = {"error_code": outcome.error_code, "error_detail": outcome.error_detail}
            return [EssayValidationFailedV1(**about, **failure)]
        digest = sha256(outcome.text.encode()).hexdigest()
        self.state, self.text_storage_id = UploadState.PROVISIONED, f"text-{digest}"
        return [
            EssayContentProvisionedV1(**about, text_storage_id=self.text_storage_id, content_sha256=digest),
        ]


def raw_storage_id(digest: str) -> str:
    """Where the bytes of a file with this SHA-256 are stored."""
    return f"raw-{digest}"


def repetitions(uploads: Iterable[Upload]) -> dict[UUID, UUID]:
    """Of the uploads of a batch in their order: each that repeats the bytes or the text of others, and the first."""
    first: dict[str, UUID] = {}
    found: dict[UUID, UUID] = {}
    for upload in uploads:
        contents = [each for each in (upload.text_storage_id, upload.raw_file_storage_id) if each]
        earlier = [first[each] for each in contents if each in first]
        if earlier:
            found[upload.file_upload_id] = earlier[0]
        for each in contents:
            first.setdefault(each, upload.file_upload_id)
    return found


type Outcomes = Sequence[tuple[UUID, Outcome]]
"""What became of some uploads, in the order in which they were uploaded."""
