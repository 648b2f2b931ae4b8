"""What teachers send to class management, and what they are shown."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from common_core.events import Evidence
from common_core.events.base import Contract, Name
from common_core.events.words import Time
from common_core.status_enums import (
    AssociationConfidenceLevel,
    AssociationValidationMethod,
    CourseCode,
    NoMatchReason,
    StudentAssociationStatus,
)
from pydantic import Field

from services.class_management_service.models import StudentEntry
from services.class_management_service.roster_csv import MOST_STUDENTS, LineProblem
from services.class_management_service.state_machine import ValidationStatus


class NewClass(Contract):
    """What a teacher says to make a class."""

    name: Name
    course_code: CourseCode
    association_deadline_seconds: Annotated[int, Field(ge=1, le=366 * 86_400)] = 86_400
    auto_confirm: bool = False


class Roster(Contract):
    """Everybody who is in a class."""

    students: Annotated[list[StudentEntry], Field(max_length=MOST_STUDENTS)]


class StudentView(Contract):
    """A student of a class."""

    student_id: UUID
    first_name: str
    last_name: str
    legal_full_name: str | None
    email: str | None


class RosterView(Contract):
    """A class's roster and its version."""

    class_id: UUID
    roster_version: int
    students: tuple[StudentView, ...]


class RosterChanged(RosterView):
    """A class's new roster, and which columns of the list say nothing that is kept."""

    ignored_columns: tuple[str, ...] = ()


class StudentToBe(Contract):
    """A student as a list would make them; without an id: somebody new."""

    student_id: UUID | None
    first_name: str
    last_name: str
    legal_full_name: str | None
    email: str | None


class RosterTrial(Contract):
    """What a list would make of the roster; nothing is changed."""

    class_id: UUID
    roster_version: int
    """The version of the roster as it is."""
    students: tuple[StudentToBe, ...]
    leaving: tuple[StudentView, ...]
    """Who is in the class and not in the list."""
    problems: tuple[LineProblem, ...]
    """Why the list would be refused; empty when it would be taken."""
    ignored_columns: tuple[str, ...]


class ClassView(RosterView):
    """A class with its roster and settings."""

    name: str
    course_code: CourseCode
    teacher_id: str
    association_deadline_seconds: int
    auto_confirm: bool


class AssociationView(Contract):
    """One essay, the suggestion for it, and what was decided."""

    essay_id: UUID
    original_file_name: str
    text_storage_id: str
    suggested_student_id: UUID | None
    evidence: tuple[Evidence, ...]
    student_id: UUID | None
    confidence_score: float | None
    confidence_level: AssociationConfidenceLevel
    match_reasons: tuple[str, ...]
    no_match_reason: NoMatchReason | None
    validation_status: StudentAssociationStatus
    validated_by: str | None
    validated_at: datetime | None
    validation_method: AssociationValidationMethod | None


class ValidationView(Contract):
    """All associations of a batch, and whether they are final."""

    batch_id: UUID
    class_id: UUID | None
    status: ValidationStatus
    deadline: datetime | None
    associations: tuple[AssociationView, ...]


class Decision(Contract):
    """The student who wrote the essay; null: none of my students."""

    student_id: UUID | None


class EssayDecision(Decision):
    """A decision about one essay."""

    essay_id: UUID


class Confirmation(Contract):
    """Last decisions, then all is final."""

    associations: tuple[EssayDecision, ...] = ()
    accept_suggestions: bool = False


class Deadline(Contract):
    """Until when the teacher may decide; a moment that has passed ends it at once."""

    deadline: Time
