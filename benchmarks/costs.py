"""What the parts of the system use: processor time and memory of its processes, bytes that are written and kept."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from local_stack import LocalStack

SERVICE = "services."
LOAD = "this load"
LOOK_SECONDS = 2.0
STORED = "SELECT sum(pg_database_size(oid)) FROM pg_database"


@dataclass(frozen=True, slots=True)
class Use:
    """What was used since the start, and the memory now."""

    cpu: Mapping[str, float]
    """Seconds of processor time by part; what ended before is counted with its parent."""
    memory: Mapping[str, int]
    """Bytes of unique memory (USS) by part; what PostgreSQL's processes share is not in it."""
    wal: int
    """Bytes written to the write-ahead log."""
    kafka: int
    """Bytes in the log segments of all topics, also Kafka's own."""
    stored: int
    """Bytes of all databases, with indexes and what is not vacuumed yet."""

    def since(self, before: "Use") -> "Use":
        """What was used between two looks, and the memory at the second."""
        cpu = {part: seconds - before.cpu.get(part, 0.0) for part, seconds in self.cpu.items()}
        written = (self.wal - before.wal, self.kafka - before.kafka, self.stored - before.stored)
        return Use(cpu, self.memory, *written)


async def look(stack: LocalStack, load: psutil.Process) -> Use:
    """Look at all processes below the one that makes the load, and at the disk."""
    cpu = Counter[str]()
    for part, process in _processes(load):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        cpu[part] += times.user + times.system
        if process != load:
            # Without its children that still run; those that ended are nobody's but their parent's.
            cpu[part] += times.children_user + times.children_system
    connection = await asyncpg.connect(stack.postgres_url("postgres"))
    try:
        wal = await connection.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        stored = await connection.fetchval(STORED)
    finally:
        await connection.close()
    kafka = sum(each.stat().st_size for each in _segments(stack.folder))
    return Use(dict(cpu), memory(load), int(wal), kafka, int(stored))


def memory(load: psutil.Process) -> Mapping[str, int]:
    """Bytes of unique memory by part, now."""
    found = Counter[str]()
    for part, process in _processes(load):
        try:
            found[part] += process.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    return found


@asynccontextmanager
async def most_memory(load: psutil.Process) -> AsyncIterator[Counter[str]]:
    """The most that each part has while the block lasts, looked at every `LOOK_SECONDS`."""
    most = Counter[str]()

    async def watch() -> None:
        while True:
            most.update({part: max(found - most[part], 0) for part, found in memory(load).items()})
            await asyncio.sleep(LOOK_SECONDS)

    watching = asyncio.create_task(watch())
    try:
        yield most
    finally:
        watching.cancel()


def _processes(load: psutil.Process) -> Iterator[tuple[str, psutil.Process]]:
    yield LOAD, load
    for process in load.children(recursive=True):
        try:
            yield _part(process), process
        except psutil.NoSuchProcess:
            continue


def _part(process: psutil.Process) -> str:
    """Whose process it is, by the command lines of itself and of those above it."""
    for each in (process, *process.parents()):
        words = each.cmdline()
        named = [word.removeprefix(SERVICE) for word in words if word.startswith(SERVICE)]
        if named:
            return str(named[0])
        program = Path(words[0]).name if words else ""
        if program == "java":
            return "kafka"
        if program.startswith("postgres"):
            return "postgresql"
    return LOAD


def _segments(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*.log") if each.stem.isdigit()]
