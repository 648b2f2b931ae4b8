"""Messages that could not be handled: those that wait, those that fail on a bug, and dead letters. Nothing is dropped.

The first of a (topic, key) that is not dead is its head: only heads are retried, the others wait behind it in order.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common_core.errors import DomainError, NotYet
from common_core.state_machine import Refused
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.sql import bindparam

from service_runtime.cloudevents import Headers, Undecodable
from service_runtime.messages import Message
from service_runtime.settings import RuntimeSettings


class State(StrEnum):
    """`dead` is final until an operator replays it and holds up nobody; the others hold up their (topic, key)."""

    WAITING = "waiting"
    FAILING = "failing"
    DEAD = "dead"


class Reason(StrEnum):
    """Why a message is parked."""

    NOT_YET = "not_yet"
    BEHIND = "behind"
    BUG = "bug"
    REFUSED = "refused"
    UNDECODABLE = "undecodable"
    WAITED_TOO_LONG = "waited_too_long"


NAMED_BY_THE_REASON = (NotYet, Refused, Undecodable)
"""Kinds of error whose name is the reason's own word."""

type Queue = tuple[str, str]
"""A topic and a key: what must stay in order."""

ADD = text("""
    INSERT INTO parked_messages (state, reason, error, waits_for, due_at, source, event_id, type, key, topic, partition,
        record_offset, record_key, record_headers, record_value)
    VALUES (:state, :reason, :error, :waits_for,
        COALESCE(now() + make_interval(secs => CAST(:delay AS float8)), 'infinity'), :source, :event_id, :type,
        :key, :topic, :partition, :record_offset, :record_key, :record_headers, :record_value)
""").bindparams(bindparam("record_headers", type_=JSONB))
HEADS = text("""
    SELECT head.position, head.topic, head.key
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[])) AS wanted (topic, key)
    CROSS JOIN LATERAL (
        SELECT position, topic, key FROM parked_messages
        WHERE topic = wanted.topic AND key = wanted.key AND state <> 'dead' ORDER BY position LIMIT 1) AS head
    ORDER BY head.position
""")
HOLD = text("""
    SELECT position FROM parked_messages WHERE position = ANY(:positions) AND state <> 'dead'
    ORDER BY position FOR KEY SHARE
""")
WAKE = text("""
    UPDATE parked_messages SET due_at = now()
    WHERE state = 'waiting' AND waits_for = ANY(:keys) AND due_at > now()
""")
DUE = text("""
    SELECT position, topic, key FROM parked_messages AS head
    WHERE state <> 'dead' AND due_at < 'infinity' AND due_at <= now()
    AND NOT EXISTS (
        SELECT 1 FROM parked_messages AS earlier WHERE earlier.topic = head.topic AND earlier.key = head.key
        AND earlier.state <> 'dead' AND earlier.position < head.position)
    ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED
""")
QUEUES = text("""
    SELECT parked.*, now() AS at
    FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[])) AS wanted (topic, key)
    CROSS JOIN LATERAL (
        SELECT * FROM parked_messages WHERE topic = wanted.topic AND key = wanted.key AND state <> 'dead'
        ORDER BY position LIMIT :most) AS parked
    ORDER BY parked.position
""")
NEXT = text("""
    SELECT CAST(extract(epoch FROM min(due_at) - now()) AS float8) FROM parked_messages
    WHERE state <> 'dead' AND due_at < 'infinity'
""")
DONE = text("DELETE FROM parked_messages WHERE position = ANY(:positions)")
NEXT_OF_QUEUES = text("""
    UPDATE parked_messages SET due_at = now() WHERE reason = 'behind' AND due_at > now() AND position IN (
        SELECT head.position FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[])) AS wanted (topic, key)
        CROSS JOIN LATERAL (SELECT position FROM parked_messages
            WHERE topic = wanted.topic AND key = wanted.key AND state <> 'dead' ORDER BY position LIMIT 1) AS head)
""")
# Whoever parks a message behind this one holds it: wait, or the message could be left without anybody to wake it.
LOCK = text("SELECT position FROM parked_messages WHERE position = ANY(:positions) ORDER BY position FOR UPDATE")
AGAIN = text("""
    UPDATE parked_messages SET state = :state, reason = :reason, error = :error, waits_for = :waits_for,
        attempts = :attempts, due_at = COALESCE(now() + make_interval(secs => CAST(:delay AS float8)), 'infinity')
    WHERE position = :position
""")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a message that could not be handled."""

    state: State
    reason: Reason
    error: str
    waits_for: str | None
    delay: float | None
    """Seconds until the next attempt; None: only when somebody wakes or replays it."""


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A parked row as the Kafka record it was."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @classmethod
    def of(cls, row: Row[Any]) -> "ParkedRecord":
        """The record that was parked, byte for byte."""
        headers = [(name, bytes.fromhex(value)) for name, value in row.record_headers]
        return cls(row.topic, row.partition, row.record_offset, row.record_key, row.record_value, headers)


def behind(head_id: object) -> Verdict:
    """A message whose (topic, key) has a parked predecessor waits for it, without a time of its own."""
    return Verdict(State.WAITING, Reason.BEHIND, f"waits behind parked message {head_id}", None, None)


def judge(error: Exception, attempts: int, waited_seconds: float, settings: RuntimeSettings) -> Verdict:
    """What becomes of a message that failed with this error at its `attempts`-th attempt."""
    said = told(error, with_kind=type(error) not in NAMED_BY_THE_REASON)
    if isinstance(error, NotYet):
        if waited_seconds > settings.waiting_days * 86_400:
            return Verdict(State.DEAD, Reason.WAITED_TOO_LONG, said, error.waits_for, None)
        return Verdict(State.WAITING, Reason.NOT_YET, said, error.waits_for, backoff(attempts, settings))
    if isinstance(error, Undecodable):
        return Verdict(State.DEAD, Reason.UNDECODABLE, said, None, None)
    if isinstance(error, DomainError):
        return Verdict(State.DEAD, Reason.REFUSED, said, None, None)
    if attempts >= settings.failing_attempts:
        return Verdict(State.DEAD, Reason.BUG, said, None, None)
    return Verdict(State.FAILING, Reason.BUG, said, None, backoff(attempts, settings))


def told(error: Exception, *, with_kind: bool = True) -> str:
    """What went wrong, briefly, and so that PostgreSQL can store it."""
    said = f"{type(error).__name__}: {error}" if with_kind else str(error)
    return said.replace("\x00", "\\x00")[:2_000]


def backoff(attempts: int, settings: RuntimeSettings) -> float:
    """Seconds until the next attempt: doubled each time up to a limit, with jitter of a quarter."""
    seconds: float = settings.retry_first_seconds * 2 ** min(attempts - 1, 30)
    return min(seconds, settings.retry_most_seconds) * random.uniform(0.75, 1.25)  # noqa: S311  # no secret


async def add(session: AsyncSession, messages: Sequence[tuple[Message, Verdict]]) -> None:
    """Park messages with everything needed to handle them later exactly as if they came from the log."""
    if messages:
        # What else the micro-batch changed is written at its end.
        with session.no_autoflush:
            await session.execute(ADD, [{**_columns(verdict), **_record(message)} for message, verdict in messages])


def _record(message: Message) -> dict[str, object]:
    record = message.record
    return {
        "source": message.source,
        "event_id": message.id,
        "type": message.type,
        "key": message.key,
        "topic": record.topic,
        "partition": record.partition,
        "record_offset": record.offset,
        "record_key": record.key,
        "record_headers": [[name.replace("\x00", ""), (value or b"").hex()] for name, value in record.headers],
        "record_value": record.value,
    }


async def again(session: AsyncSession, failed: Sequence[tuple[int, int, Verdict]]) -> None:
    """Keep messages parked after another failed attempt: the position of each, its attempts, and what becomes of it."""
    if failed:
        with session.no_autoflush:
            await session.execute(LOCK, {"positions": [position for position, _, _ in failed]})
            columns = [{**_columns(verdict), "attempts": n, "position": position} for position, n, verdict in failed]
            await session.execute(AGAIN, columns)


async def hold_up(session: AsyncSession, messages: Sequence[Message]) -> dict[Queue, int]:
    """The (topic, key)s of these messages that have a parked head, with its position; it stays until we commit.

    Holding the head keeps a retry in another process from draining its queue between our look and our commit; when
    one did while we waited for the lock, we look again.
    """
    columns = _queue_columns(sorted({(message.record.topic, message.key) for message in messages}))
    while True:
        heads = (await session.execute(HEADS, columns)).all()
        positions = [head.position for head in heads]
        if not heads or list(await session.scalars(HOLD, {"positions": positions})) == positions:
            return {(head.topic, head.key): head.position for head in heads}


async def wake(connection: AsyncConnection, keys: Collection[str]) -> bool:
    """Make those due that wait for one of these keys; whether there were any."""
    return (await connection.execute(WAKE, {"keys": sorted(keys)})).rowcount > 0


async def due_queues(session: AsyncSession, most: int) -> list[Queue]:
    """The (topic, key)s whose head is due, locked until we commit; those another process works on are passed over."""
    return [(head.topic, head.key) for head in await session.execute(DUE, {"most": most})]


async def queues(session: AsyncSession, wanted: Sequence[Queue], most: int) -> list[Row[Any]]:
    """The first `most` messages of each of these (topic, key)s, in the order in which they came."""
    return list(await session.execute(QUEUES, {**_queue_columns(wanted), "most": most}))


async def done(session: AsyncSession, positions: Sequence[int], wanted: Sequence[Queue]) -> None:
    """Remove handled messages and make the next of their queues due."""
    await session.execute(DONE, {"positions": list(positions)})
    await session.execute(NEXT_OF_QUEUES, _queue_columns(wanted))


def _queue_columns(wanted: Sequence[Queue]) -> dict[str, list[str]]:
    return {"topics": [topic for topic, _ in wanted], "keys": [key for _, key in wanted]}


def _columns(verdict: Verdict) -> dict[str, str | float | None]:
    return {
        "state": verdict.state,
        "reason": verdict.reason,
        "error": verdict.error,
        "waits_for": verdict.waits_for,
        "delay": verdict.delay,
    }
