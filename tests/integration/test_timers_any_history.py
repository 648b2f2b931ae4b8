"""Timers after anything that can happen to them, on a real PostgreSQL, beside a simple model.

Two processes set, cancel, look, fire and work late; transactions roll back and connections break. A setting fires at
most once, never before its time, never after another setting or a cancelling was committed, and in the end it fires.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from service_runtime import CancelTimer, RuntimeSettings, SetTimer, alarm_clock, timers, unit_of_work
from service_runtime.alarm_clock import AlarmClock
from service_runtime.service import Runtime
from service_runtime.testing import a_cause
from service_runtime.unit_of_work import database_time
from sqlalchemy import text

from tests.exhaustive import examples
from tests.integration.notebook import TABLES, Page, Press, service, trouble
from tests.integration.world import World

RING, PRINT = "ring", "print"
FAR = timedelta(hours=10)
# What is postponed or leased stays so until the test lets the time pass.
LONG = {"retry_first_seconds": 7200.0, "retry_most_seconds": 7200.0, "job_lease_seconds": 7200.0, "jobs_at_once": 50}

type Timer = tuple[str, int]
"""A name and the number of a page."""
type Change = tuple[Timer, str]
"""now, later, now_unless_set, or cancel."""

TIMERS = st.tuples(st.sampled_from([RING, RING, PRINT]), st.integers(0, 1))
WORDS = st.lists(st.sampled_from(["now", "later", "now_unless_set", "cancel"]), min_size=1, max_size=3)
# Often about the same timer: what one transaction says of it must mean what several would.
CHANGES = st.lists(st.tuples(TIMERS, WORDS), min_size=1, max_size=2).map(
    lambda each: [(timer, word) for timer, words in each for word in words]
)


@dataclass
class Setting:
    """What the model knows of a timer that is set; one setting is not another of the same timer."""

    event_id: str | None
    due: bool


@dataclass
class Process:
    """One process of the notebook without its loops: the test says when it looks."""

    runtime: Runtime
    press: Press
    jobs: list[tuple[Timer, Setting]] = field(default_factory=list)
    """What the model thinks it is at work on."""

    @property
    def clock(self) -> AlarmClock:
        return self.runtime.clock


@dataclass
class Stage:
    """Two processes on one database, and the event loop they run in."""

    runner: asyncio.Runner
    processes: list[Process]

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def sql(self, statement: str, **parameters: object) -> Any:
        async with self.processes[0].runtime.engine.begin() as connection:
            result = await connection.execute(text(statement), parameters)
            return result.all() if result.returns_rows else []


class RolledBack(Exception):
    """Ends a transaction without a commit."""


class AnyHistory(RuleBasedStateMachine):
    """Sets, cancels and fires; after each step the tables and the model agree."""

    looks = Bundle("looks")

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.set: dict[Timer, Setting] = {}
        self.lines: list[list[str]] = [[], []]
        self.causes: list[list[str | None]] = [[], []]

    @initialize()
    def open_pages(self) -> None:
        self.pages = [uuid4(), uuid4()]
        self.stage.run(self._open_pages())

    async def _open_pages(self) -> None:
        for table in ("timers", "outbox"):
            await self.stage.sql(f"DELETE FROM {table}")  # noqa: S608  # our own names
        async with self.stage.processes[0].runtime.units.begin() as work:
            for page_id in self.pages:
                work.add(Page(page_id=page_id))

    @rule(changes=CHANGES, commits=st.sampled_from([True, True, True, False]))
    def change(self, changes: list[Change], commits: bool) -> None:
        event_id = self.stage.run(self._change(changes, commits))
        for timer, what in changes if commits else []:
            if what == "cancel":
                self.set.pop(timer, None)
            elif what != "now_unless_set" or timer not in self.set:
                self.set[timer] = Setting(event_id, what != "later")

    async def _change(self, changes: list[Change], commits: bool) -> str | None:
        cause = a_cause()
        with suppress(RolledBack):
            async with self.stage.processes[0].runtime.units.begin() as work:
                work.cause = cause
                await work.load(Page, self.pages)
                now = await database_time(work.session)
                for (name, page), what in changes:
                    due_at = now + (FAR if what == "later" else -FAR)
                    setting = SetTimer(name, self.pages[page], due_at, unless_set=what == "now_unless_set")
                    work.publish([CancelTimer(name, self.pages[page]) if what == "cancel" else setting])
                if not commits:
                    await work.save()
                    raise RolledBack
        return cause.event_id

    @rule()
    def time_passes(self) -> None:
        """Everything that is set becomes due: also what was postponed, and what was leased."""
        self.stage.run(self.stage.sql("UPDATE timers SET due_at = now() - interval '1 h' WHERE due_at > now()"))
        for setting in self.set.values():
            setting.due = True

    @rule(processes=st.sampled_from([[0], [1], [0, 1]]))
    def fire(self, processes: list[int]) -> None:
        """One process looks, or both at the same time."""
        self.stage.run(self._fire(processes))
        for page in (0, 1):
            self.rings(page)

    async def _fire(self, processes: list[int]) -> None:
        await asyncio.gather(*[self.stage.processes[each].clock.fire_due() for each in processes])

    @rule(module=st.sampled_from([alarm_clock, unit_of_work]))
    def fire_and_lose_the_connection(self, module: Any) -> None:
        def lose(_place: str) -> None:
            raise ConnectionResetError("the database went away")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "failpoint", lose)
            if any(name == RING and setting.due for (name, _), setting in self.set.items()):
                with pytest.raises(ConnectionResetError):
                    self.stage.run(self._fire([0]))

    @rule()
    def fire_with_a_bug(self) -> None:
        trouble[RING] = RuntimeError("our fault")
        self.stage.run(self._fire([0]))
        trouble.clear()
        for (name, _), setting in self.set.items():
            setting.due &= name != RING

    @rule(target=looks)
    def look(self) -> tuple[list[Any], dict[int, Setting]]:
        """A process sees what is due, and then is slow."""
        due = {page: setting for (name, page), setting in self.set.items() if name == RING and setting.due}
        return self.stage.run(self._due()), due

    async def _due(self) -> list[Any]:
        async with self.stage.processes[1].runtime.units.reading() as session:
            return list(await session.execute(timers.DUE, {"names": [RING], "most": 10, "looked_at": 10}))

    @rule(seen=looks)
    def fire_late(self, seen: tuple[list[Any], dict[int, Setting]]) -> None:
        rows, due = seen
        self.stage.run(self._fire_late(rows))
        for page, setting in due.items():
            # Also where another process has failed meanwhile: its pause is no time that anybody has set.
            if self.set.get((RING, page)) is setting:
                self.goes_off((RING, page), f"rang because of {setting.event_id}")

    async def _fire_late(self, rows: list[Any]) -> None:
        slow = self.stage.processes[1]
        async with slow.runtime.units.begin() as work:
            await slow.clock._fire(work, rows)

    @rule(which=st.integers(0, 1))
    def begin_jobs(self, which: int) -> None:
        process = self.stage.processes[which]
        self.stage.run(process.clock.start_jobs())
        for (name, page), setting in self.set.items():
            if name == PRINT and setting.due:
                setting.due = False
                if not any(each is setting for _, each in process.jobs):
                    process.jobs.append(((name, page), setting))

    @rule(which=st.integers(0, 1))
    def keep_leases(self, which: int) -> None:
        process = self.stage.processes[which]
        self.stage.run(process.clock.keep_leases())
        for _, setting in process.jobs:
            setting.due = False

    @rule(which=st.integers(0, 1))
    def end_jobs(self, which: int) -> None:
        process = self.stage.processes[which]
        self.stage.run(self._end_jobs(process))
        for timer, setting in process.jobs:
            if self.set.get(timer) is setting:
                self.goes_off(timer, f"printed by {process.press.name}")
        process.jobs.clear()

    async def _end_jobs(self, process: Process) -> None:
        process.press.may_go_on.set()
        await asyncio.gather(*process.clock._jobs.values())
        process.press.may_go_on.clear()

    def rings(self, page: int) -> None:
        setting = self.set.get((RING, page))
        if setting and setting.due:
            self.goes_off((RING, page), f"rang because of {setting.event_id}")

    def goes_off(self, timer: Timer, line: str) -> None:
        self.lines[timer[1]].append(line)
        self.causes[timer[1]].append(self.set.pop(timer).event_id)

    @invariant()
    def each_setting_fired_once_and_because_of_who_set_it(self) -> None:
        assert self.stage.run(self._told()) == (self.lines, self.causes)

    async def _told(self) -> tuple[list[list[str]], list[list[str | None]]]:
        pages = dict(await self.stage.sql("SELECT page_id, lines FROM pages WHERE page_id = ANY(:ids)", ids=self.pages))
        said = await self.stage.sql("SELECT key, causation_id FROM outbox ORDER BY position")
        return [list(pages[each]) for each in self.pages], [
            [cause for key, cause in said if UUID(key) == each] for each in self.pages
        ]

    @invariant()
    def what_is_set_is_what_was_committed_last(self) -> None:
        rows = self.stage.run(self.stage.sql("SELECT *, due_at <= now() AS due FROM timers"))
        found = {(row.name, self.pages.index(row.aggregate_id)): Setting(row.event_id, row.due) for row in rows}
        assert found == self.set

    def teardown(self) -> None:
        """In the end all that is set fires, once."""
        for which in (0, 1):
            self.end_jobs(which)
        for _ in range(2):
            self.time_passes()
            self.fire([0, 1])
            self.begin_jobs(0)
            self.end_jobs(0)
            self.each_setting_fired_once_and_because_of_who_set_it()
            self.what_is_set_is_what_was_committed_last()
        assert self.set == {}


@pytest.fixture
async def settings(world: World) -> RuntimeSettings:
    database = await world.database(service, TABLES)
    return world.settings(database_url=database.url, **LONG)


async def a_process(settings: RuntimeSettings, name: str) -> Process:
    press = Press(name)
    return Process(Runtime(service, settings, press), press)


async def test_timers_do_what_was_committed_last_whatever_happens(settings: RuntimeSettings) -> None:
    # Hypothesis does not wait for anything, so it runs in a thread: the world's clients of Kafka need this loop.
    await asyncio.to_thread(anything_happens, settings)


def anything_happens(settings: RuntimeSettings) -> None:
    with asyncio.Runner() as runner:
        stage = Stage(runner, [runner.run(a_process(settings, name)) for name in ("one", "two")])
        try:
            run_state_machine_as_test(lambda: AnyHistory(stage), settings=examples(20, 2_000, steps=30))
        finally:
            for process in stage.processes:
                runner.run(process.runtime.engine.dispose())
