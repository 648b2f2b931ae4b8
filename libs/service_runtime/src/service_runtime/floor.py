"""How far up the outbox nothing can come any more, so that the relay need not search there.

While anybody keeps a transaction open, an index keeps what was deleted since, and a search from the beginning reads all
of it. But "nothing below what was published" would lose events: a position is taken long before it becomes visible.
"""

import time
from collections.abc import Sequence

import asyncpg

# Positions are given one by one (CACHE 1, as identity columns do): whoever comes after this question gets a higher one.
LAST = "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END FROM outbox_position_seq"
# Whoever takes a position holds this lock already, and keeps it until its rows are visible or rolled back.
WRITERS = """
    SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND relation = 'outbox'::regclass
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock'
"""
RISE_SECONDS = 0.2


class Floor:
    """The lowest position an event can have that is not published yet."""

    def __init__(self) -> None:
        self.position = 0
        self._settled = 0
        """All writers of positions up to here have ended."""
        self._next = 0
        self._writers: set[str] = set()
        """Who may have taken a position up to `_next` and was still at work."""
        self._looked_at = 0.0
        self._goal: int | None = None
        """Up to where it shall rise; None until it is known where positions were at the beginning."""

    def rise(self, rows: Sequence[asyncpg.Record]) -> None:
        """Rise to the first of these rows, which are all from here on in their order, or above all that is settled."""
        self.position = min(self._settled + 1, rows[0]["position"]) if rows else self._settled + 1
        if rows and self._goal is not None:
            self._goal = max(self._goal, rows[-1]["position"])

    async def look(self, connection: asyncpg.Connection) -> None:
        """Find out, some times a second, whose writers have ended; not while nothing more was published."""
        if self._goal is not None and self._settled >= self._goal:
            return
        if time.monotonic() - self._looked_at < RISE_SECONDS:
            return
        self._looked_at = time.monotonic()
        last: int = await connection.fetchval(LAST)
        if self._goal is None:
            self._goal = last
        # After the question above: who took a position up to `last` is among these, or has ended.
        writers = {row["virtualtransaction"] for row in await connection.fetch(WRITERS)}
        if self._writers.isdisjoint(writers):
            self._settled, self._next, self._writers = self._next, last, writers
