"""A batch's slots, and what became of each uploaded file."""

from collections.abc import Collection, Iterator
from enum import StrEnum
from typing import Any
from uuid import UUID

from common_core.errors import NotYet
from common_core.events import (
    ERASED,
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    BatchEssaysRegisteredV1,
    BatchStudentMatchingRequestedV1,
    EssayContentProvisionedV1,
    EssayRef,
    EssaySlotAssignedV1,
    EssayValidationFailedV1,
    Event,
    ExcessContentProvisionedV1,
    InitiateStudentMatchingV1,
)
from common_core.status_enums import ClassType, CourseCode, ExcessReason, SlotState
from service_runtime.erasing import ErasedStudent
from service_runtime.tables import NAMING, TYPES, add_runtime_tables
from sqlalchemy import ForeignKey, MetaData, false
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship

from services.essay_lifecycle_service.state_machine import CONTENT, ContentState, ContentTrigger

type File = EssayContentProvisionedV1 | EssayValidationFailedV1


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The tables of this service's database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)


class UploadOutcome(StrEnum):
    """What was decided about an uploaded file, once."""

    ASSIGNED = "assigned"
    EXCESS = "excess"
    FAILED = "failed"


class Slot(Base):
    """One of the expected essays: free, or with the file that took or closed it."""

    __tablename__ = "slots"

    essay_id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("essay_batches.batch_id"), index=True, init=False)
    number: Mapped[int]
    state: Mapped[SlotState] = mapped_column(default=SlotState.FREE)
    file_upload_id: Mapped[UUID | None] = mapped_column(default=None)
    text_storage_id: Mapped[str | None] = mapped_column(default=None)
    original_file_name: Mapped[str | None] = mapped_column(default=None)


class Upload(Base):
    """An uploaded file and what was decided about it; the first word wins."""

    __tablename__ = "uploads"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("essay_batches.batch_id"), primary_key=True, init=False)
    file_upload_id: Mapped[UUID] = mapped_column(primary_key=True)
    outcome: Mapped[UploadOutcome]
    original_file_name: Mapped[str]
    reason: Mapped[ExcessReason | None] = mapped_column(default=None)
    text_storage_id: Mapped[str | None] = mapped_column(default=None)


class Erasure(ErasedStudent, Base):
    """A student who was erased here: ids only."""

    __tablename__ = "erasures"


class EssayBatch(Base):
    """A batch from the view of its essays."""

    __tablename__ = "essay_batches"

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[str]
    course_code: Mapped[CourseCode]
    class_id: Mapped[UUID | None]
    state: Mapped[ContentState] = mapped_column(default=CONTENT.initial)
    closed_early: Mapped[bool] = mapped_column(default=False)
    ready_said: Mapped[bool] = mapped_column(default=False)
    matching_said: Mapped[bool] = mapped_column(default=False, server_default=false())
    slots: Mapped[list[Slot]] = relationship(lazy="selectin", order_by=Slot.number, default_factory=list)
    uploads: Mapped[list[Upload]] = relationship(lazy="selectin", default_factory=list)

    @classmethod
    def register(cls, event: BatchEssaysRegisteredV1) -> "EssayBatch":
        """A batch with all its slots free."""
        return cls(
            batch_id=event.batch_id,
            teacher_id=event.teacher_id,
            course_code=event.course_code,
            class_id=event.class_id,
            slots=[Slot(essay_id=essay_id, number=number) for number, essay_id in enumerate(event.essay_ids)],
        )

    def provision(self, content: EssayContentProvisionedV1) -> list[Event]:
        """Give a content the first free slot, or say why it gets none."""
        if self._decided(content.file_upload_id):
            return []
        reason = self._excess_reason(content.text_storage_id)
        outcome = UploadOutcome.EXCESS if reason else UploadOutcome.ASSIGNED
        self._decide(content, outcome, reason)
        about: dict[str, Any] = content.model_dump(
            include={"batch_id", "file_upload_id", "text_storage_id", "original_file_name"}
        )
        if reason:
            return [ExcessContentProvisionedV1(**about, reason=reason)]
        slot = self._take_slot(SlotState.ASSIGNED, content)
        slot.text_storage_id = content.text_storage_id
        return [EssaySlotAssignedV1(**about, essay_id=slot.essay_id), *self._complete_if_decided()]

    def fail(self, failure: EssayValidationFailedV1) -> list[Event]:
        """A file that cannot become an essay closes a slot."""
        if self._decided(failure.file_upload_id):
            return []
        self._decide(failure, UploadOutcome.FAILED)
        if self.state is not ContentState.OPEN:
            return []
        self._take_slot(SlotState.CLOSED, failure)
        return self._complete_if_decided()

    def close(self) -> list[Event]:
        """Take no more contents: the free slots are closed. Raises Refused for a cancelled batch."""
        fired = CONTENT.fire(self.state, ContentTrigger.CLOSE)
        if not fired.moves:
            return []
        self.closed_early = True
        for slot in self._free():
            slot.state = SlotState.CLOSED
        return self._complete(ContentTrigger.CLOSE)

    def cancel(self) -> None:
        """Nothing more happens to this batch."""
        self.state = CONTENT.fire(self.state, ContentTrigger.CANCEL).state

    def initiate_matching(self, command: InitiateStudentMatchingV1) -> list[Event]:
        """Ask for the matching of the essays, once."""
        if self.matching_said:
            return []
        self.matching_said = True
        return route(command)

    def associations_confirmed(self) -> list[Event]:
        """The students are confirmed, so the essays are ready; raises NotYet before the content is complete."""
        if self.class_id is None or self.state is ContentState.CANCELLED or self.ready_said:
            return []
        if self.state is ContentState.OPEN:
            raise NotYet("the complete content of batch", self.batch_id)
        self.ready_said = True
        ready = BatchEssaysReadyV1(
            batch_id=self.batch_id,
            course_code=self.course_code,
            class_type=ClassType.REGULAR,
            ready_essays=self.essays(),
        )
        return [ready]

    def erase_names(self, essay_ids: Collection[UUID]) -> None:
        """Forget what the files of these essays, and files with the same text, were called; raises NotYet."""
        slots = [slot for slot in self.slots if slot.essay_id in essay_ids]
        if any(slot.state is SlotState.FREE for slot in slots):
            raise NotYet("the content of essays in batch", self.batch_id)
        uploads, texts = {slot.file_upload_id for slot in slots}, {slot.text_storage_id for slot in slots} - {None}
        alike = [each for each in self.uploads if each.file_upload_id in uploads or each.text_storage_id in texts]
        files: list[Slot | Upload] = [*slots, *alike]
        for file in files:
            file.original_file_name = ERASED

    def erase_all_names(self) -> None:
        """Forget what any file of this batch was called."""
        for slot in self.slots:
            slot.original_file_name = ERASED if slot.file_upload_id else None
        for upload in self.uploads:
            upload.original_file_name = ERASED

    def essays(self) -> tuple[EssayRef, ...]:
        """The essays that have a content, in the order of their slots."""
        assigned = [slot for slot in self.slots if slot.state is SlotState.ASSIGNED]
        return tuple(EssayRef.model_validate(slot, from_attributes=True) for slot in assigned)

    def _decided(self, file_upload_id: UUID) -> bool:
        return any(upload.file_upload_id == file_upload_id for upload in self.uploads)

    def _decide(self, file: File, outcome: UploadOutcome, reason: ExcessReason | None = None) -> None:
        name = file.original_file_name
        upload = Upload(file_upload_id=file.file_upload_id, outcome=outcome, original_file_name=name, reason=reason)
        upload.text_storage_id = file.text_storage_id if isinstance(file, EssayContentProvisionedV1) else None
        self.uploads.append(upload)

    def _excess_reason(self, text_storage_id: str) -> ExcessReason | None:
        if self.closed_early or self.state is ContentState.CANCELLED:
            return ExcessReason.BATCH_CLOSED
        if any(slot.text_storage_id == text_storage_id for slot in self.slots):
            return ExcessReason.DUPLICATE_CONTENT
        return None if any(self._free()) else ExcessReason.NO_AVAILABLE_SLOT

    def _free(self) -> Iterator[Slot]:
        return (slot for slot in self.slots if slot.state is SlotState.FREE)

    def _take_slot(self, state: SlotState, file: File) -> Slot:
        slot = next(self._free())
        slot.state, slot.file_upload_id, slot.original_file_name = state, file.file_upload_id, file.original_file_name
        return slot

    def _complete_if_decided(self) -> list[Event]:
        return [] if any(self._free()) else self._complete(ContentTrigger.COMPLETE)

    def _complete(self, trigger: ContentTrigger) -> list[Event]:
        self.state = CONTENT.fire(self.state, trigger).state
        essays = self.essays()
        completed = BatchContentProvisioningCompletedV1(
            batch_id=self.batch_id,
            class_id=self.class_id,
            course_code=self.course_code,
            teacher_id=self.teacher_id,
            expected_count=len(self.slots),
            provisioned_count=len(essays),
            failed_count=sum(slot.state is SlotState.CLOSED and slot.file_upload_id is not None for slot in self.slots),
            essays=essays,
        )
        return [completed]


def route(command: InitiateStudentMatchingV1) -> list[Event]:
    """The orchestrator's command as a request to whoever matches."""
    return [BatchStudentMatchingRequestedV1(**command.model_dump())]
