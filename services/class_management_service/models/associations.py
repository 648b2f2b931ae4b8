"""One essay of a batch: who is suggested, and what was decided."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from common_core.events import ERASED, Association, EssayMatch, Evidence
from common_core.status_enums import (
    AssociationConfidenceLevel,
    AssociationValidationMethod,
    NoMatchReason,
    StudentAssociationStatus,
)
from service_runtime.tables import Json
from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from services.class_management_service.models.base import Base

NOT_IN_CLASS = "The student who was suggested is not in the class."
NOTHING_FOUND_OUT = (NoMatchReason.TEXT_UNAVAILABLE, NoMatchReason.ROSTER_UNAVAILABLE)


class StudentAssociation(Base):
    """One essay, the suggestion for it, and what was decided."""

    __tablename__ = "student_associations"
    __table_args__ = (Index(None, "class_id", "validation_status"), Index(None, "batch_id", "validation_status"))

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("validations.batch_id"), primary_key=True, init=False)
    essay_id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID]
    text_storage_id: Mapped[str]
    original_file_name: Mapped[str]
    suggested_student_id: Mapped[UUID | None] = mapped_column(default=None)
    was_suggested: Mapped[bool] = mapped_column(default=False)
    evidence: Mapped[tuple[Evidence, ...]] = mapped_column(Json(tuple[Evidence, ...]), default=())
    no_match_reason: Mapped[NoMatchReason | None] = mapped_column(default=None)
    student_id: Mapped[UUID | None] = mapped_column(default=None)
    confidence_score: Mapped[float | None] = mapped_column(default=None)
    match_reasons: Mapped[tuple[str, ...]] = mapped_column(
        Json(tuple[str, ...]), default=(), server_default=text("'[]'")
    )
    validation_status: Mapped[StudentAssociationStatus] = mapped_column(
        default=StudentAssociationStatus.PENDING_VALIDATION,
        server_default=StudentAssociationStatus.PENDING_VALIDATION.value,
    )
    validated_by: Mapped[str | None] = mapped_column(default=None)
    validated_at: Mapped[datetime | None] = mapped_column(default=None)
    validation_method: Mapped[AssociationValidationMethod | None] = mapped_column(default=None)

    @property
    def decided(self) -> bool:
        """Whether somebody, or something, has decided."""
        return self.validation_method is not None

    @property
    def confidence_level(self) -> AssociationConfidenceLevel:
        """The suggestion's confidence in words."""
        return AssociationConfidenceLevel.of(self.confidence_score)

    def suggest(self, match: EssayMatch, students: Collection[UUID]) -> None:
        """Take over a suggestion of one of these students; among equal ones none is picked.

        Not knowing is no better suggestion.
        """
        if self.was_suggested and match.no_match_reason in NOTHING_FOUND_OUT:
            return
        of_class = [each for each in match.suggestions if each.student_id in students]
        if match.suggestions and not of_class:
            self.drop_suggestion()
            return
        best = of_class[0] if of_class else None
        picked = best if match.no_match_reason is not NoMatchReason.AMBIGUOUS else None
        self.was_suggested = best is not None
        self.suggested_student_id = picked.student_id if picked else None
        self.confidence_score = best.confidence_score if best else None
        self.match_reasons = best.match_reasons if best else ()
        self.evidence = (best.evidence or ()) if best else ()
        self.no_match_reason = match.no_match_reason

    def drop_suggestion(self) -> None:
        """Who was suggested is not in the class, or not any more."""
        self.suggested_student_id, self.was_suggested, self.confidence_score = None, True, None
        self.match_reasons, self.evidence = (NOT_IN_CLASS,), ()
        self.no_match_reason = NoMatchReason.NO_STUDENT_FOUND

    def decide(
        self,
        student_id: UUID | None,
        status: StudentAssociationStatus,
        method: AssociationValidationMethod,
        at: datetime,
        by: str | None = None,
    ) -> None:
        """Settle who wrote the essay."""
        self.student_id, self.validation_status, self.validation_method = student_id, status, method
        self.validated_at, self.validated_by = at, by

    def decided_by_teacher(self, student_id: UUID | None, by: str, at: datetime) -> None:
        """The teacher chose a student, or said that it is none of theirs."""
        if student_id:
            status = StudentAssociationStatus.CONFIRMED
        else:
            status = StudentAssociationStatus.REJECTED if self.was_suggested else StudentAssociationStatus.NO_MATCH
        self.decide(student_id, status, AssociationValidationMethod.HUMAN, at, by)

    def forget_text(self) -> None:
        """Keep neither the file's name nor what the suggestion was explained with."""
        self.original_file_name, self.evidence, self.match_reasons = ERASED, (), ()

    def forget_students(self) -> None:
        """Keep that it was decided, not for whom."""
        self.student_id = self.suggested_student_id = None

    def as_event(self) -> Association:
        """What others hear of the decision; raises ValueError when there is none."""
        if self.validation_method is None or self.validated_at is None:
            raise ValueError(f"essay {self.essay_id} is not decided")
        is_suggested = self.student_id == self.suggested_student_id
        return Association(
            essay_id=self.essay_id,
            student_id=self.student_id,
            status=self.validation_status,
            confidence_score=self.confidence_score if self.student_id and is_suggested else None,
            validation_method=self.validation_method,
            validated_by=self.validated_by,
            validated_at=self.validated_at,
        )
