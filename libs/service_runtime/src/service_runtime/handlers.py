"""Which handler decides about which event or timer, and what a handler may say."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from common_core.events.base import Event, Topic


class HandlerTooSlow(Exception):
    """A handler did not end in its time; let a timer prepare what is slow."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished within {seconds} s (SCRIPTORIUM_HANDLING_SECONDS)")


@asynccontextmanager
async def within(seconds: float) -> AsyncIterator[None]:
    """Give up a handler that takes longer; raises HandlerTooSlow."""
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError as error:
        if limit.expired():
            raise HandlerTooSlow(seconds) from error
        raise


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake this aggregate's timer of this name at this time; an earlier setting is replaced."""

    name: str
    aggregate_id: UUID
    due_at: datetime
    unless_set: bool = False
    """Keep an earlier setting, and a job that is at work on it; its handler must look for what came meanwhile."""


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """The timer is no longer wanted; cancelling one that is not set changes nothing."""

    name: str
    aggregate_id: UUID


type Effect = Event | SetTimer | CancelTimer
type Effects = Iterable[Effect]


@dataclass(frozen=True, slots=True)
class Cause:
    """What led to a change: a message, a timer or a request."""

    event_id: str | None
    """The `id` of the message; for a timer, of the message that set it; None for a request."""
    correlation_id: str
    traceparent: str | None
    at: datetime
    """Database time of the transaction."""

    def within(self, traceparent: str | None) -> "Cause":
        """The same cause, for what is done in this span."""
        return self if traceparent is self.traceparent else replace(self, traceparent=traceparent)


@dataclass(frozen=True, slots=True)
class Handler:
    """One decision: `function` gets the locked aggregate (or, if async, the unit of work), then what happened."""

    function: Callable[..., Any]
    loads: type[Any] | None
    takes: int
    needs_work: bool

    def call(self, *arguments: object) -> Any:
        """Call with as many of the arguments as the function asks for."""
        return self.function(*arguments[: self.takes])


@dataclass(frozen=True, slots=True)
class TimerHandler:
    """What happens when a timer is due; `prepare` is the slow part and runs outside any transaction."""

    handler: Handler
    loads: type[Any]
    prepare: Callable[..., Awaitable[Any]] | None

    @property
    def prepare_takes(self) -> int:
        """How many arguments the prepare step asks for."""
        return len(inspect.signature(self.prepare).parameters) if self.prepare else 0


class Handlers:
    """The table of a service: what it hears, and which function decides."""

    def __init__(self) -> None:
        self._events: dict[type[Event], Handler] = {}
        self._timers: dict[str, TimerHandler] = {}

    def on[F: Callable[..., Any]](self, event: type[Event], *, loads: type[Any] | None = None) -> Callable[[F], F]:
        """Register the handler of an event.

        With `loads`, the aggregate whose id is the event's key is loaded and locked with the whole micro-batch. A plain
        function `(aggregate, event[, cause])` gets it and returns the effects; a message whose aggregate does not exist
        yet waits. Without `loads` a plain function gets `(event[, cause])`. An async function gets
        `(unit of work, event)` and finds the loaded aggregate there without another query.
        """

        def register(function: F) -> F:
            if event in self._events:
                raise ValueError(f"{event.__name__} already has a handler")
            handler = _handler(function, loads)
            self._events[event] = handler
            return function

        return register

    def on_timer[F: Callable[..., Any]](
        self, name: str, *, loads: type[Any], prepare: Callable[..., Awaitable[Any]] | None = None
    ) -> Callable[[F], F]:
        """Register the handler of a timer: `(aggregate[, cause])`, or with prepare `(aggregate, prepared[, cause])`.

        `prepare(aggregate, cause, tools, sessions)` does slow work first and may raise NotYet to be called again later;
        its result is decided upon in one transaction, exactly once, even if another process prepared the same. An
        async handler gets the unit of work first and no cause.
        """

        def register(function: F) -> F:
            if name in self._timers:
                raise ValueError(f"the timer {name} already has a handler")
            self._timers[name] = TimerHandler(_handler(function, loads), loads, prepare)
            return function

        return register

    @property
    def events(self) -> Mapping[type[Event], Handler]:
        """The handler of each event."""
        return self._events

    @property
    def timers(self) -> Mapping[str, TimerHandler]:
        """The handler of each timer."""
        return self._timers

    @property
    def handled(self) -> Mapping[type[Event], Callable[..., Any]]:
        """The function that decides about each event."""
        return {event: handler.function for event, handler in self._events.items()}

    @property
    def topics(self) -> list[Topic]:
        """The topics on which these events may arrive."""
        return sorted({topic for event in self._events for topic in event.topics})


def _handler(function: Callable[..., Any], loads: type[Any] | None) -> Handler:
    takes = len(inspect.signature(function).parameters)
    return Handler(function, loads, takes, inspect.iscoroutinefunction(function))
