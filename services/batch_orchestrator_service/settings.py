"""The orchestrator's own settings."""

from pydantic import Field
from service_runtime import RuntimeSettings


class Settings(RuntimeSettings):
    """What the orchestrator needs besides the runtime's settings: whom it asks why a batch waits."""

    essay_lifecycle_url: str = "http://127.0.0.1:8002"
    """The essay lifecycle's base URL."""
    class_management_url: str = "http://127.0.0.1:8003"
    """The class management's base URL."""
    student_matching_url: str = "http://127.0.0.1:8004"
    """The student matcher's base URL."""
    file_service_url: str = "http://127.0.0.1:8005"
    """The file service's base URL."""
    why_seconds: float = Field(default=3.0, gt=0)
    """How long each of them may take to answer."""
