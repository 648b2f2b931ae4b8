"""The batch: its essays, its state, and the way it came."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from common_core.errors import DomainError, NotYet
from common_core.events import (
    BatchCancelledV1,
    BatchContentIngestionFailedV1,
    BatchEssaysRegisteredV1,
    BatchReadyForPipelineExecutionV1,
    BatchRetentionEndedV1,
    EssayRef,
    Event,
    InitiateStudentMatchingV1,
    RegisterBatchV1,
    StudentEssay,
)
from common_core.status_enums import BatchStatus, CourseCode, RetainedData
from service_runtime import Cause
from service_runtime.erasing import ErasedStudent
from service_runtime.tables import NAMING, TYPES, Json, add_runtime_tables
from sqlalchemy import Index, MetaData, true
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column

from services.batch_orchestrator_service.state_machine import GUEST, REGULAR, BatchTrigger


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The tables of this service's database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)


class RegistrationDiffers(DomainError):
    """A batch of this id is registered with other fields; choose a new batch_id."""

    def __init__(self, batch_id: UUID) -> None:
        super().__init__(f"batch {batch_id} is already registered with other fields; choose a new batch_id")


class NoEssaysStored(DomainError):
    """A batch without essays can never be ready."""

    def __init__(self, batch_id: UUID) -> None:
        super().__init__(f"batch {batch_id} has no essays stored, so it cannot be ready")


class NotCancellable(DomainError):
    """The batch came to its end another way; there is nothing left to cancel."""

    def __init__(self, status: BatchStatus) -> None:
        super().__init__(f"a batch in state {status} cannot be cancelled")


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One move of a batch, at the database's time, and the message that led to it."""

    from_status: BatchStatus
    to_status: BatchStatus
    trigger: BatchTrigger
    at: datetime
    event_id: str | None


class KnownClass(Base):
    """A class as far as a batch needs it: whose it is."""

    __tablename__ = "known_classes"

    class_id: Mapped[UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[str]
    roster_version: Mapped[int]


class Erasure(ErasedStudent, Base):
    """A student who was erased here: ids only."""

    __tablename__ = "erasures"


class Batch(Base):
    """The essays of one assignment, on their way to ready."""

    __tablename__ = "batches"
    __table_args__ = (Index(None, "teacher_id", "batch_id"), Index(None, "status", "batch_id"))

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[str]
    course_code: Mapped[CourseCode]
    class_id: Mapped[UUID | None]
    assignment: Mapped[str | None]
    expected_essay_count: Mapped[int]
    registered_at: Mapped[datetime]
    status: Mapped[BatchStatus] = mapped_column(default=REGULAR.initial)
    deferred: Mapped[tuple[BatchTrigger, ...]] = mapped_column(Json(tuple[BatchTrigger, ...]), default=())
    essays: Mapped[tuple[EssayRef, ...]] = mapped_column(Json(tuple[EssayRef, ...]), default=())
    students: Mapped[dict[UUID, UUID | None]] = mapped_column(Json(dict[UUID, UUID | None]), default_factory=dict)
    history: Mapped[tuple[HistoryEntry, ...]] = mapped_column(Json(tuple[HistoryEntry, ...]), default=())

    keeps_texts: Mapped[bool] = mapped_column(default=True, server_default=true())
    keeps_associations: Mapped[bool] = mapped_column(default=True, server_default=true())

    @classmethod
    def register(cls, command: RegisterBatchV1, essay_ids: Sequence[UUID], at: datetime) -> tuple["Batch", list[Event]]:
        """A new batch with a slot for each essay id."""
        fields = command.model_dump()
        batch = cls(**fields, registered_at=at)
        return batch, [BatchEssaysRegisteredV1(**fields, essay_ids=tuple(essay_ids))]

    @property
    def since(self) -> datetime:
        """When it came into its state."""
        return self.history[-1].at if self.history else self.registered_at

    def check_same(self, command: RegisterBatchV1) -> None:
        """Registering again with the same fields is fine; raises RegistrationDiffers."""
        if any(getattr(self, name) != value for name, value in command.model_dump().items()):
            raise RegistrationDiffers(self.batch_id)

    def content_completed(self, essays: Sequence[EssayRef], cause: Cause) -> list[Event]:
        """Every slot has its content or is closed; without a single content the batch has failed."""
        if not essays:
            return self._fire(BatchTrigger.CONTENT_FAILED, cause)
        self._store(essays)
        return self._fire(BatchTrigger.CONTENT_COMPLETED, cause)

    def associations_confirmed(self, students: Mapping[UUID, UUID | None], cause: Cause) -> list[Event]:
        """Who wrote which essay is decided; the first decision stands."""
        if self.keeps_associations:
            self.students = {**students, **self.students}
        return self._fire(BatchTrigger.ASSOCIATIONS_CONFIRMED, cause)

    def essays_ready(self, essays: Sequence[EssayRef], cause: Cause) -> list[Event]:
        """The essays may be processed; they are stored even when the batch is not there yet."""
        self._store(essays)
        return self._fire(BatchTrigger.ESSAYS_READY, cause)

    def cancel(self, by: str, cause: Cause) -> list[Event]:
        """Call the batch off; again the same is fine. Raises NotCancellable or Refused."""
        if self.status is BatchStatus.CONTENT_INGESTION_FAILED:
            raise NotCancellable(self.status)
        if self.status is BatchStatus.CANCELLED:
            return []
        self._fire(BatchTrigger.CANCEL, cause)
        return [BatchCancelledV1(batch_id=self.batch_id, teacher_id=self.teacher_id, cancelled_by=by)]

    def erase_names(self, essay_ids: Collection[UUID]) -> None:
        """Forget what the files of these essays were called; raises NotYet while one is not stored here."""
        if unknown := set(essay_ids) - {essay.essay_id for essay in self.essays}:
            raise NotYet("essay", min(unknown))
        self.essays = tuple(each.erased() if each.essay_id in essay_ids else each for each in self.essays)

    def end_retention(self, data: RetainedData) -> list[Event]:
        """The batch has been over for so long that these data go, here and everywhere."""
        if data is RetainedData.TEXTS:
            self.keeps_texts, self.essays = False, tuple(essay.erased() for essay in self.essays)
        else:
            self.keeps_associations, self.students = False, {}
        return [BatchRetentionEndedV1(batch_id=self.batch_id, data=data)]

    def student_essays(self) -> tuple[StudentEssay, ...]:
        """The essays stored, each with its student where one is known."""
        return tuple(
            StudentEssay(**essay.model_dump(), student_id=self.students.get(essay.essay_id)) for essay in self.essays
        )

    def _store(self, essays: Sequence[EssayRef]) -> None:
        """Merge essays by their id; nothing stored is ever removed."""
        known = {essay.essay_id for essay in self.essays}
        new = [essay if self.keeps_texts else essay.erased() for essay in essays if essay.essay_id not in known]
        self.essays = (*self.essays, *new)

    def _fire(self, trigger: BatchTrigger, cause: Cause) -> list[Event]:
        machine = REGULAR if self.class_id else GUEST
        fired = machine.fire(self.status, trigger, self.deferred)
        if fired.state is BatchStatus.READY_FOR_PIPELINE_EXECUTION and not self.essays:
            raise NoEssaysStored(self.batch_id)
        moves = [
            HistoryEntry(move.from_state, move.to_state, move.trigger, cause.at, cause.event_id) for move in fired.moves
        ]
        self.status, self.deferred, self.history = fired.state, fired.deferred, (*self.history, *moves)
        return [event for move in fired.moves for event in self._entered(move.to_state)]

    def _entered(self, status: BatchStatus) -> list[Event]:
        """What is said when a state is entered."""
        about: dict[str, Any] = {"batch_id": self.batch_id, "teacher_id": self.teacher_id}
        match status:
            case BatchStatus.AWAITING_STUDENT_VALIDATION if self.class_id:
                about |= {"class_id": self.class_id, "course_code": self.course_code}
                return [InitiateStudentMatchingV1(**about, essays=self.essays)]
            case BatchStatus.READY_FOR_PIPELINE_EXECUTION:
                about |= {"class_id": self.class_id, "course_code": self.course_code}
                return [BatchReadyForPipelineExecutionV1(**about, essays=self.student_essays())]
            case BatchStatus.CONTENT_INGESTION_FAILED:
                return [BatchContentIngestionFailedV1(**about, reason="no file of this batch became an essay")]
            case _:
                return []
