"""What the parts of the system use: processor time and memory of its processes, bytes of WAL and of Kafka's log."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
from local_stack import LocalStack

SERVICE = "services."


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

    def since(self, before: "Use") -> "Use":
        """What was used between two looks, and the memory at the second."""
        cpu = {part: seconds - before.cpu.get(part, 0.0) for part, seconds in self.cpu.items()}
        return Use(cpu, self.memory, self.wal - before.wal, self.kafka - before.kafka)


async def look(stack: LocalStack, load: psutil.Process) -> Use:
    """Look at all processes below the one that makes the load, and at the disk."""
    cpu, memory = Counter[str](), Counter[str]()
    for process in (load, *load.children(recursive=True)):
        try:
            part = "load" if process == load else _part(process)
            times = process.cpu_times()
            cpu[part] += times.user + times.system
            if process != load:
                # Without its children that still run; those that ended are nobody's but their parent's.
                cpu[part] += times.children_user + times.children_system
            memory[part] += process.memory_full_info().uss
        except psutil.NoSuchProcess:
            continue
    connection = await asyncpg.connect(stack.postgres_url("postgres"))
    try:
        wal = await connection.fetchval("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    finally:
        await connection.close()
    kafka = sum(each.stat().st_size for each in _segments(stack.folder))
    return Use(dict(cpu), dict(memory), int(wal), kafka)


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
    return "load"


def _segments(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*.log") if each.stem.isdigit()]
