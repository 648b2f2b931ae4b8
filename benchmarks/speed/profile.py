"""Where the time of a message goes: py-spy looks at the consumer at full load; a table by part, and a flame graph.

py-spy needs the right to look into another process: root, or `kernel.yama.ptrace_scope=0`.
"""

import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from benchmarks import figures
from benchmarks.comparison.contestants import ROOT
from benchmarks.speed.consumer import CLAIMS, NOBODY_PUBLISHES, OURS, start_and_meet
from benchmarks.speed.flames import Stacks, flames
from benchmarks.speed.stage import Gate, produce, servers, session, stage, until

PY_SPY = ROOT / ".cache" / "py-spy" / "bin" / "py-spy"
MESSAGES, SAMPLES_A_SECOND = 40_000, 200
TABLE = "Where the time of the consumer goes"
PARTS = (
    ("waiting for PostgreSQL and Kafka", ("EpollSelector.select",)),
    ("decoding the record", ("service_runtime/messages.py", "service_runtime/cloudevents.py")),
    ("deciding: the handler and its state machine", ("services/",)),
    ("aggregates: rows to objects", ("sqlalchemy/orm/loading.py", "_jsonb_decoder", "process_result_value")),
    ("aggregates: objects to rows", ("Session._flush", "sqlalchemy/orm/unitofwork.py", "process_bind_param")),
    ("inbox and outbox rows", ("service_runtime/inbox.py", "service_runtime/outbox.py", "UnitOfWork.publish")),
    ("Kafka: fetching, offsets", ("aiokafka/",)),
    ("SQL: SQLAlchemy and asyncpg", ("sqlalchemy/", "asyncpg/")),
    ("the rest of the runtime", ("service_runtime/",)),
)
"""What stands in a frame of the stack; the first that fits counts. What fits none is the event loop."""
LOOP = ("<module>", "Service.run ", "uvicorn/", "asyncio/", "contextlib.py")


@contextmanager
def watched(pid: int, file: Path) -> Iterator[None]:
    """Writes the stacks of a process that was at work within the block, with how often each was seen."""
    command: list[str | Path] = [PY_SPY, "record", "--pid", str(pid), "--format", "raw", "--output", file, "--function"]
    command += ["--rate", str(SAMPLES_A_SECOND), "--duration", "600", "--nonblocking"]
    file.unlink(missing_ok=True)
    looking = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        looking.send_signal(signal.SIGINT)
        _, said = looking.communicate(timeout=60)
    if not file.exists():
        raise figures.WrongData(f"py-spy wrote nothing: {said}")


async def record(file: Path) -> None:
    """One run of the consumer, watched from before the clock runs."""
    load = OURS.load
    async with servers() as parts, stage(parts) as world, AsyncExitStack() as ends:
        database = await world.database(load.service)
        await load.seed(database, MESSAGES)
        await produce(world, load.events(MESSAGES))
        await ends.enter_async_context(session(database.url, NOBODY_PUBLISHES))
        gate = Gate(database, "inbox", CLAIMS)
        async with AsyncExitStack() as looking:
            async with gate.closed():
                (process,) = await start_and_meet(world, OURS, ends, gate)
                looking.enter_context(watched(process.pid, file))
            await until(database, load.done, MESSAGES)
        await load.check(world, MESSAGES, published=False)


def read(lines: list[str]) -> Stacks:
    """How often each stack was seen, without the frames of the event loop below it."""
    seen = Counter[tuple[str, ...]]()
    for line in lines:
        stack, times = line.rsplit(" ", 1)
        frames = tuple(frame for frame in stack.split(";") if not frame.startswith(LOOP[:2]))
        seen[tuple(frame for frame in frames if not any(f"({each}" in frame for each in LOOP[2:]))] += int(times)
    return seen


def shares(stacks: Stacks) -> dict[str, float]:
    """How much of the time each part takes, in per cent."""
    found = Counter[str]()
    for frames, times in stacks.items():
        part = next((part for part, marks in PARTS if any(mark in f for f in frames for mark in marks)), "event loop")
        found[part] += times
    return {part: 100 * times / found.total() for part, times in found.most_common()}


async def main() -> None:
    report = figures.Report("profile")
    file = figures.FOLDER / "profile.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    await record(file)
    stacks = read(file.read_text(encoding="utf-8").splitlines())
    for part, share in shares(stacks).items():
        report.row(TABLE, {"part": part, "% of the time at work": share})
    report.picture(flames(f"{TABLE}, {sum(stacks.values()):,} looks", stacks))
    report.finish()


if __name__ == "__main__":
    figures.measured(main())
