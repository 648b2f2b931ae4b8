"""`/ops`: what operators ask of every service. Data is masked unless asked for by name, and that is recorded."""

from datetime import MAXYEAR, datetime
from typing import Annotated, Any

from common_core.events.base import Contract, Name
from common_core.events.words import Time
from fastapi import Depends, Query, Request
from pydantic import ConfigDict, Field, model_validator
from sqlalchemy import Row

from service_runtime.auth import Operator
from service_runtime.dead_letters import DeadLetters, Filter, data_of
from service_runtime.http import Work, router
from service_runtime.masking import error_of, timer_error
from service_runtime.parked import Reason, State

routes = router("/ops")

Position = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""Where a message is parked: a number that PostgreSQL can store."""


class ParkedView(Contract):
    """A parked message, without its data."""

    position: int
    state: State
    reason: Reason
    error: str
    waits_for: str | None
    behind: int | None
    """The position of the parked message before which this one cannot be handled."""
    attempts: int
    parked_at: datetime
    due_at: datetime | None
    source: str
    event_id: str
    type: str
    key: str
    topic: str

    @classmethod
    def of(cls, row: Row[Any], *, reveal: bool = False) -> "ParkedView":
        """What a row of parked_messages looks like from outside."""
        columns = {name: getattr(row, name) for name in cls.model_fields}
        columns["error"] = error_of(row, reveal=reveal)
        # asyncpg reads PostgreSQL's infinity as the latest datetime there is.
        return cls(**{**columns, "due_at": None if columns["due_at"].year == MAXYEAR else columns["due_at"]})


class ParkedPage(Contract):
    """Some parked messages; `next_cursor` leads to the next ones."""

    items: list[ParkedView]
    next_cursor: int | None


class Group(Contract):
    """Parked messages that share a cause."""

    state: State
    reason: Reason
    type: str
    cause: str
    """Their error, masked, without ids and numbers; as `cause` it finds them again."""
    count: int
    example: int
    """The position of the first of them."""
    first: datetime
    last: datetime

    @classmethod
    def of(cls, row: Row[Any]) -> "Group":
        """What a row of counted causes looks like from outside."""
        return cls(**{each: getattr(row, each) for each in cls.model_fields})


class TimerView(Contract):
    """A timer that is set."""

    name: str
    due_at: datetime
    attempts: int
    last_error: str | None

    @classmethod
    def of(cls, row: Row[Any]) -> "TimerView":
        """What a row of timers looks like from outside."""
        return cls(name=row.name, due_at=row.due_at, attempts=row.attempts, last_error=timer_error(row.last_error))


class AtKey(Contract):
    """Everything that waits at one id in this service."""

    parked: list[ParkedView]
    timers: list[TimerView]


class Wanted(Contract):
    """Which dead letters: all that match every given field; at least one must be given."""

    # A misspelled field must not mean more than was asked for.
    model_config = ConfigDict(extra="forbid")

    positions: list[Position] | None = None
    type: Name | None = None
    reason: Reason | None = None
    cause: Name | None = None
    key: Name | None = None
    since: Time | None = None
    until: Time | None = None
    everything: bool = False

    @model_validator(mode="after")
    def _says_which(self) -> "Wanted":
        if not self.everything and not self.model_dump(exclude={"everything", "why"}, exclude_none=True):
            raise ValueError("say which: positions, type, reason, cause, key, since or until, or everything=true")
        return self

    @property
    def filter(self) -> Filter:
        """The same for the statements."""
        return Filter(**self.model_dump(exclude={"why", "everything"}))


class Chosen(Wanted):
    """Which dead letters to handle once more or to give up, and why."""

    why: Name


class Edit(Contract):
    """The corrected data of a dead letter, and why; its type only if it came without a readable envelope."""

    data: Annotated[dict[str, Any], Field(description="The event's data, whole.")]
    type: Name | None = None
    why: Name


class Why(Contract):
    """The reason of an action; it is recorded."""

    why: Name


async def _wanted(
    state: State | None = None,
    type: Name | None = None,  # noqa: A002  # the name of the query parameter
    reason: Reason | None = None,
    cause: Name | None = None,
    key: Name | None = None,
    since: Time | None = None,
    until: Time | None = None,
) -> Filter:
    return Filter(state=state, type=type, reason=reason, cause=cause, key=key, since=since, until=until)


Wanting = Annotated[Filter, Depends(_wanted)]


@routes.get("/dead-letters")
async def list_parked(
    work: Work,
    request: Request,
    _: Operator,
    wanted: Wanting,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Position = 0,
) -> ParkedPage:
    """Parked messages: dead letters, those that fail on a bug, and those that wait."""
    rows = await _letters(work, request).page(wanted, cursor, limit)
    items = [ParkedView.of(row) for row in rows]
    return ParkedPage(items=items, next_cursor=items[-1].position if len(items) == limit else None)


@routes.get("/dead-letters/groups")
async def group_parked(work: Work, request: Request, _: Operator, wanted: Wanting) -> list[Group]:
    """How many share a cause, the most frequent first."""
    return [Group.of(row) for row in await _letters(work, request).groups(wanted)]


@routes.post("/dead-letters/replay")
async def replay(work: Work, request: Request, operator: Operator, chosen: Chosen) -> dict[str, int]:
    """Handle dead letters once more, in order per key; again the same changes nothing."""
    work.replays = True
    return {"replayed": await _letters(work, request).replay(chosen.filter, operator.sub, chosen.why)}


@routes.post("/dead-letters/discard")
async def discard_all(work: Work, request: Request, operator: Operator, chosen: Chosen) -> dict[str, int]:
    """Give dead letters up; all of them is kept in the record of actions."""
    return {"discarded": await _letters(work, request).discard_all(chosen.filter, operator.sub, chosen.why)}


@routes.get("/dead-letters/{position:int}")
async def show_parked(
    work: Work, request: Request, operator: Operator, position: Position, reveal: bool = False
) -> Any:
    """One parked message; with reveal=true its data as they came and the whole error, which is recorded."""
    letters = _letters(work, request)
    row = await letters.one(position)
    if reveal:
        await letters.record(operator.sub, "reveal", "asked for by name", {"position": position})
    return {**ParkedView.of(row, reveal=reveal).model_dump(mode="json"), "data": data_of(row, reveal=reveal)}


@routes.post("/dead-letters/{position}/edit")
async def edit(
    work: Work, request: Request, operator: Operator, position: Position, correction: Edit
) -> dict[str, int]:
    """Correct a dead letter's data and handle it once more."""
    work.replays = True
    await _letters(work, request).edit(position, correction.data, operator.sub, correction.why, correction.type)
    return {"replayed": 1}


@routes.post("/dead-letters/{position}/discard")
async def discard(work: Work, request: Request, operator: Operator, position: Position, because: Why) -> dict[str, int]:
    """Give a dead letter up; all of it is kept in the record of actions."""
    await _letters(work, request).discard(position, operator.sub, because.why)
    return {"discarded": 1}


@routes.get("/keys/{key}")
async def show_key(work: Work, request: Request, _: Operator, key: Name) -> AtKey:
    """What waits at this id: parked messages about it or for it, and timers."""
    waiting, timers = await _letters(work, request).at_key(key)
    return AtKey(
        parked=[ParkedView.of(row) for row in waiting],
        timers=[TimerView.of(row) for row in timers],
    )


def _letters(work: Work, request: Request) -> DeadLetters:
    return DeadLetters(work.session, request.app.state.runtime.types)
