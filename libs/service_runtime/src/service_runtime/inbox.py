"""What was seen: a message is claimed in the transaction of its effects, so it has them once or not at all."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from service_runtime.messages import Message

# Sorted: two processes that claim the same ids in another order would deadlock.
CLAIM = text("""
    INSERT INTO inbox (source, event_id)
    SELECT source, event_id FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS seen (source, event_id)
    ORDER BY source, event_id
    ON CONFLICT DO NOTHING
    RETURNING source, event_id, received_at
""")
AT_ONCE = 10_000
# By age, and from where the last ended: while a transaction is open somewhere, the index keeps what was deleted.
FORGET = text("""
    WITH old AS (
        DELETE FROM inbox WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM inbox WHERE received_at < now() - make_interval(secs => :age)
            AND received_at >= COALESCE(CAST(:since AS timestamptz), '-infinity') AND NOT EXISTS (
                SELECT 1 FROM parked_messages AS parked
                WHERE parked.source = inbox.source AND parked.event_id = inbox.event_id)
            ORDER BY received_at LIMIT :most FOR UPDATE OF inbox SKIP LOCKED))
        RETURNING received_at)
    SELECT count(*) AS number, max(received_at) AS newest FROM old
""")


async def claim(session: AsyncSession, messages: Sequence[Message]) -> tuple[list[Message], datetime | None]:
    """The messages not seen before, each once, in their order, and the database's time if there are any."""
    first = {(message.source, message.id): message for message in reversed(messages)}
    columns = {"sources": [source for source, _ in first], "ids": [event_id for _, event_id in first]}
    rows = (await session.execute(CLAIM, columns)).all()
    new = {(row.source, row.event_id) for row in rows}
    fresh = [
        message
        for message in messages
        if (message.source, message.id) in new and first[message.source, message.id] is message
    ]
    return fresh, rows[0].received_at if rows else None


async def forget(sessions: async_sessionmaker[AsyncSession], older_than_days: float) -> None:
    """Delete the rows that are older, in short transactions, but none of a parked message.

    Read again, that would be parked twice. Handlers stay idempotent by their state.
    """
    since = None
    while True:
        async with sessions.begin() as session:
            columns = {"age": older_than_days * 86_400, "since": since, "most": AT_ONCE}
            deleted = (await session.execute(FORGET, columns)).one()
        if deleted.number < AT_ONCE:
            return
        since = deleted.newest
