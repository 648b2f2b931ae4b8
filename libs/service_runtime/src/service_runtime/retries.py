"""Parked messages get another chance: at their time, or at once when what they wait for has come."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from common_core.errors import NotYet
from sqlalchemy import Row

from service_runtime import metrics, parked
from service_runtime.cloudevents import Undecodable
from service_runtime.database import is_conflict, is_lost_connection
from service_runtime.delivery import CONFLICT_ATTEMPTS, Delivery, HandlersFailed, NothingDone, log_parked
from service_runtime.failpoints import failpoint
from service_runtime.messages import Message, decode
from service_runtime.unit_of_work import UnitOfWork

QUEUES_AT_ONCE = 500
MESSAGES_AT_ONCE = 500

type Parked = tuple[Row[Any], Message]


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

    async def run_once(self, only: Sequence[parked.Queue] | None = None) -> bool:
        """Retry what is due (among these) in one transaction, and apart from it what fails there. Was there any?"""
        taken: list[Parked] = []
        try:
            await self._transact(taken, only, MESSAGES_AT_ONCE)
        except HandlersFailed as failed:
            suspects = {_queue(row) for row, message in taken if message.key in failed.errors}
        except Exception as error:
            if is_lost_connection(error) or not taken:
                raise
            suspects = set()
        else:
            return bool(taken)
        await self._apart(Counter(_queue(row) for row, _ in taken), suspects)
        return True

    async def _apart(self, lengths: Counter[parked.Queue], suspects: set[parked.Queue]) -> None:
        """Retry the queues of a transaction that failed: the sound ones together; unless we know which, in halves."""
        queues = list(lengths)
        half = len(queues) // 2
        if suspects or not half:
            groups, alone = [[queue for queue in queues if queue not in suspects]], suspects or set(queues)
        else:
            groups, alone = [queues[:half], queues[half:]], set()
        for group in groups:
            if group and not alone.issuperset(group):
                await self.run_once(group)
        for queue in alone:
            # Not until nothing is due: of a long queue only those of the failed transaction are worth one each.
            for _ in range(lengths[queue]):
                if not await self._retry_head(queue):
                    break

    async def _retry_head(self, queue: parked.Queue) -> bool:
        """Retry one message in a transaction of its own; whether it was due."""
        for attempt in range(1, CONFLICT_ATTEMPTS + 1):
            taken: list[Parked] = []
            try:
                await self._transact(taken, [queue], 1)
            except Exception as error:
                if is_lost_connection(error) or not taken:
                    raise
                if is_conflict(error) and attempt < CONFLICT_ATTEMPTS:
                    await asyncio.sleep(0.01 * attempt)
                    continue
                await self._keep(*taken[0], _first_error(error))
            return bool(taken)
        return True

    async def _transact(self, taken: list[Parked], only: Sequence[parked.Queue] | None, most: int) -> None:
        """Retry what is due in one transaction; `taken` is known also when it fails."""
        async with self._units.begin() as work:
            queues = await parked.due_queues(work.session, min(most, QUEUES_AT_ONCE), only)
            if not queues:
                return
            rows = await parked.queues(work.session, queues, most // len(queues))
            taken += [(row, self._decoded(row)) for row in rows]
            await self._delivery.load(work, [message for _, message in taken])
            handled = await self._decide_all(work, taken)
            failpoint("retries.after_decide")
            await parked.done(work.session, handled, queues)

    async def _decide_all(self, work: UnitOfWork, taken: Sequence[Parked]) -> list[int]:
        """The positions that were handled; what cannot be and left no trace stays parked, and what is behind it."""
        handled: list[int] = []
        waiting: set[parked.Queue] = set()
        errors: dict[str, Exception] = {}
        for row, message in taken:
            if _queue(row) in waiting or message.key in errors:
                continue
            try:
                await self._delivery.decide(work, message, message.cause(row.at))
                handled.append(row.position)
            except NothingDone as nothing:
                if (await self._again(work, row, message, nothing.error)).state is not parked.State.DEAD:
                    waiting.add(_queue(row))
            except Exception as error:
                if is_lost_connection(error) or is_conflict(error):
                    raise
                errors[message.key] = error
        if errors:
            raise HandlersFailed(errors)
        return handled

    async def _keep(self, row: Row[Any], message: Message, error: Exception) -> None:
        async with self._units.begin() as work:
            await self._again(work, row, message, error)
            await parked.done(work.session, [], [_queue(row)])

    async def _again(self, work: UnitOfWork, row: Row[Any], message: Message, error: Exception) -> parked.Verdict:
        # Waiting is no failure: a bug met after long waiting gets all its attempts, and so does a replayed message.
        goes_on = isinstance(error, NotYet) == (row.state == parked.State.WAITING)
        attempts = row.attempts + 1 if goes_on else 1
        waited = (row.at - row.parked_at).total_seconds()
        verdict = parked.judge(error, attempts, waited, self._delivery.settings)
        await parked.again(work.session, row.position, attempts, verdict)
        if verdict.reason is not parked.Reason.NOT_YET:
            log_parked(message, verdict, error)
        metrics.RETRIED.labels(verdict.reason).inc()
        return verdict

    def _decoded(self, row: Row[Any]) -> Message:
        record = parked.ParkedRecord.of(row)
        message = decode(record, self._delivery.types)
        if message is None:
            gone = Undecodable(f"this service no longer handles {row.type}")
            return Message(record, row.source, row.event_id, row.type, row.event_id, None, row.key, gone)
        return message


def _first_error(error: Exception) -> Exception:
    return next(iter(error.errors.values())) if isinstance(error, HandlersFailed) else error


def _queue(row: Row[Any]) -> parked.Queue:
    return row.topic, row.key
