"""How long batches take through all five services, and what an essay costs.

A teacher registers batches of a class of thirty, uploads thirty files to each in one request, and accepts the
suggestions as soon as asked. The clock runs from the first registration until the last batch is said to be ready.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from statistics import median
from typing import Self
from uuid import UUID

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer
from common_core.events.base import Topic
from common_core.status_enums import CourseCode
from scriptorium import environment
from scriptorium.client import Client, connected
from scriptorium.demonstration import FIRST_NAMES, LAST_NAMES, SENTENCES
from scriptorium.errors import CommandFailed
from scriptorium.system import Ports, System, running_system
from service_runtime.auth import Role

from benchmarks import costs, figures
from benchmarks.costs import LOAD, Use
from benchmarks.speed.pictures import lines

ESSAYS = 30
REQUESTS_AT_ONCE = 8
LOOK_SECONDS = 0.05
PATIENCE_SECONDS, FOR_EACH_BATCH = 300, 2
SETTLED_SECONDS = 30
"""After so long Java has compiled what it uses while idle."""
IDLE_SECONDS = 20
ASKED, READY = "StudentValidationRequestedV1", "BatchReadyForPipelineExecutionV1"
TOPICS = (Topic.CLASS_MANAGEMENT, Topic.BATCH_ORCHESTRATOR)

AT_ONCE = "Batches at once, from the first registration until the last is ready"
BYTES = "Bytes of an essay"
LAST_READY = "seconds until the last of them is ready"
THOUSAND = 1_000
TOGETHER = "together"

STATES = "SELECT status, count(*) FROM batches WHERE batch_id = ANY($1) GROUP BY status"
TIED = """
    SELECT count(*) FROM student_associations AS tied JOIN students USING (class_id, student_id)
    WHERE batch_id = ANY($1) AND original_file_name = first_name || ' ' || last_name || '.txt'
"""


class Listener:
    """Hears what is said about batches."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._heard: dict[tuple[str, str], asyncio.Event] = {}
        self.times = Counter[tuple[str, str]]()

    @classmethod
    @asynccontextmanager
    async def at(cls, brokers: str) -> AsyncIterator[Self]:
        """Listens while the block lasts."""
        async with AIOKafkaConsumer(*TOPICS, bootstrap_servers=brokers) as consumer:
            listener = cls(consumer)
            listening = asyncio.create_task(listener._listen())
            try:
                yield listener
            finally:
                listening.cancel()

    async def until(self, kind: str, batch_id: UUID) -> None:
        """Wait until this was said about the batch."""
        await self._event(kind, str(batch_id)).wait()

    async def _listen(self) -> None:
        async for record in self._consumer:
            kind, key = dict(record.headers)["ce_type"].decode(), (record.key or b"").decode()
            self.times[kind, key] += 1
            self._event(kind, key).set()

    def _event(self, kind: str, key: str) -> asyncio.Event:
        return self._heard.setdefault((kind, key), asyncio.Event())


class Term:
    """Batches of one class."""

    def __init__(self, client: Client, listener: Listener, class_id: UUID, files: Sequence[Path]) -> None:
        self._client = client
        self._listener = listener
        self._class_id = class_id
        self._files = files
        self._at_once = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def run(self, batches: int) -> list[UUID]:
        """Take so many batches to their end at once; their ids."""
        async with asyncio.timeout(PATIENCE_SECONDS + FOR_EACH_BATCH * batches):
            return await asyncio.gather(*(self._batch() for _ in range(batches)))

    async def _batch(self) -> UUID:
        async with self._at_once:
            batch_id = await self._client.register(CourseCode.ENG5, len(self._files), self._class_id)
            while await self._client.upload(batch_id, self._files) is None:
                await asyncio.sleep(LOOK_SECONDS)
        await self._listener.until(ASKED, batch_id)
        async with self._at_once:
            await self._client.confirm(batch_id, {})
        await self._listener.until(READY, batch_id)
        return batch_id


def write_class(folder: Path, size: int) -> tuple[bytes, list[Path]]:
    """A roster of so many students, and a file by each, named after them."""
    folder.mkdir()
    names = [f"{first} {last}" for first, last in product(FIRST_NAMES, LAST_NAMES)][:size]
    files = [folder / f"{name}.txt" for name in names]
    for file in files:
        file.write_text(f"{file.stem}\n\n" + "\n".join(SENTENCES * 5), encoding="utf-8")
    roster = "first_name,last_name\n" + "".join(name.replace(" ", ",") + "\n" for name in names)
    return roster.encode(), files


async def check(system: System, listener: Listener, batches: Sequence[UUID], essays: int) -> None:
    """Every batch is ready and was said to be so once, every essay is its student's; raises WrongData."""
    states = await _rows(system, "batch_orchestrator_service", STATES, batches)
    (tied,) = await _rows(system, "class_management_service", TIED, batches)
    said = {listener.times[READY, str(batch_id)] for batch_id in batches}
    wanted = ({"ready_for_pipeline_execution": len(batches)}, len(batches) * essays, {1})
    found = (dict(map(tuple, states)), tied["count"], said)
    if found != wanted:
        raise figures.WrongData(
            f"states, essays at their students, times said to be ready: {found} instead of {wanted}"
        )


async def _rows(system: System, database: str, query: str, batches: Sequence[UUID]) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(system.stack.postgres_url(database))
    try:
        return list(await connection.fetch(query, batches))
    finally:
        await connection.close()


class Benchmark:
    """The system, one teacher, and the tables."""

    def __init__(self, system: System, client: Client, listener: Listener, report: figures.Report) -> None:
        self._system = system
        self._client = client
        self._listener = listener
        self._report = report
        self._idle: Use
        self._seconds: list[tuple[float, float]] = []

    async def idle(self) -> None:
        """What the system costs that nobody uses."""
        await asyncio.sleep(SETTLED_SECONDS)
        before = await self._look()
        await asyncio.sleep(IDLE_SECONDS)
        self._idle = (await self._look()).since(before)
        parts = [part for part in sorted(self._idle.cpu) if part != LOAD]
        shares = {part: 100 * self._idle.cpu[part] / IDLE_SECONDS for part in parts}
        megabytes = {part: self._idle.memory[part] / 1e6 for part in parts}
        for part in parts:
            self._report.row("Idle", {"part": part, "% of a core": shares[part], "MB": megabytes[part]})
        together = {"% of a core": sum(shares.values()), "MB": sum(megabytes.values())}
        self._report.row("Idle", {"part": TOGETHER, **together})

    async def at_once(self, batches: int, essays: int, runs: int) -> Use:
        """So many batches at once, several times; what the last run used."""
        with tempfile.TemporaryDirectory() as folder:
            roster, files = write_class(Path(folder, "class"), essays)
            class_id, _ = await self._client.make_class(f"Class of {essays}", CourseCode.ENG5, roster)
            term = Term(self._client, self._listener, class_id, files)
            seconds = []
            for _ in range(runs):
                before, began = await self._look(), time.monotonic()
                done = await term.run(batches)
                seconds.append(time.monotonic() - began)
                used = (await self._look()).since(before)
                await check(self._system, self._listener, done, essays)
        rate = batches * essays / median(seconds)
        about = {"batches": batches, "essays each": essays}
        self._report.row(AT_ONCE, {**about, **figures.spread(seconds), "essays/s": rate})
        if essays == ESSAYS:
            self._seconds.append((batches, median(seconds)))
            title = f"Batches of {ESSAYS} at once"
            self._report.picture(lines(title, "batches", {LAST_READY: self._seconds}, log_x=True, log_y=True))
        return used

    async def costs(self, batches: int) -> None:
        """What each essay of so many batches costs."""
        async with costs.most_memory(psutil.Process()) as most:
            used = await self.at_once(batches, ESSAYS, 1)
        essays, idle = batches * ESSAYS, self._idle.memory
        found = {
            part: (1000 * used.cpu[part] / essays, idle.get(part, 0) / 1e6, most[part] / 1e6)
            for part in sorted(used.cpu)
        }
        cpu, at_rest, at_most = zip(*(each for part, each in found.items() if part != LOAD), strict=True)
        found[TOGETHER] = (sum(cpu), sum(at_rest), sum(at_most))
        for part, columns in found.items():
            row = {"part": part, **dict(zip(("ms of processor", "MB idle", "MB at most"), columns, strict=True))}
            self._report.row(f"What an essay costs, of {essays:,}", row)
        written = {"WAL": used.wal / essays, "Kafka": used.kafka / essays, "kept in databases": used.stored / essays}
        self._report.row(BYTES, written)

    async def _look(self) -> Use:
        return await costs.look(self._system.stack, psutil.Process())


async def run(system: System, runs: int, most: int, report: figures.Report) -> None:
    token = environment.issue(system.variables, "benchmark", [Role.TEACHER], 7200)
    async with (
        connected(system.variables, token) as client,
        Listener.at(system.stack.kafka_bootstrap_servers) as listener,
    ):
        benchmark = Benchmark(system, client, listener, report)
        await benchmark.idle()
        await benchmark.at_once(1, 100, runs)
        for batches in (10**power for power in range(4) if 10**power < most):
            await benchmark.at_once(batches, ESSAYS, runs)
        await benchmark.costs(most)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each part is run, but the largest once")
    parser.add_argument("--most", type=int, default=1000, help="the most batches at once")
    chosen = parser.parse_args()
    found = figures.Report("growth" if chosen.most >= THOUSAND else "end_to_end")
    try:
        with running_system(None, Ports.FREE, print) as running:
            asyncio.run(run(running, chosen.runs, chosen.most, found))
    except (figures.WrongData, CommandFailed, TimeoutError) as wrong:
        sys.exit(f"No figure of what comes after this: {wrong!r}")
    finally:
        found.finish()
