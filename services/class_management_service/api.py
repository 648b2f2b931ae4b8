"""What teachers ask class management: classes, rosters, and who wrote which essay."""

from typing import Any
from uuid import UUID

from common_core.events.base import Contract
from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from service_runtime.auth import Reader, Teacher
from service_runtime.http import Work, router
from uuid_utils.compat import uuid7

from services.class_management_service import roster_csv
from services.class_management_service.models import SchoolClass, StudentEntry, Validation
from services.class_management_service.repository import Classes, Validations
from services.class_management_service.roster_csv import MOST_STUDENTS, RosterFile, RosterUnreadable
from services.class_management_service.state_machine import ValidationStatus
from services.class_management_service.views import (
    AssociationView,
    ClassView,
    Confirmation,
    Deadline,
    Decision,
    NewClass,
    Roster,
    RosterChanged,
    RosterTrial,
    StudentToBe,
    StudentView,
    ValidationView,
)

routes = router()


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
    "properties": {"students": {"type": "array", "maxItems": MOST_STUDENTS, "items": StudentEntry.model_json_schema()}},
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
async def change_roster(
    work: Work, teacher: Teacher, class_id: UUID, request: Request, dry_run: bool = False
) -> RosterChanged | RosterTrial:
    """Replace the roster, as JSON or as CSV; with `dry_run` say only what would happen and what is wrong by line."""
    school_class = await Classes(work).owned(class_id, teacher)
    listed = await _listed(request)
    if dry_run:
        return _trial(school_class, listed)
    if listed.problems:
        raise RosterUnreadable(listed.problems)
    work.publish(school_class.change_roster(listed.students, uuid7))
    for validation in await Validations(work).suggesting_others(school_class):
        validation.roster_changed(school_class.student_ids)
    return _view(RosterChanged, school_class).model_copy(update={"ignored_columns": listed.ignored_columns})


def _trial(school_class: SchoolClass, listed: RosterFile) -> RosterTrial:
    meant = school_class.meant(listed.students)
    students = [
        StudentToBe.model_validate({**entry.model_dump(), "student_id": student_id})
        for student_id, entry in zip(meant, listed.students, strict=True)
    ]
    return RosterTrial(
        class_id=school_class.class_id,
        roster_version=school_class.roster_version,
        students=tuple(students),
        leaving=tuple(_view(StudentView, each) for each in school_class.students if each.student_id not in meant),
        problems=tuple(listed.problems),
        ignored_columns=listed.ignored_columns,
    )


@routes.get("/batches/{batch_id}/student-associations")
async def show_associations(work: Work, caller: Reader, batch_id: UUID) -> ValidationView:
    """Who is suggested for each essay of a batch, and what was decided."""
    return _view(ValidationView, await Validations(work).visible(batch_id, caller))


@routes.put("/batches/{batch_id}/student-associations/deadline")
async def move_deadline(work: Work, teacher: Teacher, batch_id: UUID, new: Deadline) -> ValidationView:
    """Give yourself more or less time to decide; a deadline that has passed decides at once."""
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


async def _listed(request: Request) -> RosterFile:
    if request.headers.get("Content-Type", "").lower().startswith("text/csv"):
        return roster_csv.read(await request.body())
    try:
        return RosterFile(Roster.model_validate_json(await request.body()).students)
    except ValidationError as error:
        raise RequestValidationError([{**each, "loc": ("body", *each["loc"])} for each in error.errors()]) from error


def _view[V: Contract](kind: type[V], row: object) -> V:
    return kind.model_validate(row, from_attributes=True)
