"""What the student matcher hears and what it decides."""

from uuid import UUID

from common_core.events import (
    BatchCancelledV1,
    BatchStudentMatchingRequestedV1,
    ClassRosterChangedV1,
    StudentAssociationsConfirmedV1,
)
from service_runtime import Handlers, UnitOfWork
from service_runtime.handlers import Effect
from sqlalchemy import select

from services.student_matching_service.models import MATCH, KnownRoster, MatchRequest
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


async def _close(work: UnitOfWork, batch_id: UUID) -> list[Effect]:
    # Also for a batch that is unknown: the request may come later, from another topic.
    request = await work.find(MatchRequest, batch_id) or work.add(MatchRequest.over(batch_id))
    return request.close()
