"""Parked messages get another chance: at their time, or at once when what they wait for has come."""

from collections.abc import Sequence
from typing import Any

from common_core.errors import NotYet
from sqlalchemy import Row

from service_runtime import metrics, parked
from service_runtime.cloudevents import Undecodable
from service_runtime.database import is_lost_connection
from service_runtime.delivery import AggregateUnknown, Delivery, HandlersFailed, log_parked
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

    async def run_once(self, only: parked.Queue | None = None) -> bool:
        """Retry what is due, in one transaction; after a failure queue by queue, message by message. Was there any?"""
        queues: list[parked.Queue] = []
        parked_messages: list[Parked] = []
        try:
            async with self._units.begin() as work:
                queues = await parked.due_queues(work.session, 1 if only else QUEUES_AT_ONCE, only)
                if not queues:
                    return False
                most = 1 if only else MESSAGES_AT_ONCE // len(queues)
                parked_messages = [(row, self._decoded(row)) for row in await parked.queues(work.session, queues, most)]
                await self._delivery.load(work, [message for _, message in parked_messages])
                handled = await self._decide_all(work, parked_messages)
                failpoint("retries.after_decide")
                await parked.done(work.session, handled, queues)
        except Exception as error:
            if is_lost_connection(error):
                raise
            if only:
                await self._keep(*parked_messages[0], _first_error(error))
            else:
                for queue in queues:
                    while await self.run_once(queue):
                        continue
        return True

    async def _decide_all(self, work: UnitOfWork, parked_messages: Sequence[Parked]) -> list[int]:
        """The positions that were handled; a queue whose next aggregate is unknown stays as it is from there on."""
        handled: list[int] = []
        waiting: set[parked.Queue] = set()
        errors: dict[str, Exception] = {}
        for row, message in parked_messages:
            if (row.topic, row.key) in waiting or message.key in errors:
                continue
            try:
                await self._delivery.decide(work, message, message.cause(row.at))
                handled.append(row.position)
            except AggregateUnknown as error:
                waiting.add((row.topic, row.key))
                await self._again(work, row, message, error)
            except Exception as error:
                if is_lost_connection(error):
                    raise
                errors[message.key] = error
        if errors:
            raise HandlersFailed(errors)
        return handled

    async def _keep(self, row: Row[Any], message: Message, error: Exception) -> None:
        async with self._units.begin() as work:
            await self._again(work, row, message, error)

    async def _again(self, work: UnitOfWork, row: Row[Any], message: Message, error: Exception) -> None:
        # Waiting is no failure: a bug met after long waiting gets all its attempts, and so does a replayed message.
        goes_on = isinstance(error, NotYet) == (row.state == parked.State.WAITING)
        attempts = row.attempts + 1 if goes_on else 1
        waited = (row.at - row.parked_at).total_seconds()
        verdict = parked.judge(error, attempts, waited, self._delivery.settings)
        await parked.again(work.session, row.position, attempts, verdict)
        if verdict.state is parked.State.DEAD:
            await parked.done(work.session, [], [(row.topic, row.key)])
        if verdict.reason is not parked.Reason.NOT_YET:
            log_parked(message, verdict, error)
        metrics.RETRIED.labels(verdict.reason).inc()

    def _decoded(self, row: Row[Any]) -> Message:
        record = parked.ParkedRecord.of(row)
        message = decode(record, self._delivery.types)
        if message is None:
            gone = Undecodable(f"this service no longer handles {row.type}")
            return Message(record, row.source, row.event_id, row.type, row.event_id, None, row.key, gone)
        return message


def _first_error(error: Exception) -> Exception:
    return next(iter(error.errors.values())) if isinstance(error, HandlersFailed) else error
