"""The student matcher's own settings."""

from pydantic import Field
from service_runtime import RuntimeSettings


class Settings(RuntimeSettings):
    """What the student matcher needs besides the runtime's settings."""

    file_service_url: str = "http://127.0.0.1:8005"
    """Where texts are read: the file service's base URL."""
    matching_patience_minutes: float = Field(default=5.0, gt=0)
    """How long texts and rosters that cannot be had are waited for, before the teacher is asked without them."""
    text_request_seconds: float = Field(default=10.0, gt=0)
    """How long one request for a text may take."""
