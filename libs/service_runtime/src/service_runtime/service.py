"""A service: its handlers and routes, run with a consumer, a relay, timers and retries in one process."""

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import APIRouter, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from uuid_utils.compat import uuid7

from service_runtime import dead_letters, gauges, health, idempotency, inbox, lag, logging, ops, tracing
from service_runtime.alarm_clock import AlarmClock
from service_runtime.auth import Tokens
from service_runtime.consumer import Consumer
from service_runtime.database import create_engine, is_lost_connection
from service_runtime.delivery import Delivery
from service_runtime.gauges import Gauges
from service_runtime.handlers import Cause, Handlers
from service_runtime.http import create_app
from service_runtime.logging import log
from service_runtime.rate_limit import RateLimit
from service_runtime.relay import Relay
from service_runtime.retries import Retries
from service_runtime.server import Server
from service_runtime.settings import RuntimeSettings, load_settings
from service_runtime.signals import Signals, wait
from service_runtime.unit_of_work import UnitOfWork, UnitsOfWork, database_time

HOUSEKEEPING_SECONDS = 60.0
QUIET_POLLS = 3
"""Timers and parked messages are looked at so much more seldom while none is due: the net under a process that died
before it could do what it had been woken for, since whoever sets one wakes its own process.
"""
STOP_SECONDS = 2.5
"""For the micro-batch at hand; what is not done then is rolled back and comes again. With three seconds each for
requests at hand and for leaving the group, a process ends within ten.
"""
OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""All that a micro-batch makes lives until its commit, and Python's default looks through it every 2,000 objects: a
sixth of a message's processor time.
"""

type Housekeeping = Callable[[UnitOfWork, Any], Awaitable[None]]
type Tools = Callable[[Any], AbstractAsyncContextManager[object]]


@asynccontextmanager
async def no_tools(_: RuntimeSettings) -> AsyncIterator[None]:
    """For a service whose timers prepare nothing."""
    yield None


@dataclass(frozen=True)
class Service:
    """What a service is made of; `tools` are what its timers' prepare steps work with, open while it runs."""

    name: str
    handlers: Handlers
    router: APIRouter
    settings: type[RuntimeSettings] = RuntimeSettings
    tools: Tools = no_tools
    operator_router: APIRouter | None = None
    """What this service alone offers operators, beside what every service does."""
    gauges: Gauges | None = None
    """What this service alone shows at `/metrics`."""
    housekeeping: Housekeeping | None = None
    """What this service alone does about what has become old, each minute in one transaction."""

    def run(self) -> None:
        """Run until SIGTERM or SIGINT, then finish what is at hand and stop."""
        settings = load_settings(self.settings)
        # uvicorn stops gracefully and then raises the signal again: that end is a good one.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        logging.configure(self.name, settings.log_level)
        tracing.configure(self.name)
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        try:
            app = self.app(settings)
            gc.freeze()  # What is there from the start stays.
            config = uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=3,
            )
            server = Server(config, app.state.stopping.set)
            with suppress(KeyboardInterrupt):
                server.run()
            if not server.started:
                sys.exit(3)
        finally:
            tracing.finish()

    def app(self, settings: RuntimeSettings) -> FastAPI:
        """The HTTP application; consumer, relay, timers and retries live as long as it does."""

        @asynccontextmanager
        async def lifespan(app: FastAPI) -> AsyncIterator[None]:
            async with self.tools(settings) as tools, Runtime(self, settings, tools) as runtime:
                app.state.units, app.state.settings, app.state.runtime = runtime.units, settings, runtime
                app.state.tokens, app.state.rate_limit = Tokens(settings), RateLimit(settings.requests_per_minute)
                yield

        app = create_app(self.name, self.router, lifespan)
        app.state.stopping = asyncio.Event()
        app.include_router(ops.routes)
        app.include_router(lag.routes)
        if self.operator_router:
            app.include_router(self.operator_router)
        app.include_router(health.router)
        return app


class Runtime:
    """Everything of one process that runs beside HTTP."""

    def __init__(self, service: Service, settings: RuntimeSettings, tools: object) -> None:
        self.settings = settings
        self.service_name = service.name
        self._housekeeping = service.housekeeping
        self.engine: AsyncEngine = create_engine(settings.database_url, service.name, settings.transaction_seconds)
        self.signals = Signals(self.engine)
        sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.units = UnitsOfWork(sessions, self.signals, settings.topic_prefix)
        self.types = {event.__name__: event for event in service.handlers.events}
        delivery = Delivery(self.units, service.handlers, settings)
        topics = [settings.topic_prefix + topic for topic in service.handlers.topics]
        self.consumer = Consumer(service.name, topics, delivery, settings)
        self.relay = Relay(f"/{service.name}", settings, self.signals)
        self.retries = Retries(delivery)
        self.clock = AlarmClock(self.units, service.handlers, settings, tools, self.signals)
        self._gauges = [gauges.of_runtime(service.handlers.timers), *filter(None, [service.gauges])]
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> "Runtime":
        loops = {
            "consumer": self.consumer.run(),
            "relay": self.relay.run(),
            "signals": self._tell_others(),
            "timers": self._when_due(self._fire_timers, self.clock.seconds_to_next, self.signals.timers),
            "retries": self._when_due(self.retries.run_once, self.retries.seconds_to_next, self.signals.parked),
            "housekeeping": self._every(HOUSEKEEPING_SECONDS, self._clean_up),
        }
        if self.clock.has_jobs:
            loops["leases"] = self._every(self.settings.job_lease_seconds / 3, self.clock.keep_leases)
        self._tasks = {name: asyncio.create_task(loop, name=name) for name, loop in loops.items()}
        return self

    async def __aexit__(self, *_: object) -> None:
        self.consumer.stop()
        await asyncio.wait([self._tasks["consumer"]], timeout=STOP_SECONDS)
        await self.clock.stop()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await self.engine.dispose()

    def problems(self) -> dict[str, str]:
        """What keeps this process from working, by part; empty when all is well."""
        found = {"consumer": self.consumer.problem, "relay": self.relay.problem}
        found |= {name: "stopped" for name, task in self._tasks.items() if task.done()}
        return {name: problem for name, problem in found.items() if problem}

    async def measure(self) -> None:
        """Bring the gauges of `/metrics` up to date."""
        await gauges.measure(self.units, self.consumer, self._gauges)

    async def _when_due(
        self,
        step: Callable[[], Awaitable[bool]],
        seconds_to_next: Callable[[], Awaitable[float | None]],
        wake: asyncio.Event,
    ) -> None:
        """Call `step` while something is due; else wait for the next due time, a wake-up or the poll interval."""
        poll = self.settings.poll_seconds
        while True:
            wake.clear()
            pause = poll
            async with self._survive(step.__name__):
                next_due = await seconds_to_next()
                if next_due is not None and next_due <= 0:
                    # What another process is at is looked at again soon: it may die.
                    if await step():
                        continue
                else:
                    pause = QUIET_POLLS * poll if next_due is None else min(next_due, QUIET_POLLS * poll)
            await wait(wake, pause)

    async def _tell_others(self) -> None:
        while True:
            async with self._survive("signals"):
                await self.signals.tell()

    async def _every(self, seconds: float, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            async with self._survive(step.__name__):
                await step()

    @asynccontextmanager
    async def _survive(self, name: str) -> AsyncIterator[None]:
        """An error ends one round of a loop, never the loop."""
        try:
            yield
        except Exception as error:
            if is_lost_connection(error):
                log.warning("database_unreachable", loop=name, error=repr(error))
            else:
                log.exception("loop_failed", loop=name)
            await asyncio.sleep(1.0)

    async def _fire_timers(self) -> bool:
        fired = await self.clock.fire_due()
        return await self.clock.start_jobs() or fired

    async def _clean_up(self) -> None:
        await inbox.forget(self.units.sessions, self.settings.inbox_days)
        async with self.units.sessions.begin() as session:
            await dead_letters.forget_bytes(session, self.settings.replaced_bytes_days)
            await session.execute(idempotency.FORGET)
        if self._housekeeping:
            async with self.units.begin() as work:
                work.cause = Cause(None, str(uuid7()), None, await database_time(work.session))
                await self._housekeeping(work, self.settings)
