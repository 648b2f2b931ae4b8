"""What the services answer, as far as it is used here."""

from datetime import datetime
from uuid import UUID

from common_core.events import Evidence
from common_core.status_enums import (
    AssociationValidationMethod,
    BatchStatus,
    ExcessReason,
    FileErrorCode,
    NoMatchReason,
    SlotState,
    UploadState,
)
from pydantic import BaseModel, ConfigDict, Field


class View(BaseModel):
    """An answer; unknown fields are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Move(View):
    """One step of a batch."""

    from_status: BatchStatus = Field(alias="from")
    to_status: BatchStatus = Field(alias="to")
    trigger: str
    at: datetime


class Batch(View):
    """A batch in the orchestrator."""

    status: BatchStatus
    history: list[Move]


class Slot(View):
    """One of the places of a batch."""

    essay_id: UUID
    state: SlotState
    file_upload_id: UUID | None


class Excess(View):
    """A file without a slot."""

    file_upload_id: UUID
    reason: ExcessReason


class Essays(View):
    """The slots of a batch, and the surplus."""

    slots: list[Slot] = []
    excess: list[Excess] = []

    @property
    def taken(self) -> dict[UUID, UUID]:
        """The files that took or closed a slot, each with the essay of that slot."""
        return {slot.file_upload_id: slot.essay_id for slot in self.slots if slot.file_upload_id}

    @property
    def surplus(self) -> dict[UUID, ExcessReason]:
        """The files without a slot, and why."""
        return {excess.file_upload_id: excess.reason for excess in self.excess}

    @property
    def free(self) -> int:
        """How many slots have no file yet."""
        return sum(slot.state is SlotState.FREE for slot in self.slots)


class File(View):
    """An uploaded file."""

    file_upload_id: UUID
    original_file_name: str
    state: UploadState
    error_code: FileErrorCode | None = None


class Student(View):
    """Somebody of the class."""

    student_id: UUID
    first_name: str
    last_name: str

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


class Association(View):
    """An essay, who is suggested for it, and what was decided."""

    essay_id: UUID
    original_file_name: str
    suggested_student_id: UUID | None = None
    student_id: UUID | None = None
    confidence_score: float | None = None
    no_match_reason: NoMatchReason | None = None
    evidence: list[Evidence] = []
    validation_method: AssociationValidationMethod | None = None


class Validation(View):
    """The associations of a batch; `expected` until the teacher is asked."""

    status: str
    associations: list[Association]
