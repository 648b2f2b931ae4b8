"""The file service's own settings."""

from pydantic import Field
from service_runtime import RuntimeSettings


class Settings(RuntimeSettings):
    """What the file service needs besides the runtime's settings."""

    max_file_bytes: int = Field(default=10_000_000, ge=1)
    """A larger file becomes `file_too_large`."""
    extraction_workers: int = Field(default=2, ge=1, le=64)
    """How many files are read at the same time, each in a process of its own."""
    extraction_seconds: float = Field(default=2.0, gt=0)
    """A file that needs more processor time, or five times that by the clock, becomes `text_extraction_failed`."""
