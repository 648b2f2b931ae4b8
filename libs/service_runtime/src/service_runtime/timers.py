"""Timers are rows: set and cancelled with the transaction that wants them, fired in one transaction when due.

A timer whose handler has a `prepare` step is a durable job: it is leased, prepared outside any transaction, and decided
upon in one. `setting_id` tells a timer from a later setting of the same name, so a late worker cannot fire that one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from service_runtime.handlers import CancelTimer, Cause, SetTimer

_INSERT = """
    INSERT INTO timers (name, aggregate_id, due_at, setting_id, event_id, correlation_id, traceparent)
    SELECT * FROM unnest(CAST(:name AS text[]), CAST(:aggregate_id AS uuid[]), CAST(:due_at AS timestamptz[]),
        CAST(:setting_id AS uuid[]), CAST(:event_id AS text[]), CAST(:correlation_id AS text[]),
        CAST(:traceparent AS text[]))
    ON CONFLICT (name, aggregate_id)
"""
SET_UNLESS_SET = text(_INSERT + "DO NOTHING")
SET = text(
    _INSERT
    + """
    DO UPDATE SET due_at = excluded.due_at, setting_id = excluded.setting_id,
        attempts = 0, last_error = NULL, event_id = excluded.event_id,
        correlation_id = excluded.correlation_id, traceparent = excluded.traceparent
    """
)
CANCEL = text("""
    DELETE FROM timers USING unnest(CAST(:name AS text[]), CAST(:aggregate_id AS uuid[])) AS unwanted (name, id)
    WHERE timers.name = unwanted.name AND timers.aggregate_id = unwanted.id
""")
# Processes share what is due by advisory locks: nobody waits for those, so no deadlock with who cancels a timer.
DUE = text("""
    WITH due AS MATERIALIZED (
        SELECT * FROM timers WHERE due_at <= now() AND name = ANY(:names) ORDER BY due_at LIMIT :looked_at)
    SELECT *, now() AS at FROM due
    WHERE pg_try_advisory_xact_lock(hashtext('scriptorium-timers'), hashtext(CAST(setting_id AS text)))
    LIMIT :most
""")
# The aggregates are locked before this, here as in every handler that cancels a timer: one order, no deadlock.
TAKE = text("""
    DELETE FROM timers USING unnest(CAST(:setting_ids AS uuid[])) AS due (setting_id)
    WHERE timers.setting_id = due.setting_id
    RETURNING timers.setting_id
""")
LEASE = text("""
    UPDATE timers SET due_at = now() + make_interval(secs => :lease)
    WHERE setting_id IN (SELECT setting_id FROM timers WHERE due_at <= now() AND name = ANY(:names)
                         ORDER BY due_at LIMIT :most FOR UPDATE SKIP LOCKED)
    RETURNING *, now() AS at
""")
KEEP = text("UPDATE timers SET due_at = now() + make_interval(secs => :lease) WHERE setting_id = ANY(:setting_ids)")
POSTPONE = text("""
    UPDATE timers SET due_at = now() + make_interval(secs => :delay), attempts = attempts + 1, last_error = :error
    WHERE setting_id = :setting_id
""")
NEXT = text("SELECT CAST(extract(epoch FROM min(due_at) - now()) AS float8) FROM timers")

type Timer = Row[Any]


def cause_of(timer: Timer) -> Cause:
    """A timer's cause is the message that set it."""
    return Cause(timer.event_id, timer.correlation_id, timer.traceparent, timer.at)


@dataclass(slots=True)
class Changes:
    """The timers one transaction sets and cancels; the last word about each counts."""

    changed: dict[tuple[str, UUID], tuple[SetTimer | CancelTimer, Cause]] = field(default_factory=dict)

    def add(self, change: SetTimer | CancelTimer, cause: Cause) -> None:
        """Remember a setting or a cancelling."""
        timer = change.name, change.aggregate_id
        if isinstance(change, SetTimer) and change.unless_set and timer in self.changed:
            before, _ = self.changed[timer]
            if isinstance(before, SetTimer):
                return
            # Cancelled in this transaction, so not set: what the table still has must not be kept.
            change = replace(change, unless_set=False)
        self.changed[timer] = (change, cause)

    async def write(self, session: AsyncSession) -> bool:
        """Write all of them, in one order; whether there were any."""
        ordered = [self.changed[each] for each in sorted(self.changed)]
        cancelled = [change for change, _ in ordered if isinstance(change, CancelTimer)]
        wanted = [(change, cause) for change, cause in ordered if isinstance(change, SetTimer)]
        replacing = [each for each in wanted if not each[0].unless_set]
        keeping = [each for each in wanted if each[0].unless_set]
        if cancelled:
            columns = {"name": [c.name for c in cancelled], "aggregate_id": [c.aggregate_id for c in cancelled]}
            await session.execute(CANCEL, columns)
        if replacing:
            await session.execute(SET, _columns(replacing))
        if keeping:
            await session.execute(SET_UNLESS_SET, _columns(keeping))
        self.changed.clear()
        return bool(ordered)


def _columns(wanted: Sequence[tuple[SetTimer, Cause]]) -> dict[str, list[str | UUID | datetime | None]]:
    return {
        "name": [timer.name for timer, _ in wanted],
        "aggregate_id": [timer.aggregate_id for timer, _ in wanted],
        "due_at": [timer.due_at for timer, _ in wanted],
        "setting_id": [uuid7() for _ in wanted],
        "event_id": [cause.event_id for _, cause in wanted],
        "correlation_id": [cause.correlation_id for _, cause in wanted],
        "traceparent": [cause.traceparent for _, cause in wanted],
    }
