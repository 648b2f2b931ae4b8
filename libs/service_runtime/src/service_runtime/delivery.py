"""One message, from the log to its effects: start reading here.

A micro-batch is ONE transaction: the inbox says which messages are new, their aggregates are loaded and locked in one
query, each message goes to its handler in log order, and what the handlers said is written to the outbox. The offsets
are committed after it (`consumer.py`), so a crash anywhere means: all of it again, or none of it.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from common_core.errors import NotYet
from common_core.events.base import Event
from sqlalchemy import inspect

from service_runtime import inbox, metrics, parked
from service_runtime.cloudevents import Undecodable
from service_runtime.database import is_conflict, is_lost_connection
from service_runtime.failpoints import failpoint
from service_runtime.handlers import Cause, Handler, Handlers
from service_runtime.logging import log
from service_runtime.messages import Message
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work import UnitOfWork, UnitsOfWork

CONFLICT_ATTEMPTS = 5


class AggregateUnknown(NotYet):
    """The handler was not called, because the aggregate it needs does not exist yet."""


class NothingDone(Exception):
    """A message was not handled and left no trace, so its transaction goes on without it; `error` says why not."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class HandlersFailed(Exception):
    """Some handlers raised, so the transaction was rolled back; `errors` holds the first error of each key."""

    def __init__(self, errors: dict[str, Exception]) -> None:
        super().__init__(f"{len(errors)} keys failed")
        self.errors = errors


class Delivery:
    """Takes messages to their handlers, and parks what cannot be handled."""

    def __init__(self, units: UnitsOfWork, handlers: Handlers, settings: RuntimeSettings) -> None:
        self.units = units
        self.settings = settings
        self.types: dict[str, type[Event]] = {event.__name__: event for event in handlers.events}
        self._handlers = handlers.events

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
                delay = min(2 * delay, 5.0)
            else:
                break
        seconds = time.perf_counter() - started
        metrics.BATCH_SECONDS.observe(seconds)
        log.info("messages_delivered", count=len(messages), seconds=round(seconds, 4))

    async def _apply(self, messages: Sequence[Message]) -> None:
        if not messages:
            return
        if len(messages) == 1:
            await self._apply_alone(messages[0])
            return
        errors: dict[str, Exception] = {}
        try:
            await self._transact(messages)
        except HandlersFailed as failed:
            errors = failed.errors
        except Exception as error:
            if is_lost_connection(error):
                raise
        else:
            return
        # Not within the except: the traceback of a bug would carry those of all the batches it was in.
        if errors:
            # Order matters only within a key: the sound keys go on together, those with an error one by one.
            await self._apply([each for each in messages if each.key not in errors])
            for message in messages:
                if message.key in errors:
                    await self._apply_alone(message)
        else:
            half = len(messages) // 2
            await self._apply(messages[:half])
            await self._apply(messages[half:])

    async def _apply_alone(self, message: Message) -> None:
        for attempt in range(1, CONFLICT_ATTEMPTS + 1):
            try:
                await self._transact([message])
            except HandlersFailed as failed:
                await self._park(message, failed.errors[message.key])
            except Exception as error:
                if is_lost_connection(error):
                    raise
                if is_conflict(error) and attempt < CONFLICT_ATTEMPTS:
                    await asyncio.sleep(0.01 * attempt)
                    continue
                await self._park(message, error)
            return

    async def _transact(self, messages: Sequence[Message]) -> None:
        """THE transaction. Everything in it holds, or nothing of it."""
        async with self.units.begin() as work:
            fresh, at = await inbox.claim(work.session, messages)
            metrics.DUPLICATES.inc(len(messages) - len(fresh))
            if at is None:
                return
            failpoint("delivery.after_claim")
            held: dict[parked.Queue, object] = {**await parked.hold_up(work.session, fresh)}
            await self.load(work, [each for each in fresh if (each.record.topic, each.key) not in held])
            await self._decide_all(work, fresh, held, at)

    async def _decide_all(
        self, work: UnitOfWork, fresh: Sequence[Message], held: dict[parked.Queue, object], at: datetime
    ) -> None:
        errors: dict[str, Exception] = {}
        for message in fresh:
            queue = (message.record.topic, message.key)
            if isinstance(message.content, Undecodable):
                await self._add_parked(work, message, message.content)
            elif queue in held:
                await parked.add(work.session, message, parked.behind(held[queue]))
            elif message.key not in errors:
                try:
                    await self.decide(work, message, message.cause(at))
                except NothingDone as nothing:
                    if (await self._add_parked(work, message, nothing.error)).state is not parked.State.DEAD:
                        held[queue] = f"{message.source} {message.id}"
                except Exception as error:
                    if is_lost_connection(error) or is_conflict(error):
                        raise
                    errors[message.key] = error
        if errors:
            raise HandlersFailed(errors)

    async def load(self, work: UnitOfWork, messages: Sequence[Message]) -> None:
        """Load and lock the aggregates these messages name, one query for each kind, kinds in one order."""
        wanted: dict[type, set[UUID]] = {}
        for message in messages:
            if isinstance(message.content, Event) and (model := self._handlers[type(message.content)].loads):
                wanted.setdefault(model, set()).add(message.content.key)
        for model in sorted(wanted, key=lambda each: str(inspect(each).local_table)):
            await work.load(model, wanted[model])

    async def decide(self, work: UnitOfWork, message: Message, cause: Cause) -> None:
        """Let the handler decide, and record what it says."""
        event = message.content
        if isinstance(event, Undecodable):
            raise event
        handler = self._handlers[type(event)]
        work.cause = cause
        if handler.needs_work:
            effects = await handler.call(work, event)
        elif handler.loads is None:
            effects = handler.call(event, cause)
        else:
            aggregate = work.loaded(handler.loads, event.key)
            if aggregate is None:
                raise NothingDone(AggregateUnknown(handler.loads.__name__, event.key))
            effects = _call_or_undo(handler, aggregate, event, cause)
        work.publish(effects)
        work.touched.add(message.key)
        metrics.HANDLED.labels(message.type).inc()
        log.debug("message_handled", event_type=message.type, event_id=message.id, key=message.key)

    async def _park(self, message: Message, error: Exception) -> None:
        async with self.units.begin() as work:
            fresh, _ = await inbox.claim(work.session, [message])
            failpoint("delivery.before_park")
            if fresh:
                await self._add_parked(work, message, error)

    async def _add_parked(self, work: UnitOfWork, message: Message, error: Exception) -> parked.Verdict:
        verdict = parked.judge(error, 1, 0.0, self.settings)
        await parked.add(work.session, message, verdict)
        log_parked(message, verdict, error)
        return verdict


def _call_or_undo(handler: Handler, aggregate: Any, event: Event, cause: Cause) -> Any:
    """What a plain handler says; when it fails, a row that is an aggregate of its own is as it was: NothingDone.

    Without this, one poisonous message would roll back, and so cost twice, all the others of its micro-batch. A plain
    handler can change nothing but its aggregate; one with relations may have changed other rows, so there we roll back.
    """
    if inspect(type(aggregate)).relationships:
        return handler.call(aggregate, event, cause)
    before = dict(vars(aggregate))
    try:
        return handler.call(aggregate, event, cause)
    except Exception as error:
        for name, value in before.items():
            if vars(aggregate).get(name) is not value:
                setattr(aggregate, name, value)
        raise NothingDone(error) from error


def log_parked(message: Message, verdict: parked.Verdict, error: Exception) -> None:
    """One line for a message that could not be handled; a bug comes with its traceback."""
    metrics.PARKED.labels(verdict.reason).inc()
    log.warning(
        "message_parked",
        state=verdict.state,
        reason=verdict.reason,
        error=verdict.error,
        event_type=message.type,
        event_id=message.id,
        key=message.key,
        correlation_id=message.correlation_id,
        topic=message.record.topic,
        exc_info=error if verdict.reason is parked.Reason.BUG else None,
    )
