"""One message, from the log to its effects: start reading here.

A micro-batch is ONE transaction: the inbox says which messages are new, their aggregates are loaded and locked in one
query, each message goes to its handler in log order, and what the handlers said is written to the outbox. The offsets
are committed after it (`consumer.py`), so a crash anywhere means: all of it again, or none of it.
"""

import asyncio
import time
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from common_core.errors import NotYet
from common_core.events.base import Event
from opentelemetry.trace import SpanKind
from sqlalchemy import inspect

from service_runtime import inbox, metrics, parked, tracing
from service_runtime.cloudevents import Undecodable
from service_runtime.database import CONFLICT_ATTEMPTS, is_conflict, is_lost_connection
from service_runtime.failpoints import failpoint
from service_runtime.handlers import Cause, Handlers, within
from service_runtime.logging import log
from service_runtime.messages import Message
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work import UnitOfWork, UnitsOfWork


class AggregateUnknown(NotYet):
    """The handler was not called, because the aggregate it needs does not exist yet."""


class HandlersFailed(Exception):
    """Handlers of these keys raised and may have left half a change: the transaction was rolled back."""

    def __init__(self, keys: set[str]) -> None:
        super().__init__(f"{len(keys)} keys failed")
        self.keys = keys


class Delivery:
    """Takes messages to their handlers, and parks what cannot be handled."""

    def __init__(self, units: UnitsOfWork, handlers: Handlers, settings: RuntimeSettings) -> None:
        self.units = units
        self.settings = settings
        self.types: dict[str, type[Event]] = {event.__name__: event for event in handlers.events}
        self._handlers = handlers.events
        self._seconds = {kind: metrics.HANDLER_SECONDS.labels(kind) for kind in self.types}

    async def deliver(self, messages: Sequence[Message]) -> None:
        """Handle or park every message; while the database cannot be reached, wait for it."""
        delay = 0.1
        started = time.perf_counter()
        while True:
            try:
                await self._apply(messages)
            except Exception as error:
                if not is_lost_connection(error):
                    raise
                log.warning("database_unreachable", error=repr(error), next_attempt_seconds=delay)
                await asyncio.sleep(delay)
                delay = min(2 * delay, 1.0)
            else:
                break
        seconds = time.perf_counter() - started
        metrics.BATCH_SECONDS.observe(seconds)
        log.info("messages_delivered", count=len(messages), seconds=round(seconds, 4))

    async def _apply(self, messages: Sequence[Message]) -> None:
        """All together; what may have left half a change once more, in a savepoint; what can't be written in halves."""
        if not messages:
            return
        suspects: set[str] = set()
        conflicts = 0
        while True:
            try:
                await self._transact(messages, suspects)
            except HandlersFailed as failed:
                suspects |= failed.keys
            except Exception as error:
                if is_lost_connection(error):
                    raise
                conflicts += is_conflict(error)
                if is_conflict(error) and conflicts < CONFLICT_ATTEMPTS:
                    await asyncio.sleep(0.01 * conflicts)
                elif len(messages) == 1 and not suspects:
                    suspects = {messages[0].key}
                else:
                    reason = error
                    break
            else:
                return
        # Not within the except: the traceback of a bug would carry those of all the batches it was in.
        if len(messages) == 1:
            await self._park(messages[0], reason)
        else:
            half = len(messages) // 2
            await self._apply(messages[:half])
            await self._apply(messages[half:])

    async def _transact(self, messages: Sequence[Message], suspects: Collection[str]) -> None:
        """THE transaction. Everything in it holds, or nothing of it."""
        async with self.units.begin() as work:
            fresh, at = await inbox.claim(work.session, messages)
            work.duplicates = len(messages) - len(fresh)
            if at is None:
                return
            failpoint("delivery.after_claim")
            held: dict[parked.Queue, object] = {**await parked.hold_up(work.session, fresh)}
            await self.load(work, [each for each in fresh if (each.record.topic, each.key) not in held])
            left_over = await self._decide_all(work, fresh, suspects, held, at)
            await parked.add(work.session, [(message, verdict) for message, verdict, _ in left_over])
        for message, verdict, error in left_over:
            metrics.PARKED.labels(verdict.reason).inc()
            log_parked(message, verdict, error)

    async def _decide_all(
        self,
        work: UnitOfWork,
        fresh: Sequence[Message],
        suspects: Collection[str],
        held: dict[parked.Queue, object],
        at: datetime,
    ) -> list[tuple[Message, parked.Verdict, Exception | None]]:
        """Each to its handler; those that must be parked, and the error of those that had one of their own."""
        failed: set[str] = set()
        left_over: list[tuple[Message, parked.Verdict, Exception | None]] = []
        # The order counts only within a key. A savepoint that fails makes us load anew, so suspects come last.
        for message in sorted(fresh, key=lambda each: each.key in suspects):
            queue = (message.record.topic, message.key)
            if queue in held and isinstance(message.content, Event):
                left_over.append((message, parked.behind(held[queue]), None))
            elif message.key not in failed:
                try:
                    error = await self.decide(work, message, message.cause(at), suspects)
                except HandlersFailed as half_done:
                    failed |= half_done.keys
                    continue
                if error:
                    verdict = parked.judge(error, 1, 0.0, self.settings)
                    left_over.append((message, verdict, error))
                    if verdict.state is not parked.State.DEAD:
                        held[queue] = f"{message.source} {message.id}"
        if failed:
            raise HandlersFailed(failed)
        return left_over

    async def load(self, work: UnitOfWork, messages: Sequence[Message]) -> None:
        """Load and lock the aggregates these messages name, one query for each kind, kinds in one order."""
        wanted: dict[type, set[UUID]] = {}
        for message in messages:
            if isinstance(message.content, Event) and (model := self._handlers[type(message.content)].loads):
                wanted.setdefault(model, set()).add(message.content.key)
        for model in sorted(wanted, key=lambda each: str(inspect(each).local_table)):
            await work.load(model, wanted[model])

    async def decide(
        self, work: UnitOfWork, message: Message, cause: Cause, suspects: Collection[str]
    ) -> Exception | None:
        """Let the handler decide and record what it says. The error it raised, when nothing of what it did is left.

        Raises HandlersFailed when something may be; a message of a suspected key is decided in a savepoint instead.
        """
        event = message.content
        if isinstance(event, Undecodable):
            return event
        work.begin_step()
        try:
            if message.key in suspects:
                async with work.savepoint():
                    await self._call(work, message, event, cause)
            else:
                await self._call(work, message, event, cause)
        except Exception as error:
            if is_lost_connection(error):
                raise
            if message.key in suspects or work.take_back():
                return error
            if is_conflict(error):
                raise
            raise HandlersFailed({message.key}) from error
        work.keep_step()
        work.touched.add(message.key)
        work.handled.append(message.type)
        about = {"event_id": message.id, "key": message.key, "correlation_id": message.correlation_id}
        log.debug("message_handled", event_type=message.type, **about)
        return None

    async def _call(self, work: UnitOfWork, message: Message, event: Event, cause: Cause) -> None:
        handler = self._handlers[type(event)]
        aggregate = None
        if handler.loads is not None and not handler.needs_work:
            aggregate = await work.find(handler.loads, event.key)
            if aggregate is None:
                raise AggregateUnknown(handler.loads.__name__, event.key)
        kind = type(event).__name__
        about = {"messaging.message.id": message.id, "correlation_id": message.correlation_id, "key": message.key}
        with (
            tracing.span(f"handle {kind}", cause.traceparent, about, SpanKind.CONSUMER) as span,
            self._seconds[kind].time(),
        ):
            work.cause = cause.within(span.traceparent)
            if handler.needs_work:
                async with within(self.settings.handling_seconds):
                    effects = await handler.call(work, event)
            elif aggregate is None:
                effects = handler.call(event, cause)
            else:
                effects = handler.call(aggregate, event, cause)
            work.publish(effects)

    async def _park(self, message: Message, error: Exception) -> None:
        verdict = parked.judge(error, 1, 0.0, self.settings)
        async with self.units.begin() as work:
            fresh, _ = await inbox.claim(work.session, [message])
            failpoint("delivery.before_park")
            await parked.add(work.session, [(each, verdict) for each in fresh])
        if fresh:
            metrics.PARKED.labels(verdict.reason).inc()
            log_parked(message, verdict, error)


def log_parked(message: Message, verdict: parked.Verdict, error: Exception | None) -> None:
    """One line for a message that could not be handled; a bug comes with its traceback."""
    if error is None:
        return
    log.warning(
        "message_parked",
        state=verdict.state,
        reason=verdict.reason,
        error=type(error).__name__ if verdict.reason is parked.Reason.BUG else verdict.error,
        event_type=message.type,
        event_id=message.id,
        key=message.key,
        correlation_id=message.correlation_id,
        topic=message.record.topic,
        exc_info=error if verdict.reason is parked.Reason.BUG else None,
    )
