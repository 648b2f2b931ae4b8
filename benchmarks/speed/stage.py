"""Where a run takes place: a world with the settings of production, a gate that all start behind, and its clock."""

import asyncio
import logging
import os
import sys
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any, Protocol
from uuid import uuid4

import asyncpg
import psutil
from aiokafka import AIOKafkaProducer
from common_core.events import Event, Topic
from local_stack import ChildProcess, LocalStack
from service_runtime import RuntimeSettings
from service_runtime.relay import partition_of
from service_runtime.testing import binary, wait_until

from benchmarks import figures
from benchmarks.comparison.contestants import ROOT, THEIRS
from tests.integration.world import SHORT, Database, RealParts, World

PRODUCTION: dict[str, Any] = {
    **{name: RuntimeSettings.model_fields[name].default for name in SHORT},
    "log_level": "WARNING",
}
"""The defaults of a service; only that a line per micro-batch is not written to the log."""
PATIENCE = 180.0
LOOK_SECONDS = 0.1
WAITING = """
    SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE NOT granted AND relation = $1::regclass AND position($2 IN query) > 0
"""


@asynccontextmanager
async def servers() -> AsyncIterator[RealParts]:
    """Kafka and PostgreSQL of the local stack; PostgreSQL remembers when each transaction was committed."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with LocalStack() as stack:
        parts = RealParts(stack)
        await parts.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        await asyncio.to_thread(stack.postgres.restart)
        yield parts


@asynccontextmanager
async def stage(parts: RealParts) -> AsyncIterator[World]:
    """One run's own topics, databases and processes."""
    async with World.opened(parts, **PRODUCTION) as world:
        yield world


async def start(world: World, service: Any, module: str, number: int = 0, **changes: Any) -> ChildProcess:
    """A service as a process of its own."""
    return await world.process(service, module, instance_id=f"{service.name}-{number}", **changes)


def start_program(ends: AsyncExitStack, name: str, **variables: str) -> ChildProcess:
    """One of `programs`, with the libraries of `make compare` and ours; killed at the end of the block."""
    libraries = [str(each) for each in sorted(ROOT.glob("libs/*/src"))]
    path = os.pathsep.join([*libraries, sysconfig.get_paths()["purelib"]])
    environment = {**os.environ, "PYTHONPATH": path, **variables}
    command = [str(THEIRS), "-m", f"benchmarks.speed.programs.{name}"]
    process = ChildProcess(name, command, figures.FOLDER / f"{name}.log", env=environment, cwd=ROOT)
    ends.callback(process.kill)
    return process.start()


@asynccontextmanager
async def session(url: str, *statements: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection that has run these statements and is open until the end of the block."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
        yield connection
    finally:
        connection.terminate()


@dataclass(frozen=True)
class Run:
    """What one run came to."""

    per_second: float
    microseconds: float
    """Processor time of the measured processes for each message; the machine's mood is hardly in it."""


def median_rate(runs: Sequence[Run]) -> float:
    """What was done a second in the middle one of several runs."""
    return median(run.per_second for run in runs)


def spread(runs: Sequence[Run]) -> dict[str, object]:
    """The rates of several runs, and the median of their processor time."""
    return {**figures.rates([run.per_second for run in runs]), "us of processor": median(r.microseconds for r in runs)}


def cpu_seconds(processes: Iterable[ChildProcess]) -> float:
    """Processor time that these have used since they were started."""
    times = [psutil.Process(process.pid).cpu_times() for process in processes]
    return float(sum(each.user + each.system for each in times))


class Gate:
    """Keeps a table locked until all who shall start at the same time wait for it."""

    def __init__(self, database: Database, table: str, waits_with: str) -> None:
        self._database = database
        self._table = table
        self._waits_with = waits_with
        """What stands in the statement that is to wait."""

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Nobody passes within the block."""
        async with session(self._database.url, "BEGIN", f"LOCK TABLE {self._table} IN ACCESS EXCLUSIVE MODE"):
            yield

    async def crowded(self, process: ChildProcess, by: int) -> None:
        """Wait until so many sessions are at the gate; the process tells what is wrong if they never are."""

        async def waiting() -> bool:
            assert process.running, process.tail()
            (row,) = await self._database.fetch(WAITING, self._table, self._waits_with)
            return bool(row["count"] >= by)

        await wait_until(waiting, PATIENCE)


async def now(database: Database) -> datetime:
    """The time by which commits are dated."""
    (row,) = await database.fetch("SELECT clock_timestamp() AS now")
    at: datetime = row["now"]
    return at


async def until(database: Database, query: str, wanted: int, pause: float = LOOK_SECONDS) -> None:
    """Wait until the query says so; it is asked rarely, since asking takes its share of the machine."""

    async def there() -> bool:
        await asyncio.sleep(pause)
        (row,) = await database.fetch(query)
        return bool(row[0] == wanted)

    await wait_until(there, PATIENCE)


@asynccontextmanager
async def producer(world: World) -> AsyncIterator[AIOKafkaProducer]:
    """Places keys as our relay does."""
    servers = world.stack.kafka_bootstrap_servers
    async with AIOKafkaProducer(
        bootstrap_servers=servers, acks="all", max_batch_size=262_144, partitioner=partition_of
    ) as client:
        yield client


def topic_of(world: World, topic: str) -> str:
    """The name of a topic on this stage."""
    return world.settings(database_url="postgresql://nowhere/none").topic_prefix + topic


async def produce(world: World, events: Iterable[Event]) -> None:
    """Put events into their topics, as if their services had said them."""
    topics = {topic: topic_of(world, topic) for topic in Topic}
    async with producer(world) as client:
        sent = [
            await client.send(
                topics[event.topic],
                event.model_dump_json().encode(),
                key=str(event.key).encode(),
                headers=binary(event, str(uuid4())),
            )
            for event in events
        ]
        await asyncio.gather(*sent)


class Named(Protocol):
    """One of those that are compared."""

    @property
    def name(self) -> str: ...


async def rounds[V: Named](
    variants: Sequence[V], runs: int, one_run: Callable[[V], Awaitable[Run]]
) -> tuple[dict[V, list[Run]], list[str]]:
    """All, each so often, every other round in the opposite order; and what went wrong instead."""
    found: dict[V, list[Run]] = {each: [] for each in variants}
    failed = []
    for number in range(runs):
        for each in list(found) if number % 2 else reversed(list(found)):
            try:
                run = await one_run(each)
            except (figures.WrongData, AssertionError) as wrong:
                failed.append(f"{each.name}: {wrong}")
                del found[each]
                print(failed[-1], file=sys.stderr, flush=True)
            else:
                found[each].append(run)
                said = f"{each.name}: {run.per_second:,.0f}/s, {run.microseconds:,.0f} us of processor"
                print(said, file=sys.stderr, flush=True)
    return found, failed
