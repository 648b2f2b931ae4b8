"""Class management's own settings."""

from pydantic import Field
from service_runtime import RuntimeSettings


class Settings(RuntimeSettings):
    """What class management needs besides the runtime's settings: whom it asks for a student's texts."""

    file_service_url: str = "http://127.0.0.1:8005"
    """The file service's base URL."""
    text_request_seconds: float = Field(default=10.0, gt=0)
    """How long one request for a text or for the files of a batch may take."""
