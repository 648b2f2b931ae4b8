"""What the services answer, as far as it is used here."""

from datetime import datetime
from uuid import UUID

from common_core.events import Evidence, StudentEssay
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


class Made(View):
    """A new class."""

    class_id: UUID


class Registered(View):
    """A new batch."""

    batch_id: UUID


class Move(View):
    """One step of a batch."""

    from_status: BatchStatus = Field(alias="from")
    to_status: BatchStatus = Field(alias="to")
    trigger: str
    at: datetime


class Batch(View):
    """A batch in the orchestrator."""

    batch_id: UUID
    status: BatchStatus
    essays: list[StudentEssay]
    deferred: list[str]
    history: list[Move]


class Slot(View):
    """A place for an essay."""

    essay_id: UUID
    state: SlotState
    file_upload_id: UUID | None


class Excess(View):
    """A file without a place."""

    file_upload_id: UUID
    reason: ExcessReason


class Essays(View):
    """The places of a batch."""

    slots: list[Slot]
    excess: list[Excess]

    @property
    def taken(self) -> dict[UUID, UUID]:
        """The files that took or closed a place, each with the essay it became there."""
        return {slot.file_upload_id: slot.essay_id for slot in self.slots if slot.file_upload_id}

    @property
    def reasons(self) -> dict[UUID, ExcessReason]:
        """Why files have no place."""
        return {excess.file_upload_id: excess.reason for excess in self.excess}

    @property
    def decided(self) -> set[UUID]:
        """The files of which it is known whether they have a place."""
        return {*self.taken, *self.reasons}

    @property
    def free(self) -> int:
        """How many places have no file yet."""
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


class Roster(View):
    """Everybody of the class."""

    students: list[Student]


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
    """The associations of a batch; `open` once the teacher is asked."""

    status: str
    associations: list[Association]
