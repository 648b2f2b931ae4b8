"""What class management hears and what it decides."""

from common_core.events import (
    BatchAuthorMatchesSuggestedV1,
    BatchCancelledV1,
    BatchRetentionEndedV1,
    BatchStudentMatchingRequestedV1,
    Event,
    StudentErased,
)
from service_runtime import Handlers, UnitOfWork
from service_runtime.erasing import erase_traces
from service_runtime.handlers import Effect

from services.class_management_service.models import StudentErasure, Validation
from services.class_management_service.models.erasures import ANSWERS
from services.class_management_service.models.validations import DEADLINE
from services.class_management_service.repository import Classes

handlers = Handlers()


@handlers.on(BatchStudentMatchingRequestedV1, loads=Validation)
async def matching_requested(work: UnitOfWork, event: BatchStudentMatchingRequestedV1) -> list[Event]:
    validation = await work.find(Validation, event.batch_id)
    if validation is None:
        school_class = await Classes(work).known(event.class_id)
        validation = work.add(Validation.expected(event.batch_id, school_class))
    validation.expect(event.essays)
    return []


@handlers.on(BatchAuthorMatchesSuggestedV1, loads=Validation)
async def matches_suggested(work: UnitOfWork, event: BatchAuthorMatchesSuggestedV1) -> list[Effect]:
    school_class = await Classes(work).known(event.class_id)
    validation = await work.find(Validation, event.batch_id)
    if validation is None:
        validation = work.add(Validation.expected(event.batch_id, school_class))
    return validation.suggest(event.results, school_class, work.cause.at)


@handlers.on(BatchCancelledV1, loads=Validation)
async def batch_cancelled(work: UnitOfWork, event: BatchCancelledV1) -> list[Effect]:
    validation = await work.find(Validation, event.batch_id)
    if validation is None:
        work.add(Validation.cancelled(event))
        return []
    return validation.cancel()


@handlers.on_timer(DEADLINE, loads=Validation)
async def deadline_passed(work: UnitOfWork, validation: Validation) -> list[Effect]:
    school_class = await Classes(work).of(validation)
    return validation.deadline_passed(school_class.student_ids, work.cause.at)


@handlers.on(BatchRetentionEndedV1, loads=Validation)
async def retention_ended(work: UnitOfWork, event: BatchRetentionEndedV1) -> list[Event]:
    if validation := await work.find(Validation, event.batch_id):
        validation.forget(event.data)
        essays = [each.essay_id for each in validation.associations]
        await erase_traces(work.session, essays, [event.batch_id])
    return []


def erased_elsewhere(erasure: StudentErasure, answer: Event) -> list[Event]:
    return erasure.answered(answer.topic, answer) if isinstance(answer, StudentErased) else []


for kind in ANSWERS:
    handlers.on(kind, loads=StudentErasure)(erased_elsewhere)
