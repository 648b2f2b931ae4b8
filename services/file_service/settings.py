"""The file service's own settings."""

from pydantic import Field
from service_runtime import RuntimeSettings

from services.file_service.spool import MAX_REQUEST_BYTES


class Settings(RuntimeSettings):
    """What the file service needs besides the runtime's settings."""

    max_file_bytes: int = Field(default=10_000_000, ge=1)
    """A larger file becomes `file_too_large`."""
    uploads_at_once: int = Field(default=32, ge=1)
    """So many requests with files one process takes at the same time; others wait before anything is read of them."""
    upload_spool_bytes: int = Field(default=1_500_000_000, ge=MAX_REQUEST_BYTES)
    """So many bytes these may have together; they lie in `TMPDIR`, which needs as much room, until they are stored."""
    upload_wait_seconds: float = Field(default=20.0, ge=0)
    """Who finds no room for so long gets 503 and `Retry-After`."""
    upload_silence_seconds: float = Field(default=30.0, gt=0)
    """A sender who is silent for longer in the middle of an upload gets 408 and makes room."""
    progress_watchers: int = Field(default=200, ge=1)
    """So many streams of events about files one process sends at the same time; others get 503."""
    extraction_workers: int = Field(default=2, ge=1, le=64)
    """How many files are read at the same time, each in a process of its own."""
    extraction_seconds: float = Field(default=2.0, gt=0)
    """A file that needs more processor time, or five times that by the clock, becomes `text_extraction_failed`."""
