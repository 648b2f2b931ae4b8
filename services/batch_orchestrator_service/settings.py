"""The orchestrator's own settings."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator
from service_runtime import RuntimeSettings
from service_runtime.settings import OrNone


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
    texts_days: Annotated[float | None, OrNone] = Field(default=None, gt=0)
    """How long texts, files and their names are kept after a batch is over, in days; not set: until asked for."""
    associations_days: Annotated[float | None, OrNone] = Field(default=None, gt=0, validate_default=True)
    """How long it is kept who wrote which essay of a batch that is over, in days; not shorter than the texts are."""

    @field_validator("associations_days")
    @classmethod
    def _not_before_the_texts(cls, days: float | None, info: ValidationInfo) -> float | None:
        texts = info.data.get("texts_days")
        if days is not None and (texts is None or days < texts):
            raise ValueError("must not be shorter than SCRIPTORIUM_TEXTS_DAYS, or nobody finds a student's texts")
        return days
