"""Fires timers that are due: plain ones in one transaction, prepared ones as jobs with a lease."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from common_core.errors import NotYet
from sqlalchemy.exc import SQLAlchemyError

from service_runtime import metrics, parked, timers, tracing
from service_runtime.database import is_lost_connection
from service_runtime.failpoints import failpoint
from service_runtime.handlers import Handlers, TimerHandler
from service_runtime.logging import log
from service_runtime.settings import RuntimeSettings
from service_runtime.signals import Signals
from service_runtime.timers import Timer
from service_runtime.unit_of_work import UnitOfWork, UnitsOfWork

TIMERS_AT_ONCE = 200
TIMERS_LOOKED_AT = 4 * TIMERS_AT_ONCE
"""Enough that four processes find work of their own."""


class AlarmClock:
    """Only the database's time decides what is due, so clocks of processes do not matter."""

    def __init__(
        self, units: UnitsOfWork, handlers: Handlers, settings: RuntimeSettings, tools: object, signals: Signals
    ) -> None:
        self._units = units
        self._handlers = handlers.timers
        self._settings = settings
        self._tools = tools
        self._wake = signals.timers
        self._plain = [name for name, each in self._handlers.items() if each.prepare is None]
        self._prepared = [name for name, each in self._handlers.items() if each.prepare is not None]
        self._jobs: dict[UUID, asyncio.Task[None]] = {}

    @property
    def has_jobs(self) -> bool:
        """Whether any of the service's timers is prepared outside a transaction."""
        return bool(self._prepared)

    async def seconds_to_next(self) -> float | None:
        """How long until a timer is due, by the database's time; None without timers."""
        async with self._units.reading() as session:
            seconds: float | None = await session.scalar(timers.NEXT)
        return seconds

    async def fire_due(self) -> bool:
        """Fire plain timers that are due; whether there were any."""
        if not self._plain:
            return False
        columns = {"names": self._plain, "most": TIMERS_AT_ONCE, "looked_at": TIMERS_LOOKED_AT}
        due: list[Timer] = []
        try:
            async with self._units.begin() as work:
                due += await work.session.execute(timers.DUE, columns)
                fired = await self._fire(work, due)
            _count(fired)
        except Exception as error:
            if is_lost_connection(error) or not due:
                raise
            for timer in due:
                await self._fire_alone(timer)
        return bool(due)

    async def _fire_alone(self, timer: Timer) -> None:
        try:
            async with self._units.begin() as work:
                fired = await self._fire(work, [timer])
            _count(fired)
        except Exception as error:
            if is_lost_connection(error):
                raise
            await self._postpone(timer, error)

    async def _fire(self, work: UnitOfWork, due: Sequence[Timer]) -> list[Timer]:
        if not due:
            return []
        for model in {self._handlers[timer.name].loads for timer in due}:
            await work.load(model, [each.aggregate_id for each in due if self._handlers[each.name].loads is model])
        taken = await self._take(work, [timer.setting_id for timer in due])
        failpoint("timers.after_take")
        fired = [timer for timer in due if timer.setting_id in taken]
        for timer in fired:
            await self._decide(work, timer)
        return fired

    async def start_jobs(self) -> bool:
        """Lease as many prepared timers as there is room for, and start them; whether there were any."""
        room = self._settings.jobs_at_once - len(self._jobs)
        if not self._prepared or room <= 0:
            return False
        columns = {"names": self._prepared, "most": room, "lease": self._settings.job_lease_seconds}
        async with self._units.sessions.begin() as session:
            leased = list(await session.execute(timers.LEASE, columns))
        # Not those whose lease ran out while we are at work on them: they are ours again.
        ours = [timer for timer in leased if timer.setting_id not in self._jobs]
        self._jobs |= {timer.setting_id: asyncio.create_task(self._run_job(timer)) for timer in ours}
        return bool(ours)

    async def keep_leases(self) -> None:
        """Renew the leases of jobs that are still at work."""
        if self._jobs:
            columns = {"setting_ids": list(self._jobs), "lease": self._settings.job_lease_seconds}
            async with self._units.sessions.begin() as session:
                await session.execute(timers.KEEP, columns)

    async def stop(self) -> None:
        """End the jobs at work and give their leases back: another process, or this one after its restart, goes on."""
        jobs = dict(self._jobs)
        for job in jobs.values():
            job.cancel()
        await asyncio.gather(*jobs.values(), return_exceptions=True)
        if jobs:
            with contextlib.suppress(SQLAlchemyError, OSError):
                async with asyncio.timeout(1), self._units.sessions.begin() as session:
                    await session.execute(timers.KEEP, {"setting_ids": list(jobs), "lease": 0})

    async def _run_job(self, timer: Timer) -> None:
        try:
            await self._prepare_and_decide(timer, self._handlers[timer.name])
        except Exception as error:
            await self._postpone(timer, error)
        finally:
            self._jobs.pop(timer.setting_id, None)
            self._wake.set()

    async def _prepare_and_decide(self, timer: Timer, timer_handler: TimerHandler) -> None:
        model, prepare = timer_handler.loads, timer_handler.prepare
        if prepare is None:
            raise TypeError(f"the timer {timer.name} has nothing to prepare")
        async with self._units.reading() as session:
            aggregate = await session.get(model, timer.aggregate_id)
        if aggregate is None:
            prepared = None
        else:
            arguments = (aggregate, timers.cause_of(timer), self._tools, self._units.reading)
            with _span("prepare", timer), metrics.JOB_SECONDS.labels(timer.name).time():
                prepared = await prepare(*arguments[: timer_handler.prepare_takes])
        failpoint("timers.after_prepare")
        async with self._units.begin() as work:
            await work.load(model, [timer.aggregate_id])
            taken = await self._take(work, [timer.setting_id])
            if taken and aggregate is not None:
                await self._decide(work, timer, prepared)
        if taken:  # Not how late: the lease has moved its time.
            metrics.TIMERS_FIRED.labels(timer.name).inc()

    async def _take(self, work: UnitOfWork, setting_ids: list[UUID]) -> set[UUID]:
        return set(await work.session.scalars(timers.TAKE, {"setting_ids": setting_ids}))

    async def _decide(self, work: UnitOfWork, timer: Timer, *prepared: object) -> None:
        timer_handler = self._handlers[timer.name]
        handler = timer_handler.handler
        aggregate: Any = work.loaded(timer_handler.loads, timer.aggregate_id)
        if aggregate is None:
            return
        with _span("timer", timer) as span, metrics.HANDLER_SECONDS.labels(timer.name).time():
            work.cause = timers.cause_of(timer).within(span.traceparent)
            if handler.needs_work:
                effects = await handler.call(work, aggregate, *prepared)
            else:
                effects = handler.call(aggregate, *prepared, work.cause)
            work.publish(effects)

    async def _postpone(self, timer: Timer, error: Exception) -> None:
        delay = parked.backoff(timer.attempts + 1, self._settings)
        context = {**_about(timer), "timer": timer.name, "next_attempt_seconds": delay}
        if isinstance(error, NotYet):
            log.info("timer_waits", error=str(error), **context)
        else:
            metrics.TIMERS_FAILED.labels(timer.name).inc()
            log.warning("timer_failed", attempts=timer.attempts + 1, exc_info=error, **context)
        try:
            async with self._units.sessions.begin() as session:
                columns = {"setting_id": timer.setting_id, "delay": delay, "error": parked.told(error)}
                await session.execute(timers.POSTPONE, columns)
        except (SQLAlchemyError, OSError) as lost:
            log.warning("database_unreachable", error=repr(lost), **context)


def _count(fired: Sequence[Timer]) -> None:
    for timer in fired:
        metrics.TIMERS_FIRED.labels(timer.name).inc()
        metrics.TIMERS_LATE.labels(timer.name).observe((timer.at - timer.due_at).total_seconds())


def _span(what: str, timer: Timer) -> tracing.Span:
    return tracing.span(f"{what} {timer.name}", timer.traceparent, _about(timer))


def _about(timer: Timer) -> dict[str, str]:
    return {"aggregate_id": str(timer.aggregate_id), "correlation_id": timer.correlation_id}
