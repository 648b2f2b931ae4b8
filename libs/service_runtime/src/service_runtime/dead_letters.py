"""What operators do with parked messages: look, replay, edit, discard. Every action is recorded with its reason."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common_core.errors import DomainError, NotFound
from common_core.events.base import Event
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql import bindparam

from service_runtime import parked
from service_runtime.cloudevents import Envelope, Undecodable, headers, parse
from service_runtime.masking import CAUSE, shown
from service_runtime.messages import decode

# One statement serves every filter: what is not asked for is NULL.
WHERE = f"""
    (CAST(:state AS text) IS NULL OR state = CAST(:state AS text))
    AND (CAST(:type AS text) IS NULL OR type = CAST(:type AS text))
    AND (CAST(:reason AS text) IS NULL OR reason = CAST(:reason AS text))
    AND (CAST(:cause AS text) IS NULL OR {CAUSE} = CAST(:cause AS text))
    AND (CAST(:key AS text) IS NULL OR key = CAST(:key AS text))
    AND (CAST(:since AS timestamptz) IS NULL OR parked_at >= CAST(:since AS timestamptz))
    AND (CAST(:until AS timestamptz) IS NULL OR parked_at < CAST(:until AS timestamptz))
    AND (CAST(:positions AS bigint[]) IS NULL OR position = ANY(CAST(:positions AS bigint[])))
"""
COLUMNS = """
    position, state, reason, error, waits_for, attempts, parked_at, due_at, source, event_id, type, key, topic,
    CASE WHEN reason = 'behind' THEN (
        SELECT head.position FROM parked_messages AS head
        WHERE head.topic = parked.topic AND head.key = parked.key AND head.state <> 'dead'
        AND head.position < parked.position ORDER BY head.position LIMIT 1) END AS behind
"""
LIST = text(f"""
    SELECT {COLUMNS} FROM parked_messages AS parked WHERE {WHERE} AND position > :after ORDER BY position LIMIT :limit
""")  # noqa: S608  # constants
GROUPS = text(f"""
    SELECT state, reason, type, {CAUSE} AS cause, count(*) AS count, min(position) AS example,
        min(parked_at) AS first, max(parked_at) AS last
    FROM parked_messages WHERE {WHERE} GROUP BY 1, 2, 3, 4 ORDER BY count(*) DESC, 4 LIMIT 200
""")  # noqa: S608  # constants
WHOLE = f"{COLUMNS}, partition, record_offset, record_key, record_headers, record_value"
ONE = text(f"SELECT {WHOLE} FROM parked_messages AS parked WHERE position = :position FOR UPDATE")  # noqa: S608  # constants
SOME_DEAD = text(f"""
    SELECT {WHOLE} FROM parked_messages AS parked WHERE state = 'dead' AND {WHERE}
    ORDER BY position LIMIT :most FOR UPDATE
""")  # noqa: S608  # constants
DISCARDED_AT_ONCE = 500
# Operators take turns: the first of a (topic, key) that is replayed is made due here, and only it wakes the next ones.
# If another operator took it away in between, they would sleep for ever.
TAKE_TURN = text("SELECT pg_advisory_xact_lock(hashtext('operator_actions'))")
REPLAY = text(f"""
    WITH chosen AS (
        SELECT position, row_number() OVER (PARTITION BY topic, key ORDER BY position) AS place
        FROM parked_messages WHERE state = 'dead' AND {WHERE})
    UPDATE parked_messages AS parked SET state = 'waiting', reason = 'behind', waits_for = NULL, attempts = 0,
        error = CASE WHEN error LIKE 'replayed; %' THEN error ELSE 'replayed; ' || error END, parked_at = now(),
        due_at = CASE WHEN place = 1 THEN now() ELSE 'infinity' END
    FROM chosen WHERE parked.position = chosen.position
""")  # noqa: S608  # constants
EDIT = text("""
    UPDATE parked_messages SET type = :type, key = :key, record_value = :value, record_headers = :headers
    WHERE position = :position
""").bindparams(bindparam("headers", type_=JSONB))
RECORD = text("""
    INSERT INTO operator_actions (operator, action, reason, about) VALUES (:operator, :action, :reason, :about)
""").bindparams(bindparam("about", type_=JSONB))
FORGET_BYTES = text("""
    UPDATE operator_actions SET about = about - ARRAY['record_value', 'record_key', 'record_headers', 'error']
    WHERE position = ANY(ARRAY(SELECT position FROM operator_actions
        WHERE at < now() - make_interval(secs => :age) AND jsonb_exists(about, 'record_value') LIMIT 1000))
""")
AT_KEY = text(f"""
    SELECT {COLUMNS} FROM parked_messages AS parked WHERE key = :key OR waits_for = :key
    ORDER BY state = 'dead', position LIMIT 50
""")  # noqa: S608  # constants
TIMERS_AT_KEY = text("""
    SELECT name, due_at, attempts, last_error FROM timers WHERE CAST(aggregate_id AS text) = :key ORDER BY due_at
""")


class NotDead(DomainError):
    """Only a dead letter can be edited or discarded; a waiting message is still on its way."""

    def __init__(self, position: int, state: str) -> None:
        super().__init__(f"parked message {position} is {state}, not dead; it is retried by itself")


class StillUndecodable(DomainError):
    """The edited data would be a dead letter again."""

    http_status = 422


@dataclass(frozen=True, slots=True)
class Filter:
    """Which parked messages; what is None is not asked for."""

    state: str | None = None
    type: str | None = None
    reason: str | None = None
    cause: str | None = None
    key: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    positions: Sequence[int] | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """The parameters of the statements."""
        return {name: getattr(self, name) for name in self.__slots__}


class DeadLetters:
    """All parked messages of a service, through one unit of work's session."""

    def __init__(self, session: AsyncSession, types: Mapping[str, type[Event]]) -> None:
        self._session = session
        self._types = types

    async def page(self, wanted: Filter, after: int, limit: int) -> list[Row[Any]]:
        """Parked messages in the order in which they came."""
        return list(await self._session.execute(LIST, {**wanted.columns, "after": after, "limit": limit}))

    async def groups(self, wanted: Filter) -> list[Row[Any]]:
        """How many share a cause: the same type and reason, and the error as it is shown, but for ids and numbers."""
        return list(await self._session.execute(GROUPS, wanted.columns))

    async def one(self, position: int) -> Row[Any]:
        """One parked message, locked; raises NotFound."""
        row = (await self._session.execute(ONE, {"position": position})).one_or_none()
        if row is None:
            raise NotFound("parked message", position)
        return row

    async def at_key(self, key: str) -> tuple[list[Row[Any]], list[Row[Any]]]:
        """What is parked for this key or waits for it, and its timers."""
        waiting = await self._session.execute(AT_KEY, {"key": key})
        return list(waiting), list(await self._session.execute(TIMERS_AT_KEY, {"key": key}))

    async def replay(self, wanted: Filter, operator: str, reason: str) -> int:
        """Handle dead letters once more, in order per key; those that are not dead stay as they are. How many."""
        await self._session.execute(TAKE_TURN)
        replayed = (await (await self._session.connection()).execute(REPLAY, wanted.columns)).rowcount
        await self.record(operator, "replay", reason, {"filter": _plain(wanted.columns), "messages": replayed})
        return replayed

    async def edit(self, position: int, data: object, operator: str, reason: str, kind: str | None = None) -> None:
        """Correct a dead letter's data and replay it; the old bytes are recorded. Raises NotDead, StillUndecodable.

        `kind` is its type, for one that came without a readable envelope.
        """
        row = await self._dead(position)
        value = json.dumps(data).encode()
        written = _binary_headers(row, kind or row.type)
        record = parked.ParkedRecord(row.topic, row.partition, row.record_offset, row.record_key, value, written)
        message = decode(record, self._types)
        if message is None:
            known = ", ".join(sorted(self._types))
            raise StillUndecodable(f"no handler for the type {kind or row.type}; give the type, one of: {known}")
        if isinstance(message.content, Undecodable):
            raise StillUndecodable(f"the edited message cannot be decoded: {message.content}")
        in_hex = [[name, raw.hex()] for name, raw in written]
        edited = {"type": message.type, "key": message.key, "value": value, "headers": in_hex}
        await self._session.execute(EDIT, {"position": position, **edited})
        await self.record(operator, "edit", reason, _image(row))
        await self.replay(Filter(positions=[position]), operator, reason)

    async def discard(self, position: int, operator: str, reason: str) -> None:
        """Give a dead letter up; raises NotDead. All of it is kept in the record of actions."""
        await self._dead(position)
        await self.discard_all(Filter(positions=[position]), operator, reason)

    async def discard_all(self, wanted: Filter, operator: str, reason: str) -> int:
        """Give dead letters up; those that are not dead stay as they are. All is kept in the record. How many."""
        await self._session.execute(TAKE_TURN)
        discarded = 0
        some = {**wanted.columns, "most": DISCARDED_AT_ONCE}
        while rows := (await self._session.execute(SOME_DEAD, some)).all():
            await self.record(operator, "discard", reason, *map(_image, rows))
            await parked.done(self._session, [row.position for row in rows], [])
            discarded += len(rows)
        return discarded

    async def record(self, operator: str, action: str, reason: str, *about: object) -> None:
        """Who did what, and why; one record for each thing it is about."""
        columns = {"operator": operator, "action": action, "reason": reason}
        await self._session.execute(RECORD, [{**columns, "about": each} for each in about])

    async def _dead(self, position: int) -> Row[Any]:
        await self._session.execute(TAKE_TURN)
        row = await self.one(position)
        if row.state != parked.State.DEAD:
            raise NotDead(position, row.state)
        return row


async def forget_bytes(session: AsyncSession, older_than_days: float) -> None:
    """Remove what edited and discarded messages said from up to 1,000 records; who did what and why stays."""
    await session.execute(FORGET_BYTES, {"age": older_than_days * 86_400})


def data_of(row: Row[Any], *, reveal: bool) -> object:
    """What a parked message says; masked unless revealed."""
    envelope = _envelope(row)
    return shown(envelope.data if envelope else row.record_value or b"", reveal=reveal)


def _envelope(row: Row[Any]) -> Envelope | None:
    record = parked.ParkedRecord.of(row)
    try:
        return parse(record.headers, record.value)
    except Undecodable:
        return None


def _binary_headers(row: Row[Any], kind: str) -> list[tuple[str, bytes]]:
    """The envelope for edited data: the one it came in, or a new one when that could not be read."""
    known = _envelope(row)
    extensions: dict[str, str | None] = {}
    if known:
        extensions = {"correlationid": known.correlation_id, "causationid": known.causation_id}
        extensions["traceparent"] = known.traceparent
    return headers(row.source, row.event_id, kind, row.key, row.parked_at, extensions)


def _image(row: Row[Any]) -> dict[str, object]:
    image = _plain(dict(row._mapping))  # noqa: SLF001  # SQLAlchemy's public name for a row as a mapping
    return {**image, "record_value": (row.record_value or b"").hex(), "record_key": (row.record_key or b"").hex()}


def _plain(columns: Mapping[str, Any]) -> dict[str, object]:
    return {name: value if isinstance(value, int | str | list) else str(value) for name, value in columns.items()}
