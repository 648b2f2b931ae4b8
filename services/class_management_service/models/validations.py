"""Who wrote which essay of a batch: suggested, then decided by the teacher, the deadline or the class's setting."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from common_core.events import (
    BatchCancelledV1,
    EssayMatch,
    EssayRef,
    StudentAssociationsConfirmedV1,
    StudentValidationRequestedV1,
    ValidationSummary,
)
from common_core.status_enums import (
    AssociationValidationMethod,
    CourseCode,
    RetainedData,
    StudentAssociationStatus,
)
from service_runtime import CancelTimer, SetTimer
from service_runtime.handlers import Effect
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.class_management_service.errors import (
    AlreadyConfirmed,
    EssayNotOfBatch,
    NotOpen,
    StudentNotInClass,
    Undecided,
)
from services.class_management_service.models.associations import StudentAssociation
from services.class_management_service.models.base import Base
from services.class_management_service.models.classes import SchoolClass
from services.class_management_service.state_machine import VALIDATION, ValidationStatus, ValidationTrigger

DEADLINE = "association_deadline"
GOOD_ENOUGH_AT_DEADLINE = 0.7
CLEAR = 0.9

type Decisions = Mapping[UUID, UUID | None]
"""The chosen student of each essay; None: none of my students."""


class Validation(Base):
    """All associations of a batch, and whether they are final."""

    __tablename__ = "validations"

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    teacher_id: Mapped[str]
    class_id: Mapped[UUID | None] = mapped_column(default=None)
    course_code: Mapped[CourseCode | None] = mapped_column(default=None)
    status: Mapped[ValidationStatus] = mapped_column(default=VALIDATION.initial)
    deadline: Mapped[datetime | None] = mapped_column(default=None)
    timeout_triggered: Mapped[bool] = mapped_column(default=False)
    associations: Mapped[list[StudentAssociation]] = relationship(
        lazy="selectin", order_by=StudentAssociation.essay_id, default_factory=list
    )

    @classmethod
    def expected(cls, batch_id: UUID, school_class: SchoolClass) -> "Validation":
        """A validation whose suggestions have not come yet."""
        return cls(
            batch_id=batch_id,
            teacher_id=school_class.teacher_id,
            class_id=school_class.class_id,
            course_code=school_class.course_code,
        )

    @classmethod
    def cancelled(cls, event: BatchCancelledV1) -> "Validation":
        """A batch that was cancelled before anything else was heard of it."""
        return cls(batch_id=event.batch_id, teacher_id=event.teacher_id, status=ValidationStatus.CANCELLED)

    def expect(self, essays: Iterable[EssayRef]) -> None:
        """Make a row for every essay that has none; a final validation stays as it is."""
        if self.status in (ValidationStatus.CONFIRMED, ValidationStatus.CANCELLED) or self.class_id is None:
            return
        known = {each.essay_id for each in self.associations}
        for essay in essays:
            if essay.essay_id not in known:
                fields = essay.model_dump(include={"essay_id", "text_storage_id", "original_file_name"})
                self.associations.append(StudentAssociation(**fields, class_id=self.class_id))

    def suggest(self, matches: Sequence[EssayMatch], school_class: SchoolClass, at: datetime) -> list[Effect]:
        """Take over suggestions where nobody has decided; the first time the teacher is asked."""
        if self.status in (ValidationStatus.CONFIRMED, ValidationStatus.CANCELLED):
            return []
        self.expect(matches)
        by_essay = {match.essay_id: match for match in matches}
        for association in self.associations:
            if association.essay_id in by_essay and not association.decided:
                association.suggest(by_essay[association.essay_id], school_class.student_ids)
        effects: list[Effect] = self._open(school_class, at) if self.status is ValidationStatus.EXPECTED else []
        return [*effects, *self._confirm_clear_ones(school_class, at)]

    def roster_changed(self, students: Collection[UUID]) -> None:
        """Who left the class is not suggested any more; what was decided stays."""
        for each in self.associations if self.status is ValidationStatus.OPEN else ():
            if not each.decided and each.suggested_student_id and each.suggested_student_id not in students:
                each.drop_suggestion()

    def decide(self, decisions: Decisions, school_class: SchoolClass, by: str, at: datetime) -> None:
        """The teacher decides; raises NotOpen, EssayNotOfBatch or StudentNotInClass and then changes nothing."""
        if self.status is not ValidationStatus.OPEN:
            raise NotOpen(self.status)
        mine = {each.essay_id: each for each in self.associations}
        for essay_id, student_id in decisions.items():
            if essay_id not in mine:
                raise EssayNotOfBatch(essay_id)
            stays = student_id == mine[essay_id].student_id
            if student_id and not stays and student_id not in school_class.student_ids:
                raise StudentNotInClass(student_id)
        for essay_id, student_id in decisions.items():
            mine[essay_id].decided_by_teacher(student_id, by, at)

    def accept_suggestions(self, school_class: SchoolClass, by: str, at: datetime) -> None:
        """The teacher takes the suggestion wherever nothing was decided."""
        for each in self.associations:
            if not each.decided and each.suggested_student_id in school_class.student_ids:
                each.decided_by_teacher(each.suggested_student_id, by, at)

    def confirm(self) -> list[Effect]:
        """What was decided is final; raises Undecided while an essay is not."""
        undecided = [each.essay_id for each in self.associations if not each.decided]
        if undecided:
            raise Undecided(undecided)
        return self._finish(ValidationTrigger.CONFIRM)

    def check_same(self, decisions: Decisions) -> None:
        """Confirming again with the same decisions is fine; raises AlreadyConfirmed."""
        final = {each.essay_id: each.student_id for each in self.associations}
        same = all(essay in final and final[essay] == student for essay, student in decisions.items())
        if self.timeout_triggered or not same:
            raise AlreadyConfirmed(self.batch_id, self.timeout_triggered)

    def move_deadline(self, deadline: datetime) -> list[Effect]:
        """Give the teacher more or less time; raises NotOpen."""
        if self.status is not ValidationStatus.OPEN:
            raise NotOpen(self.status)
        self.deadline = deadline
        return [SetTimer(DEADLINE, self.batch_id, deadline)]

    def deadline_passed(self, students: Collection[UUID], at: datetime) -> list[Effect]:
        """Decide what the teacher left open: good suggestions stand, the others have no student."""
        if self.status is not ValidationStatus.OPEN:
            return []
        for each in self.associations:
            if not each.decided and self._clear(
                each, students, (each.confidence_score or 0) >= GOOD_ENOUGH_AT_DEADLINE
            ):
                confirmed = StudentAssociationStatus.TIMEOUT_CONFIRMED
                each.decide(each.suggested_student_id, confirmed, AssociationValidationMethod.TIMEOUT, at)
            elif not each.decided:
                each.decide(None, StudentAssociationStatus.NO_MATCH, AssociationValidationMethod.TIMEOUT, at)
        self.timeout_triggered = True
        return self._finish(ValidationTrigger.DEADLINE)

    def cancel(self) -> list[Effect]:
        """The batch was cancelled: nobody needs to decide any more."""
        self.status = VALIDATION.fire(self.status, ValidationTrigger.CANCEL).state
        return [CancelTimer(DEADLINE, self.batch_id)]

    def forget(self, data: RetainedData) -> None:
        """The time for which this is kept has passed: file names and quotes, or who wrote what; the decisions stay."""
        for each in self.associations:
            if data is RetainedData.TEXTS:
                each.forget_text()
            else:
                each.forget_students()

    def _open(self, school_class: SchoolClass, at: datetime) -> list[Effect]:
        self.status = VALIDATION.fire(self.status, ValidationTrigger.SUGGEST).state
        self.deadline = at + timedelta(seconds=school_class.association_deadline_seconds)
        suggested = sum(each.suggested_student_id is not None for each in self.associations)
        requested = StudentValidationRequestedV1(
            batch_id=self.batch_id,
            class_id=school_class.class_id,
            teacher_id=self.teacher_id,
            deadline=self.deadline,
            suggested_count=suggested,
            unmatched_count=len(self.associations) - suggested,
        )
        return [SetTimer(DEADLINE, self.batch_id, self.deadline), requested]

    def _confirm_clear_ones(self, school_class: SchoolClass, at: datetime) -> list[Effect]:
        if not school_class.auto_confirm:
            return []
        clear = [
            each
            for each in self.associations
            if not each.decided and self._clear(each, school_class.student_ids, (each.confidence_score or 0) > CLEAR)
        ]
        for each in clear:
            confirmed = StudentAssociationStatus.CONFIRMED
            each.decide(each.suggested_student_id, confirmed, AssociationValidationMethod.AUTO, at)
        # What the teacher decided alone stays open until they confirm: they may still change it.
        return self.confirm() if clear and all(each.decided for each in self.associations) else []

    def _clear(self, association: StudentAssociation, students: Collection[UUID], sure_enough: bool) -> bool:
        """Whether a suggestion may stand without a look: sure, of the class, and for this essay alone."""
        student = association.suggested_student_id
        times_suggested = Counter(each.suggested_student_id for each in self.associations)
        return sure_enough and student is not None and student in students and times_suggested[student] == 1

    def _finish(self, trigger: ValidationTrigger) -> list[Effect]:
        self.status = VALIDATION.fire(self.status, trigger).state
        methods = Counter(each.validation_method for each in self.associations)
        if self.class_id is None or self.course_code is None:
            raise NotOpen(self.status)
        confirmed = StudentAssociationsConfirmedV1(
            batch_id=self.batch_id,
            class_id=self.class_id,
            course_code=self.course_code,
            associations=tuple(each.as_event() for each in self.associations),
            timeout_triggered=self.timeout_triggered,
            validation_summary=ValidationSummary(
                human=methods[AssociationValidationMethod.HUMAN],
                timeout=methods[AssociationValidationMethod.TIMEOUT],
                auto=methods[AssociationValidationMethod.AUTO],
            ),
        )
        return [CancelTimer(DEADLINE, self.batch_id), confirmed]
