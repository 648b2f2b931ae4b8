"""What the class management says: who is in a class, and who wrote which essay."""

from uuid import UUID

from common_core.events.base import Contract, Event, Name, Text, Topic
from common_core.events.words import (
    BatchId,
    ClassId,
    Confidence,
    Count,
    ErasureId,
    EssayId,
    RosterVersion,
    StudentEssayRef,
    StudentId,
    TeacherId,
    Time,
)
from common_core.status_enums import AssociationValidationMethod, CourseCode, StudentAssociationStatus


class RosterStudent(Contract):
    """A student of a class."""

    student_id: StudentId
    first_name: Text
    """The given name."""
    last_name: Text
    """The family name."""
    legal_full_name: Text | None = None
    """The full name in official papers, where it differs from first and last name."""
    email: Text | None = None
    """The address the student may have written on the essay."""


class ClassRosterChangedV1(Event, topic=Topic.CLASS_MANAGEMENT, key="class_id"):
    """A class was made or its students changed; carries the whole roster."""

    class_id: ClassId
    class_name: Text
    """What the teacher calls the class."""
    course_code: CourseCode
    teacher_id: TeacherId
    roster_version: RosterVersion
    students: tuple[RosterStudent, ...]
    """All students of the class."""


class StudentValidationRequestedV1(Event, topic=Topic.CLASS_MANAGEMENT, key="batch_id"):
    """A teacher is asked to decide who wrote the essays of a batch."""

    batch_id: BatchId
    class_id: ClassId
    teacher_id: TeacherId
    deadline: Time
    """When the decisions that are still open are made without the teacher."""
    suggested_count: Count
    """How many essays have a suggestion."""
    unmatched_count: Count
    """How many essays have none."""


class Association(Contract):
    """The decision about who wrote one essay."""

    essay_id: EssayId
    student_id: StudentId | None = None
    """The student who wrote it; absent where none was found or chosen."""
    status: StudentAssociationStatus
    confidence_score: Confidence | None = None
    validation_method: AssociationValidationMethod
    validated_by: Name | None = None
    """The person who decided; absent when no person did."""
    validated_at: Time
    """When it was decided."""


class ValidationSummary(Contract):
    """How many associations were decided in which way."""

    human: Count
    """By a person."""
    timeout: Count
    """By the deadline."""
    auto: Count
    """By the class's setting for clear suggestions."""


class StudentAssociationsConfirmedV1(Event, topic=Topic.CLASS_MANAGEMENT, key="batch_id"):
    """Who wrote the essays of a batch is decided, by its teacher or by the deadline."""

    batch_id: BatchId
    class_id: ClassId
    course_code: CourseCode
    associations: tuple[Association, ...]
    """One entry per provisioned essay of the batch, always."""
    timeout_triggered: bool
    """Whether the deadline, not the teacher, ended the validation."""
    validation_summary: ValidationSummary


class StudentErasureRequestedV1(Event, topic=Topic.CLASS_MANAGEMENT, key="erasure_id"):
    """Everything that is kept about a student is to be erased; says by ids only what that is."""

    erasure_id: ErasureId
    class_id: ClassId
    student_id: StudentId
    roster_version: RosterVersion
    """The first roster without the student."""
    essays: tuple[StudentEssayRef, ...]
    """The essays that the student has written, as far as that was decided."""

    @property
    def whom(self) -> dict[str, UUID]:
        """The fields by which every answer names the erasure."""
        return {"erasure_id": self.erasure_id, "class_id": self.class_id, "student_id": self.student_id}

    @property
    def ids(self) -> set[UUID | str]:
        """All ids under which something about the student may stand."""
        return {self.student_id, *(each.essay_id for each in self.essays), *(e.text_storage_id for e in self.essays)}

    def essays_by_batch(self) -> dict[UUID, list[StudentEssayRef]]:
        """The essays of each batch."""
        batches = sorted({each.batch_id for each in self.essays})
        return {batch: [each for each in self.essays if each.batch_id == batch] for batch in batches}


class StudentDataErasedV1(Event, topic=Topic.CLASS_MANAGEMENT, key="erasure_id"):
    """Every service has erased a student."""

    erasure_id: ErasureId
    class_id: ClassId
    student_id: StudentId
