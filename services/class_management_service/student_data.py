"""What teachers and operators ask about one student's data: a copy of it, its erasure, and how far that is."""

from datetime import datetime
from uuid import UUID

from common_core.errors import NotFound
from common_core.events.base import Contract, Name
from common_core.status_enums import UploadState
from fastapi import Request
from service_runtime.auth import Caller, Operator, Reader, Teacher
from service_runtime.dead_letters import DeadLetters
from service_runtime.http import Work, router

from services.class_management_service.api import routes
from services.class_management_service.erasing import StudentData
from services.class_management_service.repository import Classes
from services.class_management_service.texts import files_and_texts
from services.class_management_service.views import AssociationView, StudentView

__all__ = ["operator_routes", "routes"]

operator_routes = router("/ops")


class ErasureView(Contract):
    """The erasure of a student, and who has not answered yet."""

    erasure_id: UUID
    class_id: UUID
    student_id: UUID
    requested_at: datetime
    complete: bool
    erased: dict[str, int]
    """How many essays or files each service has erased."""
    waits_for: tuple[str, ...]


class FileOfStudent(Contract):
    """A file with the student's text; its bytes are at the file service, `/files/{file_upload_id}/original`."""

    file_upload_id: UUID
    original_file_name: str
    state: UploadState


class EssayOfStudent(AssociationView):
    """An essay that is the student's, and all that is kept of it."""

    batch_id: UUID
    text: str | None
    """None: it is kept elsewhere, or not any more."""
    files: tuple[FileOfStudent, ...]


class StudentDataView(Contract):
    """A copy of all that is kept about a student of a class."""

    class_id: UUID
    student_id: UUID
    student: StudentView | None
    """As the roster has them; None: they have left the class, or are erased."""
    essays: tuple[EssayOfStudent, ...]
    erasure: ErasureView | None


@routes.get("/classes/{class_id}/students/{student_id}/data")
async def show_student_data(
    work: Work, caller: Reader, class_id: UUID, student_id: UUID, request: Request
) -> StudentDataView:
    """A copy of all that is kept about a student; the file service must answer."""
    school_class = await Classes(work).visible(class_id, caller)
    data = StudentData(work, school_class, student_id)
    erasure, essays = await data.erasure(), await data.essays()
    student = next((each for each in school_class.students if each.student_id == student_id), None)
    if not (student_id in school_class.known_ids or essays or erasure):
        raise NotFound("student", student_id)
    await work.release()
    found = await files_and_texts(essays, request.app.state.settings, work.cause.at)
    views = [(AssociationView.model_validate(each, from_attributes=True), each.batch_id) for each in essays]
    return StudentDataView(
        class_id=class_id,
        student_id=student_id,
        student=StudentView.model_validate(student, from_attributes=True) if student else None,
        essays=tuple(
            EssayOfStudent(**view.model_dump(), batch_id=batch_id, text=text, files=tuple(files))
            for (view, batch_id), (files, text) in zip(views, found, strict=True)
        ),
        erasure=ErasureView.model_validate(erasure, from_attributes=True) if erasure else None,
    )


@routes.delete("/classes/{class_id}/students/{student_id}", status_code=202)
async def erase_student(work: Work, teacher: Teacher, class_id: UUID, student_id: UUID) -> ErasureView:
    """Erase a student everywhere, for ever; again the same is fine."""
    await Classes(work).owned(class_id, teacher)
    return await _erase(work, teacher, class_id, student_id)


@routes.get("/classes/{class_id}/students/{student_id}/erasure")
async def show_erasure(work: Work, caller: Reader, class_id: UUID, student_id: UUID) -> ErasureView:
    """How far the erasure of a student is: done when `complete`."""
    school_class = await Classes(work).visible(class_id, caller)
    erasure = await StudentData(work, school_class, student_id).erasure()
    if erasure is None:
        raise NotFound("the erasure of student", student_id)
    return ErasureView.model_validate(erasure, from_attributes=True)


class Because(Contract):
    """Why an operator does what is a teacher's to do; it is recorded."""

    why: Name


@operator_routes.post("/classes/{class_id}/students/{student_id}/erase", status_code=202)
async def erase_for_teacher(
    work: Work, operator: Operator, class_id: UUID, student_id: UUID, because: Because
) -> ErasureView:
    """The same where the teacher cannot; recorded with its reason."""
    erasure = await _erase(work, operator, class_id, student_id)
    await DeadLetters(work.session, {}).record(operator.sub, "erase", because.why, erasure.model_dump(mode="json"))
    return erasure


async def _erase(work: Work, caller: Caller, class_id: UUID, student_id: UUID) -> ErasureView:
    school_class = await Classes(work).locked(class_id)
    erasure = await StudentData(work, school_class, student_id).erase(caller.sub)
    return ErasureView.model_validate(erasure, from_attributes=True)
