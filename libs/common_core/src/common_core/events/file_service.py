"""What the file service says: an uploaded file became a content, or it did not."""

from common_core.events.base import Event, Name, Text, Topic
from common_core.events.words import (
    BatchId,
    FileName,
    FileSize,
    FileUploadId,
    RawFileStorageId,
    StudentErased,
    TextStorageId,
)
from common_core.status_enums import FileErrorCode


class EssayContentProvisionedV1(Event, topic=Topic.FILE_SERVICE, key="batch_id", upstream=True):
    """An uploaded file was read and its text is stored."""

    batch_id: BatchId
    file_upload_id: FileUploadId
    original_file_name: FileName
    text_storage_id: TextStorageId
    raw_file_storage_id: RawFileStorageId | None = None
    file_size_bytes: FileSize
    content_sha256: Name | None = None
    """The SHA-256 of the text in UTF-8, in hexadecimal."""


class EssayValidationFailedV1(Event, topic=Topic.FILE_SERVICE, key="batch_id", upstream=True):
    """An uploaded file cannot become an essay."""

    batch_id: BatchId
    file_upload_id: FileUploadId
    original_file_name: FileName
    error_code: FileErrorCode
    error_detail: Text
    """What is wrong with the file, in a sentence for its teacher."""
    file_size_bytes: FileSize
    raw_file_storage_id: RawFileStorageId | None = None


class StudentErasedFromFilesV1(StudentErased, Event, topic=Topic.FILE_SERVICE, key="erasure_id"):
    """The file service has nothing more about a student: no text, no file, no name."""
