"""Guarantees broken on purpose, to see that the checker notices.

`python -m tests.chaos.sabotage NAME services.x` runs a service with one guarantee broken.
"""

import asyncio
import random
import runpy
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from service_runtime import http, idempotency, inbox, outbox, parked, timers
from service_runtime import relay as relays
from service_runtime.consumer import Consumer
from service_runtime.retries import Retries
from service_runtime.unit_of_work import UnitOfWork, UnitsOfWork, database_time
from sqlalchemy import text
from sqlalchemy.sql import Select

NOTHING = text("SELECT WHERE false AND CAST(:name AS text[]) IS NULL AND CAST(:aggregate_id AS uuid[]) IS NULL")
type Rows = Sequence[Any]


@dataclass(frozen=True)
class Sabotage:
    """One broken guarantee, the check that must see it, and what makes it show sooner."""

    breaks: Callable[[], None]
    seen_by: str
    env: Mapping[str, str] = field(default_factory=dict)
    failpoints: str = ""
    """Armed in every process instead of the seed's choice."""


def _lucky(chance: float) -> bool:
    return random.random() < chance  # noqa: S311  # no secret


def _alter_what_is_sent(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    send = relays.Relay._send

    async def changed(self: relays.Relay, producer: AIOKafkaProducer, row: Any) -> "asyncio.Future[object]":
        return await send(self, producer, change(dict(row)))  # type: ignore[arg-type]  # a dict reads like a record

    relays.Relay._send = changed  # type: ignore[method-assign]


def new_ids() -> None:
    """The relay gives an event a new id on each attempt."""
    _alter_what_is_sent(lambda row: {**row, "event_id": uuid4()})


def new_times() -> None:
    """The relay writes the time of sending into the event."""
    _alter_what_is_sent(lambda row: {**row, "recorded_at": datetime.now(UTC)})


def any_order() -> None:
    """The relay does not sort what it reads."""
    relays.PAGE = "SELECT * FROM outbox ORDER BY random() LIMIT $1"


def delete_first() -> None:
    """The relay deletes before the broker has acknowledged."""
    publish = relays.Relay.publish_page

    async def forgetful(self: relays.Relay, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> bool:
        if _lucky(0.05):
            await connection.execute("DELETE FROM outbox WHERE position = (SELECT min(position) FROM outbox)")
            raise ConnectionError("the broker went away just now")
        return await publish(self, connection, producer)

    relays.Relay.publish_page = forgetful  # type: ignore[method-assign]


def say_before_commit() -> None:
    """Events are published from inside the transaction; some transactions are rolled back then."""
    save = UnitOfWork.save

    async def early(self: UnitOfWork) -> None:
        await save(self)
        if self.outbox.rows and _lucky(0.1):
            settings = __import__("service_runtime.settings", fromlist=["RuntimeSettings"]).RuntimeSettings()
            producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap_servers)
            await producer.start()
            for event_id, kind, topic, key, correlation, cause, _, data in self.outbox.rows:
                extensions = {"correlationid": correlation, "causationid": cause}
                source = f"/{topic}"
                headers = relays.cloudevents.headers(source, event_id, kind, key, datetime.now(UTC), extensions)
                await producer.send_and_wait(topic, data, key=key.encode(), headers=headers)
            await producer.stop()
            raise ConnectionError("rolled back after it was said")

    UnitOfWork.save = early  # type: ignore[method-assign]


def other_causes() -> None:
    """Events name a cause that nobody said."""
    add = outbox.Outbox.add

    def invented(self: outbox.Outbox, event: Any, cause: Any) -> None:
        add(self, event, cause)
        row = list(self.rows[-1])
        row[5] = str(uuid4())
        self.rows[-1] = tuple(row)  # type: ignore[assignment]

    outbox.Outbox.add = invented  # type: ignore[method-assign]


def no_inbox() -> None:
    """Whether a message was seen before does not count."""
    claim = inbox.claim

    async def trusting(session: Any, messages: Rows) -> tuple[list[Any], datetime | None]:
        await claim(session, messages)
        return list(messages), await database_time(session)

    inbox.claim = trusting


def offsets_first() -> None:
    """Offsets are committed before the transaction."""
    deliver = Consumer._deliver

    async def early(self: Consumer, fetched: Any) -> None:
        if self._client is not None:
            await self._commit(self._client, fetched)
        if _lucky(0.05):
            raise ConnectionError("and then something went wrong")
        await deliver(self, fetched)

    Consumer._deliver = early  # type: ignore[method-assign]


def overtaking() -> None:
    """A message does not wait behind a parked one of its key."""

    async def nothing_held(_session: Any, _messages: Rows) -> dict[parked.Queue, int]:
        return {}

    retry = Retries.run_once

    async def late(self: Retries, only: parked.Queue | None = None) -> bool:
        await asyncio.sleep(0.3)
        return await retry(self, only)

    parked.hold_up = nothing_held
    Retries.run_once = late  # type: ignore[method-assign]


def lost_parked() -> None:
    """Every other message that has to wait is forgotten."""
    add = parked.add

    async def forgetful(session: Any, message: Any, verdict: parked.Verdict) -> None:
        if _lucky(0.5):
            await add(session, message, verdict)

    parked.add = forgetful


def no_row_lock() -> None:
    """Aggregates are loaded without a lock, and handlers take their time."""
    load = UnitOfWork.load

    async def slow(self: UnitOfWork, model: type[Any], ids: Collection[Any]) -> None:
        await load(self, model, ids)
        await asyncio.sleep(0.05)

    Select.with_for_update = lambda self, **_: self  # type: ignore[method-assign]
    UnitOfWork.load = slow  # type: ignore[method-assign,assignment]


def timers_stay() -> None:
    """A cancelled timer stays set."""
    timers.CANCEL = NOTHING


def no_idempotency() -> None:
    """An Idempotency-Key is not looked at."""

    async def ignored(*_: object) -> None:
        return

    idempotency.claim = ignored


def nothing_more() -> None:
    """Only what the environment says is broken."""


def _answer_without_commit(method: str) -> None:
    """Some requests of this method are answered although they were rolled back."""
    endpoint = http._in_one_transaction

    async def unkept(request: Any, route: Callable[[Any], Awaitable[Any]]) -> Any:
        if request.method != method or not _lucky(0.3):
            return await endpoint(request, route)
        units: UnitsOfWork = request.app.state.units

        @asynccontextmanager
        async def begin() -> AsyncIterator[UnitOfWork]:
            async with units.sessions() as session:
                yield UnitOfWork(session, "")
                await session.rollback()

        usual, units.begin = units.begin, begin  # type: ignore[method-assign]
        try:
            return await endpoint(request, route)
        finally:
            units.begin = usual  # type: ignore[method-assign]

    http._in_one_transaction = unkept


def other_slot() -> None:
    """A slot remembers another upload than was announced."""
    from services.essay_lifecycle_service.models import EssayBatch  # noqa: PLC0415  # only where it is broken

    take = EssayBatch._take_slot

    def wrong(self: EssayBatch, *arguments: Any) -> Any:
        slot = take(self, *arguments)
        slot.file_upload_id = uuid4()
        return slot

    EssayBatch._take_slot = wrong  # type: ignore[method-assign]


def short_history() -> None:
    """A move is not recorded."""
    from services.batch_orchestrator_service.models import Batch  # noqa: PLC0415  # only where it is broken

    confirm = Batch.associations_confirmed

    def forgetful(self: Batch, *arguments: Any) -> Any:
        effects = confirm(self, *arguments)
        self.history = self.history[:-1]
        return effects

    Batch.associations_confirmed = forgetful  # type: ignore[method-assign]


SABOTAGES: dict[str, Sabotage] = {
    "new-ids": Sabotage(new_ids, "committed"),
    "new-times": Sabotage(new_times, "one content", failpoints="relay.after_produce=kill:0.05"),
    "any-order": Sabotage(any_order, "order"),
    "delete-first": Sabotage(delete_first, "published"),
    "say-before-commit": Sabotage(say_before_commit, "committed"),
    "other-causes": Sabotage(other_causes, "causes"),
    "no-inbox": Sabotage(no_inbox, "effects once", failpoints="consumer.before_offsets=kill:0.05"),
    "offsets-first": Sabotage(offsets_first, "taken in"),
    "overtaking": Sabotage(overtaking, "upload order"),
    "lost-parked": Sabotage(lost_parked, "end state"),
    "no-row-lock": Sabotage(no_row_lock, "effects once"),
    "timers-stay": Sabotage(timers_stay, "nothing left"),
    "no-idempotency": Sabotage(no_idempotency, "answers"),
    "no-patience": Sabotage(
        nothing_more,
        "dead letters",
        env={"SCRIPTORIUM_FAILING_ATTEMPTS": "1"},
        failpoints="unit_of_work.before_commit=raise:0.1",
    ),
    "lost-files": Sabotage(lambda: _answer_without_commit("POST"), "files"),
    "lost-decisions": Sabotage(lambda: _answer_without_commit("PUT"), "decisions"),
    "other-slot": Sabotage(other_slot, "slots"),
    "short-history": Sabotage(short_history, "history"),
}


if __name__ == "__main__":
    name, module = sys.argv[1:]
    SABOTAGES[name].breaks()
    runpy.run_module(module, run_name="__main__", alter_sys=True)
