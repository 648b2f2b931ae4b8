"""What teachers ask class management: classes, rosters, and who wrote which essay."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from common_core.events import Evidence
from common_core.events.base import Contract, Name
from common_core.status_enums import (
    AssociationConfidenceLevel,
    AssociationValidationMethod,
    CourseCode,
    NoMatchReason,
    StudentAssociationStatus,
)
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, Field, ValidationError
from service_runtime.auth import Reader, Teacher
from service_runtime.http import Work, router
from uuid_utils.compat import uuid7

from services.class_management_service import roster_csv
from services.class_management_service.models import SchoolClass, StudentEntry, Validation
from services.class_management_service.repository import Classes, Validations
from services.class_management_service.state_machine import ValidationStatus

routes = router()


class NewClass(Contract):
    """What a teacher says to make a class."""

    name: Name
    course_code: CourseCode
    association_deadline_seconds: Annotated[int, Field(ge=1, le=366 * 86_400)] = 86_400
    auto_confirm: bool = False


class Roster(Contract):
    """Everybody who is in a class."""

    students: Annotated[list[StudentEntry], Field(max_length=2_000)]


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
    """Until when the teacher may decide."""

    deadline: AwareDatetime


@routes.post("/classes", status_code=201)
async def make_class(work: Work, teacher: Teacher, new: NewClass) -> ClassView:
    """Make a class without students."""
    school_class = work.add(SchoolClass(class_id=uuid7(), teacher_id=teacher.sub, **new.model_dump()))
    work.publish([school_class.announced()])
    return _view(ClassView, school_class)


@routes.get("/classes")
async def list_classes(work: Work, caller: Reader) -> list[ClassView]:
    """The caller's classes, oldest first."""
    return [_view(ClassView, each) for each in await Classes(work).all_of(caller)]


@routes.get("/classes/{class_id}")
async def show_class(work: Work, caller: Reader, class_id: UUID) -> ClassView:
    """A class with its roster."""
    return _view(ClassView, await Classes(work).visible(class_id, caller))


# Whole where it stands: a reference to a definition of its own would lead nowhere in the service's document.
ROSTER = {
    "type": "object",
    "required": ["students"],
    "properties": {"students": {"type": "array", "maxItems": 2_000, "items": StudentEntry.model_json_schema()}},
}
ROSTER_BODIES = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ROSTER},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@routes.put("/classes/{class_id}/roster", openapi_extra=ROSTER_BODIES)
async def change_roster(work: Work, teacher: Teacher, class_id: UUID, request: Request) -> RosterView:
    """Replace the roster, as JSON or as CSV with the header first_name,last_name,email."""
    school_class = await Classes(work).owned(class_id, teacher)
    work.publish(school_class.change_roster(await _entries(request), uuid7))
    return _view(RosterView, school_class)


@routes.get("/batches/{batch_id}/student-associations")
async def show_associations(work: Work, caller: Reader, batch_id: UUID) -> ValidationView:
    """Who is suggested for each essay of a batch, and what was decided."""
    return _view(ValidationView, await Validations(work).visible(batch_id, caller))


@routes.put("/batches/{batch_id}/student-associations/deadline")
async def move_deadline(work: Work, teacher: Teacher, batch_id: UUID, new: Deadline) -> ValidationView:
    """Give yourself more or less time to decide."""
    validation = await Validations(work).owned(batch_id, teacher)
    work.publish(validation.move_deadline(new.deadline))
    return _view(ValidationView, validation)


@routes.put("/batches/{batch_id}/student-associations/{essay_id:uuid}")
async def decide(work: Work, teacher: Teacher, batch_id: UUID, essay_id: UUID, decision: Decision) -> AssociationView:
    """Say who wrote an essay; can be changed until the batch is confirmed."""
    validation = await Validations(work).owned(batch_id, teacher)
    school_class = await Classes(work).of(validation)
    validation.decide({essay_id: decision.student_id}, school_class, teacher.sub, work.cause.at)
    return _view(AssociationView, next(each for each in validation.associations if each.essay_id == essay_id))


@routes.post("/batches/{batch_id}/student-associations/confirm")
async def confirm(work: Work, teacher: Teacher, batch_id: UUID, body: Confirmation | None = None) -> ValidationView:
    """Make all decisions final."""
    validation = await Validations(work).owned(batch_id, teacher)
    confirmation = body or Confirmation()
    decisions = {each.essay_id: each.student_id for each in confirmation.associations}
    if validation.status is ValidationStatus.CONFIRMED:
        validation.check_same(decisions)
    else:
        work.publish(await _confirm(work, validation, confirmation, teacher.sub))
    return _view(ValidationView, validation)


async def _confirm(work: Work, validation: Validation, confirmation: Confirmation, by: str) -> Any:
    school_class = await Classes(work).of(validation)
    decisions = {each.essay_id: each.student_id for each in confirmation.associations}
    validation.decide(decisions, school_class, by, work.cause.at)
    if confirmation.accept_suggestions:
        validation.accept_suggestions(school_class, by, work.cause.at)
    return validation.confirm()


async def _entries(request: Request) -> list[StudentEntry]:
    try:
        if request.headers.get("Content-Type", "").startswith("text/csv"):
            return Roster(students=roster_csv.read(await request.body())).students
        return Roster.model_validate_json(await request.body()).students
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error


def _view[V: Contract](kind: type[V], row: object) -> V:
    return kind.model_validate(row, from_attributes=True)
