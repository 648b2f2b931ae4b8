"""What breaks a guarantee: each function changes the runtime, or one domain rule, of the process that calls it."""

import asyncio
import os
import random
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
from aiokafka import AIOKafkaProducer
from service_runtime import cloudevents, http, idempotency, inbox, outbox, parked, timers
from service_runtime import relay as relays
from service_runtime.consumer import Consumer
from service_runtime.delivery import Delivery
from service_runtime.retries import Retries
from service_runtime.unit_of_work import UnitOfWork, database_time
from sqlalchemy import text
from sqlalchemy.sql import Select

NOTHING = text("SELECT WHERE false AND CAST(:name AS text[]) IS NULL AND CAST(:aggregate_id AS uuid[]) IS NULL")
type Rows = Sequence[Any]


def _lucky(chance: float) -> bool:
    return random.random() < chance  # noqa: S311  # no secret


def _replace(owner: Any, name: str, new: object) -> None:
    setattr(owner, name, new)


def _alter_what_is_sent(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    send = relays.Relay._send

    async def changed(self: relays.Relay, producer: AIOKafkaProducer, row: Any) -> "asyncio.Future[object]":
        return await send(self, producer, change(dict(row)))

    _replace(relays.Relay, "_send", changed)


def new_ids() -> None:
    """The relay gives an event a new id on each attempt."""
    _alter_what_is_sent(lambda row: {**row, "event_id": uuid4()})


def new_times() -> None:
    """The relay writes the time of sending into the event."""
    _alter_what_is_sent(lambda row: {**row, "recorded_at": datetime.now(UTC)})


def any_order() -> None:
    """The relay does not sort what it reads."""
    relays.PAGE = relays.PAGE.replace("ORDER BY position", "ORDER BY random()")


def delete_first() -> None:
    """The relay deletes before the broker has acknowledged."""
    publish = relays.Relay.publish_page

    async def forgetful(self: relays.Relay, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> bool:
        if _lucky(0.05):
            await connection.execute("DELETE FROM outbox WHERE position = (SELECT min(position) FROM outbox)")
            raise ConnectionError("the broker went away just now")
        return await publish(self, connection, producer)

    _replace(relays.Relay, "publish_page", forgetful)


def say_before_commit() -> None:
    """Events are published from inside the transaction; some transactions are rolled back then."""
    save = UnitOfWork.save

    async def early(self: UnitOfWork) -> None:
        rows = list(self.outbox.rows)
        await save(self)
        if rows and _lucky(0.1):
            producer = AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_BOOTSTRAP_SERVERS"])
            await producer.start()
            for event_id, kind, topic, key, correlation, cause, _, data in rows:
                extensions = {"correlationid": correlation, "causationid": cause}
                source = f"/{topic}"
                headers = cloudevents.headers(source, event_id, kind, key, datetime.now(UTC), extensions)
                await producer.send_and_wait(topic, data, key=key.encode(), headers=headers)
            await producer.stop()
            raise ConnectionError("rolled back after it was said")

    _replace(UnitOfWork, "save", early)


def other_causes() -> None:
    """Events name a cause that nobody said."""
    add = outbox.Outbox.add

    def invented(self: outbox.Outbox, event: Any, cause: Any) -> None:
        add(self, event, cause)
        row = list(self.rows[-1])
        row[5] = str(uuid4())
        self.rows[-1] = tuple(row)  # type: ignore[assignment]

    _replace(outbox.Outbox, "add", invented)


def no_inbox() -> None:
    """Whether a message was seen before does not count; every message comes twice, as some do after a crash.

    What was done is known by the state of its aggregate too; only the inbox knows what could not be done.
    """
    claim, deliver = inbox.claim, Consumer._deliver

    async def twice(self: Consumer, fetched: Any) -> None:
        await deliver(self, fetched)
        await deliver(self, fetched)

    async def trusting(session: Any, messages: Rows) -> tuple[list[Any], datetime | None]:
        await claim(session, messages)
        return list(messages), await database_time(session)

    _replace(inbox, "claim", trusting)
    _replace(Consumer, "_deliver", twice)


def offsets_first() -> None:
    """Offsets are committed before the transaction."""
    deliver = Consumer._deliver

    async def early(self: Consumer, fetched: Any) -> None:
        if self._client is not None:
            await self._commit(self._client, fetched)
        if _lucky(0.05):
            raise ConnectionError("and then something went wrong")
        await deliver(self, fetched)

    _replace(Consumer, "_deliver", early)


def overtaking() -> None:
    """A message does not wait behind a parked one of its key; some fail, and are parked, without a reason."""
    decide = Delivery.decide

    async def unlucky(self: Delivery, *arguments: Any) -> Exception | None:
        return RuntimeError("bad luck") if _lucky(0.2) else await decide(self, *arguments)

    async def nothing_held(_session: Any, _messages: Rows) -> dict[parked.Queue, int]:
        return {}

    retry = Retries.run_once

    async def late(self: Retries, *only: Any) -> bool:
        await asyncio.sleep(0.3)
        return await retry(self, *only)

    _replace(Delivery, "decide", unlucky)
    _replace(parked, "hold_up", nothing_held)
    _replace(Retries, "run_once", late)


def lost_parked() -> None:
    """Every other message that has to wait is forgotten."""
    add = parked.add

    async def forgetful(session: Any, messages: Any) -> None:
        await add(session, [each for each in messages if _lucky(0.5)])

    _replace(parked, "add", forgetful)


def no_row_lock() -> None:
    """Aggregates are loaded without a lock; handlers take their time, and partitions are handled side by side."""
    load, deliver = UnitOfWork.load, Consumer._deliver

    async def slow(self: UnitOfWork, model: type[Any], ids: Collection[Any]) -> None:
        await load(self, model, ids)
        await asyncio.sleep(0.3)

    async def side_by_side(self: Consumer, fetched: Any) -> None:
        await asyncio.gather(*(deliver(self, {partition: records}) for partition, records in fetched.items()))

    _replace(Consumer, "_deliver", side_by_side)
    _replace(Select, "with_for_update", lambda self, **_: self)
    _replace(UnitOfWork, "load", slow)


def timers_stay() -> None:
    """A cancelled timer stays set."""
    timers.CANCEL = NOTHING


def no_idempotency() -> None:
    """An Idempotency-Key is not looked at."""

    async def ignored(*_: object) -> None:
        return

    _replace(idempotency, "claim", ignored)


def nothing_more() -> None:
    """Only what the environment says is broken."""


def answer_without_commit(method: str, path: str, chance: float) -> None:
    """Some requests of this method and path are answered although they were rolled back."""
    transact = http._in_one_transaction

    async def unkept(request: Any, endpoint: http.Endpoint) -> Any:
        async def forgotten(request: Any) -> Any:
            response = await endpoint(request)
            if request.method == method and path in request.url.path and _lucky(chance):
                work: UnitOfWork = request.state.work
                await work.session.rollback()
                work.outbox.rows.clear()
                work.timers.changed.clear()
            return response

        return await transact(request, forgotten)

    _replace(http, "_in_one_transaction", unkept)


def other_slot() -> None:
    """A slot remembers another upload than was announced."""
    from services.essay_lifecycle_service.models import EssayBatch  # noqa: PLC0415  # only where it is broken

    take = EssayBatch._take_slot

    def wrong(self: EssayBatch, *arguments: Any) -> Any:
        slot = take(self, *arguments)
        slot.file_upload_id = uuid4()
        return slot

    _replace(EssayBatch, "_take_slot", wrong)


def short_history() -> None:
    """A move is not recorded."""
    from services.batch_orchestrator_service.models import Batch  # noqa: PLC0415  # only where it is broken

    confirm = Batch.associations_confirmed

    def forgetful(self: Batch, *arguments: Any) -> Any:
        effects = confirm(self, *arguments)
        self.history = self.history[:-1]
        return effects

    _replace(Batch, "associations_confirmed", forgetful)
