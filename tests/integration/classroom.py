"""What the tests of the services say and ask: events as other services publish them, and people who send requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from common_core.events import (
    BatchAuthorMatchesSuggestedV1,
    BatchCancelledV1,
    BatchEssaysRegisteredV1,
    BatchStudentMatchingRequestedV1,
    ClassRosterChangedV1,
    EssayContentProvisionedV1,
    EssayMatch,
    EssayRef,
    EssayValidationFailedV1,
    RosterStudent,
    StudentAssociationsConfirmedV1,
    StudentSuggestion,
    ValidationSummary,
)
from common_core.status_enums import AssociationConfidenceLevel, CourseCode, FileErrorCode, NoMatchReason
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer

BERIT = "berit"
COURSE = CourseCode.SV1


@dataclass(frozen=True)
class Person:
    """Somebody who sends requests to a service."""

    service: Running
    sub: str = BERIT
    roles: tuple[Role, ...] = (Role.TEACHER,)

    async def ask(self, method: str, path: str, *, key: str | None = None, **content: Any) -> httpx.Response:
        """The answer to a request; `key` is an idempotency key."""
        headers = bearer(self.service.runtime.settings, self.sub, *self.roles) | content.pop("headers", {})
        if key:
            headers["Idempotency-Key"] = key
        return await self.service.http.request(method, f"/v1{path}", headers=headers, **content)

    async def get(self, path: str) -> httpx.Response:
        """The answer to a GET."""
        return await self.ask("GET", path)

    async def post(self, path: str, body: object = None, **more: Any) -> httpx.Response:
        """The answer to a POST of JSON."""
        return await self.ask("POST", path, json=body, **more)

    async def put(self, path: str, body: object) -> httpx.Response:
        """The answer to a PUT of JSON."""
        return await self.ask("PUT", path, json=body)

    async def make_class(self, *names: str, **settings: object) -> tuple[UUID, dict[str, UUID]]:
        """A class of students with these first names, and their ids by name."""
        made = await self.post("/classes", {"name": "9B", "course_code": COURSE, **settings})
        class_id = UUID(made.raise_for_status().json()["class_id"])
        students = [{"first_name": name, "last_name": "Ek"} for name in names]
        answer = await self.put(f"/classes/{class_id}/roster", {"students": students})
        people = answer.raise_for_status().json()["students"]
        return class_id, {each["first_name"]: UUID(each["student_id"]) for each in people}


def operator(service: Running) -> Person:
    """Who looks after the system."""
    return Person(service, "olle", (Role.OPERATOR,))


def other_teacher(service: Running) -> Person:
    """A teacher whose classes and batches are others."""
    return Person(service, "carl")


def registered(batch_id: UUID, essays: int, class_id: UUID | None = None, by: str = BERIT) -> BatchEssaysRegisteredV1:
    """What the orchestrator says about a new batch."""
    return BatchEssaysRegisteredV1(
        batch_id=batch_id,
        teacher_id=by,
        course_code=COURSE,
        class_id=class_id,
        expected_essay_count=essays,
        essay_ids=tuple(uuid4() for _ in range(essays)),
    )


def content(batch_id: UUID, name: str, text: str | None = None, upload_id: UUID | None = None) -> Any:
    """What the file service says about a file that it could read; its text is its own unless one is given."""
    return EssayContentProvisionedV1(
        batch_id=batch_id,
        file_upload_id=upload_id or uuid4(),
        original_file_name=name,
        text_storage_id=text or f"text-of-{name}",
        file_size_bytes=1,
    )


def failure(batch_id: UUID, name: str) -> EssayValidationFailedV1:
    """What the file service says about a file that it could not read."""
    return EssayValidationFailedV1(
        batch_id=batch_id,
        file_upload_id=uuid4(),
        original_file_name=name,
        error_code=FileErrorCode.EMPTY_CONTENT,
        error_detail="The file is empty.",
        file_size_bytes=0,
    )


def an_essay(text_storage_id: str | None = None) -> EssayRef:
    """An essay that has its content."""
    essay_id = uuid4()
    return EssayRef(
        essay_id=essay_id, text_storage_id=text_storage_id or f"text-{essay_id}", original_file_name=f"{essay_id}.txt"
    )


def matching_requested(
    batch_id: UUID, class_id: UUID, essays: Sequence[EssayRef], by: str = BERIT
) -> BatchStudentMatchingRequestedV1:
    """What the essay lifecycle says when a batch may be matched."""
    return BatchStudentMatchingRequestedV1(
        batch_id=batch_id, class_id=class_id, course_code=COURSE, teacher_id=by, essays=tuple(essays)
    )


def confirmed(batch_id: UUID, class_id: UUID) -> StudentAssociationsConfirmedV1:
    """What class management says when it is decided who wrote the essays of a batch."""
    return StudentAssociationsConfirmedV1(
        batch_id=batch_id,
        class_id=class_id,
        course_code=COURSE,
        associations=(),
        timeout_triggered=False,
        validation_summary=ValidationSummary(human=0, timeout=0, auto=0),
    )


def cancelled(batch_id: UUID) -> BatchCancelledV1:
    """What the orchestrator says when the teacher calls a batch off."""
    return BatchCancelledV1(batch_id=batch_id, teacher_id=BERIT, cancelled_by=BERIT)


def match(essay: EssayRef, student_id: UUID | None = None, score: float = 0.95, ambiguous: bool = False) -> EssayMatch:
    """What the matcher says about an essay."""
    suggestions = [
        StudentSuggestion(
            student_id=student_id,
            student_name="somebody",
            confidence_score=score,
            confidence_level=AssociationConfidenceLevel.of(score),
            match_reasons=("The first line says so.",),
        )
        for student_id in [student_id]
        if student_id
    ]
    reason = NoMatchReason.AMBIGUOUS if ambiguous else None if student_id else NoMatchReason.NO_IDENTITY_FOUND
    return EssayMatch(**essay.model_dump(), suggestions=tuple(suggestions), no_match_reason=reason)


def suggested(batch_id: UUID, class_id: UUID, *matches: EssayMatch) -> BatchAuthorMatchesSuggestedV1:
    """What the matcher says about a batch."""
    return BatchAuthorMatchesSuggestedV1(
        batch_id=batch_id, class_id=class_id, course_code=COURSE, teacher_id=BERIT, results=matches
    )


def roster(class_id: UUID, version: int, *students: RosterStudent) -> ClassRosterChangedV1:
    """What class management says about a class."""
    return ClassRosterChangedV1(
        class_id=class_id,
        class_name="9B",
        course_code=COURSE,
        teacher_id=BERIT,
        roster_version=version,
        students=students,
    )


def student(first_name: str, last_name: str) -> RosterStudent:
    """A student of a class."""
    return RosterStudent(student_id=uuid4(), first_name=first_name, last_name=last_name)
