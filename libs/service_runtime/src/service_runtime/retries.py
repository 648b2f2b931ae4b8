"""Parked messages get another chance: at their time, or at once when what they wait for has come."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from common_core.errors import NotYet
from sqlalchemy import Row

from service_runtime import metrics, parked
from service_runtime.cloudevents import Undecodable
from service_runtime.database import CONFLICT_ATTEMPTS, is_conflict, is_lost_connection
from service_runtime.delivery import Delivery, HandlersFailed, log_parked
from service_runtime.failpoints import failpoint
from service_runtime.messages import Message, decode
from service_runtime.unit_of_work import UnitOfWork

QUEUES_AT_ONCE = 500
MESSAGES_AT_ONCE = 500

type Parked = tuple[Row[Any], Message]


@dataclass(frozen=True, slots=True)
class Failed:
    """A parked message that could not be handled this time either."""

    position: int
    message: Message
    error: Exception
    attempts: int
    verdict: parked.Verdict


class Retries:
    """Retries the heads that are due, with everything that waits behind them, in order."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._units = delivery.units

    async def seconds_to_next(self) -> float | None:
        """How long until a message is due, by the database's time; None when none has a time."""
        async with self._units.reading() as session:
            seconds: float | None = await session.scalar(parked.NEXT)
        return seconds

    async def run_once(self) -> bool:
        """Retry what is due in one transaction, each of those that fail in a savepoint. Was there any?"""
        suspects: set[str] = set()
        conflicts = 0
        while True:
            taken: list[Parked] = []
            try:
                await self._transact(taken, suspects)
            except HandlersFailed as failed:
                suspects |= failed.keys
            except Exception as error:
                everyone = {message.key for _, message in taken}
                if is_lost_connection(error) or everyone <= suspects:
                    raise
                conflicts += is_conflict(error)
                if is_conflict(error) and conflicts < CONFLICT_ATTEMPTS:
                    await asyncio.sleep(0.01 * conflicts)
                else:
                    suspects |= everyone
            else:
                return bool(taken)

    async def _transact(self, taken: list[Parked], suspects: Collection[str]) -> None:
        """Retry what is due in one transaction; `taken` is known also when it fails."""
        async with self._units.begin() as work:
            queues = await parked.due_queues(work.session, QUEUES_AT_ONCE)
            if not queues:
                return
            rows = await parked.queues(work.session, queues, MESSAGES_AT_ONCE // len(queues))
            taken += [(row, self._decoded(row)) for row in rows]
            await self._delivery.load(work, [message for _, message in taken])
            handled, failed = await self._decide_all(work, taken, suspects)
            failpoint("retries.after_decide")
            await parked.again(work.session, [(each.position, each.attempts, each.verdict) for each in failed])
            await parked.done(work.session, handled, queues)
        for each in failed:
            if each.verdict.reason is not parked.Reason.NOT_YET:
                log_parked(each.message, each.verdict, each.error)
            metrics.RETRIED.labels(each.verdict.reason).inc()

    async def _decide_all(
        self, work: UnitOfWork, taken: Sequence[Parked], suspects: Collection[str]
    ) -> tuple[list[int], list[Failed]]:
        """The positions that were handled, and what could not be; what waits behind one of those is not tried."""
        handled: list[int] = []
        failed: list[Failed] = []
        waiting: set[parked.Queue] = set()
        half_done: set[str] = set()
        # As in delivery: a savepoint that fails makes us load anew, so those of suspected keys come last.
        for row, message in sorted(taken, key=lambda each: each[1].key in suspects):
            if _queue(row) in waiting or message.key in half_done:
                continue
            try:
                error = await self._delivery.decide(work, message, message.cause(row.at), suspects)
            except HandlersFailed as halfway:
                half_done |= halfway.keys
                continue
            if error is None:
                handled.append(row.position)
                continue
            failed.append(self._failed(row, message, error))
            if failed[-1].verdict.state is not parked.State.DEAD:
                waiting.add(_queue(row))
        if half_done:
            raise HandlersFailed(half_done)
        return handled, failed

    def _failed(self, row: Row[Any], message: Message, error: Exception) -> Failed:
        # Waiting is no failure: a bug met after long waiting gets all its attempts, and so does a replayed message.
        goes_on = isinstance(error, NotYet) == (row.state == parked.State.WAITING)
        attempts = row.attempts + 1 if goes_on else 1
        waited = (row.at - row.parked_at).total_seconds()
        verdict = parked.judge(error, attempts, waited, self._delivery.settings)
        return Failed(row.position, message, error, attempts, verdict)

    def _decoded(self, row: Row[Any]) -> Message:
        record = parked.ParkedRecord.of(row)
        message = decode(record, self._delivery.types)
        if message is None:
            gone = Undecodable(f"this service no longer handles {row.type}")
            return Message(record, row.source, row.event_id, row.type, row.event_id, None, row.key, gone)
        return message


def _queue(row: Row[Any]) -> parked.Queue:
    return row.topic, row.key
