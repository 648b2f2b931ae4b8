"""What teachers and operators ask the orchestrator."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from common_core.errors import NotFound
from common_core.events import RegisterBatchV1, StudentEssay
from common_core.events.base import Contract
from common_core.events.words import Assignment, ExpectedEssayCount
from common_core.status_enums import BatchStatus, CourseCode
from fastapi import Query, Request
from pydantic import Field
from service_runtime import ops
from service_runtime.auth import Operator, Reader, Teacher
from service_runtime.http import Work, router
from uuid_utils.compat import uuid7

from services.batch_orchestrator_service.models import Batch
from services.batch_orchestrator_service.repository import Batches
from services.batch_orchestrator_service.state_machine import OPEN, BatchTrigger
from services.batch_orchestrator_service.why import explain, facts_about

routes = router()
operator_routes = router("/ops")


class Registration(Contract):
    """What a teacher says to register a batch; without a class it is a GUEST batch."""

    batch_id: UUID | None = None
    course_code: CourseCode
    expected_essay_count: ExpectedEssayCount
    class_id: UUID | None = None
    assignment: Assignment | None = None


class Accepted(Contract):
    """The batch a command was about, and its state now."""

    batch_id: UUID
    status: BatchStatus


class Move(Contract):
    """One step of a batch, and the message that led to it."""

    from_status: BatchStatus = Field(serialization_alias="from")
    to_status: BatchStatus = Field(serialization_alias="to")
    trigger: BatchTrigger
    at: datetime
    event_id: str | None


class BatchSummary(Contract):
    """A batch in a list."""

    batch_id: UUID
    status: BatchStatus
    class_id: UUID | None
    course_code: CourseCode
    teacher_id: str
    assignment: str | None
    expected_essay_count: int
    registered_at: datetime


class BatchDetails(BatchSummary):
    """A batch with its essays and the way it came."""

    essays: tuple[StudentEssay, ...]
    deferred: tuple[BatchTrigger, ...]
    history: tuple[Move, ...]

    @classmethod
    def of(cls, batch: Batch) -> "BatchDetails":
        """What a batch looks like from outside."""
        summary = BatchSummary.model_validate(batch, from_attributes=True)
        history = tuple(Move.model_validate(move, from_attributes=True) for move in batch.history)
        return cls(**summary.model_dump(), essays=batch.student_essays(), deferred=batch.deferred, history=history)


class BatchPage(Contract):
    """Some batches; `next_cursor` leads to the next ones."""

    items: list[BatchSummary]
    next_cursor: UUID | None


@routes.post("/batches", status_code=202)
async def register_batch(work: Work, teacher: Teacher, registration: Registration) -> Accepted:
    """Register a batch; repeated with the same batch_id and fields it changes nothing."""
    fields = registration.model_dump(exclude={"batch_id"})
    command = RegisterBatchV1(**fields, batch_id=registration.batch_id or uuid7(), teacher_id=teacher.sub)
    work.publish(await Batches(work).register(command))
    batch = await work.get(Batch, command.batch_id)
    return Accepted(batch_id=batch.batch_id, status=batch.status)


@routes.get("/batches")
async def list_batches(
    work: Work,
    caller: Reader,
    status: BatchStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: UUID | None = None,
) -> BatchPage:
    """The caller's batches by id: those with ids of ours in the order in which they were registered."""
    batches = await Batches(work).page(caller, status, limit, cursor)
    items = [BatchSummary.model_validate(batch, from_attributes=True) for batch in batches]
    return BatchPage(items=items, next_cursor=items[-1].batch_id if len(items) == limit else None)


@routes.get("/batches/{batch_id}")
async def show_batch(work: Work, caller: Reader, batch_id: UUID) -> BatchDetails:
    """A batch: its state, its essays, what it waits for, and the way it came."""
    return BatchDetails.of(await Batches(work).visible(batch_id, caller))


@routes.post("/batches/{batch_id}/cancel")
async def cancel_batch(work: Work, teacher: Teacher, batch_id: UUID) -> Accepted:
    """Call a batch off; again the same is fine."""
    batch = await Batches(work).owned(batch_id, teacher)
    work.publish(batch.cancel(teacher.sub, work.cause))
    return Accepted(batch_id=batch.batch_id, status=batch.status)


class Standing(Contract):
    """A batch as an operator sees it: nothing about anybody."""

    batch_id: UUID
    status: BatchStatus
    since: datetime
    """When it came into this state."""
    seconds_in_state: float
    registered_at: datetime
    expected_essay_count: int
    course_code: CourseCode
    class_id: UUID | None

    @classmethod
    def of(cls, batch: Batch, at: datetime) -> "Standing":
        """How a batch stands at this time."""
        fields = {name: getattr(batch, name) for name in cls.model_fields if name != "seconds_in_state"}
        return cls(**fields, seconds_in_state=(at - batch.since).total_seconds())


class StandingPage(Contract):
    """Some batches; `next_cursor` leads to the next ones."""

    items: list[Standing]
    next_cursor: str | None


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Place = Annotated[str, Query(pattern=r"^\d{1,17}~[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""A batch's place in the list: since when it is in its state, in microseconds, and its id."""


@operator_routes.get("/batches")
async def list_standing(
    work: Work,
    _: Operator,
    status: Annotated[list[BatchStatus] | None, Query(description="May be repeated; else all that are open.")] = None,
    seconds_in_state: Annotated[int, Query(ge=0, le=10**9, description="At least so long.")] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Place | None = None,
) -> StandingPage:
    """Everybody's batches and for how long they have been in their states, the longest first."""
    at = work.cause.at
    until = at - timedelta(seconds=seconds_in_state)
    microseconds, _separator, batch_id = (cursor or "").partition("~")
    after = (EPOCH + timedelta(microseconds=int(microseconds)), UUID(batch_id)) if cursor else None
    batches = await Batches(work).standing(status or OPEN, until, limit, after)
    items = [Standing.of(batch, at) for batch in batches]
    last = f"{(items[-1].since - EPOCH) // timedelta(microseconds=1)}~{items[-1].batch_id}" if items else None
    return StandingPage(items=items, next_cursor=last if len(items) == limit else None)


class WhyView(Contract):
    """What a batch waits for, in one sentence, and the facts behind it."""

    batch_id: UUID
    status: BatchStatus | None
    """None: the batch is not registered, but messages about it are parked."""
    why: str
    deferred: tuple[BatchTrigger, ...]
    waiting: dict[str, ops.AtKey | None]


@operator_routes.get("/batches/{batch_id}/why")
async def why(work: Work, request: Request, operator: Operator, batch_id: UUID) -> WhyView:
    """What a batch waits for and since when; asks every service."""
    batch = await work.read(Batch, batch_id)
    own = (await ops.show_key(work, request, operator, str(batch_id))).model_dump(mode="json")
    await work.release()
    class_id = batch.class_id if batch else None
    facts = await facts_about(batch_id, class_id, own, request.app.state.settings, work.cause.at)
    if batch is None and not facts.parked:
        raise NotFound("batch", batch_id)
    return WhyView(
        batch_id=batch_id,
        status=batch.status if batch else None,
        why=explain(batch, facts),
        deferred=batch.deferred if batch else (),
        waiting=facts.waiting,
    )
