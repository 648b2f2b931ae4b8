"""What the student matcher hears and what it decides."""

from uuid import UUID

from common_core.errors import NotYet
from common_core.events import (
    BatchCancelledV1,
    BatchRetentionEndedV1,
    BatchStudentMatchingRequestedV1,
    ClassRosterChangedV1,
    StudentAssociationsConfirmedV1,
    StudentErasedFromMatchingV1,
    StudentErasureRequestedV1,
)
from common_core.status_enums import RetainedData
from service_runtime import Handlers, UnitOfWork
from service_runtime.erasing import erase_traces
from service_runtime.handlers import Effect
from sqlalchemy import select

from services.student_matching_service.models import MATCH, Erasure, KnownRoster, MatchRequest
from services.student_matching_service.texts import Matches, find_matches

handlers = Handlers()


@handlers.on(ClassRosterChangedV1, loads=KnownRoster)
async def roster_changed(work: UnitOfWork, event: ClassRosterChangedV1) -> list[Effect]:
    roster = await work.find(KnownRoster, event.class_id)
    if roster is None:
        work.add(KnownRoster.of(event))
    elif not roster.update(event):
        return []
    open_requests = select(MatchRequest).where(MatchRequest.class_id == event.class_id, ~MatchRequest.closed)
    return [effect for each in await work.session.scalars(open_requests) for effect in each.again(work.cause.at)]


@handlers.on(BatchStudentMatchingRequestedV1, loads=MatchRequest)
async def matching_requested(work: UnitOfWork, event: BatchStudentMatchingRequestedV1) -> list[Effect]:
    if await work.find(MatchRequest, event.batch_id):
        return []
    return work.add(MatchRequest.of(event, work.cause.at)).again(work.cause.at)


@handlers.on_timer(MATCH, loads=MatchRequest, prepare=find_matches)
async def matches_found(work: UnitOfWork, request: MatchRequest, found: Matches) -> list[Effect]:
    roster = await work.find(KnownRoster, request.class_id) if request.class_id else None
    if roster and roster.roster_version != found.roster_version:
        return request.again(work.cause.at)
    return request.matched(found.results)


@handlers.on(StudentAssociationsConfirmedV1, loads=MatchRequest)
async def associations_confirmed(work: UnitOfWork, event: StudentAssociationsConfirmedV1) -> list[Effect]:
    return await _close(work, event.batch_id)


@handlers.on(BatchCancelledV1, loads=MatchRequest)
async def batch_cancelled(work: UnitOfWork, event: BatchCancelledV1) -> list[Effect]:
    return await _close(work, event.batch_id)


@handlers.on(BatchRetentionEndedV1, loads=MatchRequest)
async def retention_ended(work: UnitOfWork, event: BatchRetentionEndedV1) -> list[Effect]:
    request = await _found(work, event.batch_id)
    if event.data is RetainedData.TEXTS:
        request.erase_names({essay.essay_id for essay in request.essays})
    return request.close()


@handlers.on(StudentErasureRequestedV1, loads=Erasure)
async def erase_student(work: UnitOfWork, event: StudentErasureRequestedV1) -> list[Effect]:
    if await work.find(Erasure, event.erasure_id):
        return []
    roster = await work.find(KnownRoster, event.class_id)
    if roster is None or roster.roster_version < event.roster_version:
        raise NotYet("the newer roster of class", event.class_id)
    closed: list[Effect] = []
    for batch_id, essays in event.essays_by_batch().items():
        request = await _found(work, batch_id)
        request.erase_names([each.essay_id for each in essays])
        closed += request.close()
    await erase_traces(work.session, event.ids, [event.class_id])
    work.add(Erasure.of(event, work.cause.at))
    return [*closed, StudentErasedFromMatchingV1(**event.whom, erased=len(event.essays))]


async def _close(work: UnitOfWork, batch_id: UUID) -> list[Effect]:
    return (await _found(work, batch_id)).close()


async def _found(work: UnitOfWork, batch_id: UUID) -> MatchRequest:
    # Also for a batch that is unknown: the request may come later, from another topic.
    return await work.find(MatchRequest, batch_id) or work.add(MatchRequest.over(batch_id))
