"""No file can hurt the service: not with time, not with memory, not with a crash, and no worker outlives it.

The workers of these tests evaluate what they are given, so that each test can say what a hostile file does to them.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.extraction import ExtractionFailed
from services.file_service.extractor import STARTING, Extractor

HANGS = "any(zero for zero in iter(int, 1))"
HANGS_IN_C = "max(range(10**15))"
SLEEPS = "__import__('time').sleep(999)"
EATS_MEMORY = "len(bytes(10**9))"
CRASHES = "__import__('ctypes').string_at(0)"
EXITS = "__import__('os')._exit(3)"
PID = "str(__import__('os').getpid())"

SERVICE = """
import asyncio, sys
from services.file_service.extractor import STARTING, Extractor

async def main():
    extractor = Extractor(workers=2, extract=eval)
    await asyncio.gather(*(extractor.extract(data.encode()) for data in sys.argv[1:]))

if __name__ == "__main__":
    asyncio.run(main())
"""


def after_mark(mark: Path, then: str) -> str:
    """Code that leaves an empty folder as a sign that it has begun, and fails where it has begun before."""
    return f"__import__('os').mkdir({str(mark)!r}) or {then}"


def alive(pid: int) -> bool:
    """Whether this process still runs; one that ended and was not collected yet does not."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid: int) -> list[int]:
    """The processes that this one started: workers and Python's resource tracker."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits for `condition`, and fails where it does not come true in time."""
    async with asyncio.timeout(seconds):
        while not condition():  # Another process makes it true.
            await asyncio.sleep(0.01)


async def failure(extractor: Extractor, hostile: str) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        await extractor.extract(hostile.encode())
    assert caught.value.code is FileErrorCode.TEXT_EXTRACTION_FAILED
    return caught.value


@pytest.fixture
async def extractor() -> AsyncIterator[Extractor]:
    made = Extractor(workers=1, seconds=0.5, extract=eval, patience=100)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def impatient_extractor() -> AsyncIterator[Extractor]:
    made = Extractor(workers=1, seconds=0.5, extract=eval, patience=1)
    await made.start()
    yield made
    await made.close()


async def test_an_essay_is_read() -> None:
    essay = "Åsa Öström\nI går åkte vi till sjön, och där såg vi många fåglar."
    extractor = Extractor()

    assert await extractor.extract(essay.encode("cp1252")) == essay
    with pytest.raises(ExtractionFailed) as caught:
        await extractor.extract(b"")
    assert caught.value.code is FileErrorCode.EMPTY_CONTENT
    await extractor.close()


@pytest.mark.parametrize("hostile", [HANGS, HANGS_IN_C, SLEEPS], ids=["python", "c", "sleep"])
async def test_a_file_that_takes_too_long_is_given_up(impatient_extractor: Extractor, hostile: str) -> None:
    async with asyncio.timeout(STARTING):  # What takes longer is given up too.
        failed = await failure(impatient_extractor, hostile)

    assert "took too long" in failed.detail
    assert await impatient_extractor.extract(b"'the next one'") == "the next one"


@pytest.fixture
async def patient_extractor() -> AsyncIterator[Extractor]:
    made = Extractor(workers=1, seconds=0.3, extract=eval, patience=200)
    yield made
    await made.close()


@pytest.mark.parametrize("hostile", [HANGS, HANGS_IN_C], ids=["python", "c"])
async def test_a_file_that_needs_too_much_of_the_processor_is_given_up(
    patient_extractor: Extractor, hostile: str
) -> None:
    async with asyncio.timeout(30):  # By the clock it could go on for a minute.
        failed = await failure(patient_extractor, hostile)

    assert "took too long" in failed.detail
    assert await patient_extractor.extract(b"'the next one'") == "the next one"


async def test_a_file_is_not_given_up_because_the_machine_is_busy(patient_extractor: Extractor) -> None:
    waits = "__import__('time').sleep(0.6) or 'read'"

    assert [await patient_extractor.extract(waits.encode()) for _ in range(2)] == ["read", "read"]


async def test_a_file_that_needs_too_much_memory_is_given_up(extractor: Extractor) -> None:
    before = await extractor.extract(PID.encode())

    failed = await failure(extractor, EATS_MEMORY)

    assert "memory" in failed.detail
    assert await extractor.extract(PID.encode()) != before


@pytest.mark.parametrize("hostile", [CRASHES, EXITS], ids=["segmentation fault", "exit"])
async def test_a_file_that_ends_its_worker_is_given_up(extractor: Extractor, hostile: str) -> None:
    failed = await failure(extractor, hostile)

    assert "broke" in failed.detail
    assert await extractor.extract(b"'the next one'") == "the next one"


async def test_a_worker_killed_by_someone_else_costs_no_file(extractor: Extractor, tmp_path: Path) -> None:
    first_try = after_mark(tmp_path / "begun", SLEEPS)
    file = f"'read' if __import__('os').path.exists({str(tmp_path / 'begun')!r}) else {first_try}"
    worker = int(await extractor.extract(PID.encode()))
    reading = asyncio.create_task(extractor.extract(file.encode()))
    await until((tmp_path / "begun").exists)

    os.kill(worker, signal.SIGKILL)

    assert await reading == "read"


async def test_a_worker_killed_at_rest_is_replaced(extractor: Extractor) -> None:
    worker = int(await extractor.extract(PID.encode()))

    os.kill(worker, signal.SIGKILL)
    pool = extractor._sandboxes[0]._pool
    await until(lambda: pool is not None and not pool.active)

    assert int(await extractor.extract(PID.encode())) != worker


async def test_a_cancelled_file_frees_its_worker(tmp_path: Path) -> None:
    extractor = Extractor(workers=1, seconds=60, extract=eval)
    reading = asyncio.create_task(extractor.extract(after_mark(tmp_path / "begun", SLEEPS).encode()))
    await until((tmp_path / "begun").exists)

    reading.cancel()

    assert await extractor.extract(b"'the next one'") == "the next one"
    await extractor.close()


async def test_the_event_loop_goes_on_and_files_wait_for_a_free_worker(extractor: Extractor, tmp_path: Path) -> None:
    begun, may_end = tmp_path / "begun", tmp_path / "may end"
    ended = f"lambda: __import__('os').path.exists({str(may_end)!r})"
    waits = f"any(__import__('time').sleep(0.01) for _ in iter({ended}, True)) or 'read'"
    reading = asyncio.create_task(extractor.extract(after_mark(begun, waits).encode()))
    others = asyncio.gather(*(extractor.extract(b"'after it'") for _ in range(20)))
    await until(begun.exists)
    assert not others.done()

    may_end.touch()

    assert await reading == "read"
    assert await others == ["after it"] * 20


async def test_a_hostile_file_does_not_touch_its_neighbour() -> None:
    extractor = Extractor(workers=2, seconds=5, extract=eval)

    answers = await asyncio.gather(
        *(extractor.extract(data.encode()) for data in [CRASHES, "'good'"] * 5), return_exceptions=True
    )

    assert [isinstance(answer, ExtractionFailed) for answer in answers] == [True, False] * 5
    assert answers[1::2] == ["good"] * 5
    await extractor.close()


async def test_a_worker_knows_nothing_of_the_service_and_writes_no_files(extractor: Extractor, tmp_path: Path) -> None:
    modules = (await extractor.extract(b"' '.join(__import__('sys').modules)")).split()

    assert not {"fastapi", "sqlalchemy", "aiokafka", "service_runtime", "pydantic"} & set(modules)
    with pytest.raises(OSError, match="File too large"):
        await extractor.extract(f"open({str(tmp_path / 'file')!r}, 'w', buffering=1).write('text\\n')".encode())


async def test_large_files_and_workers_that_die_before_reading_them_do_not_block(extractor: Extractor) -> None:
    assert await extractor.extract(b"'large'" + b" " * 20_000_000) == "large"
    os.kill(int(await extractor.extract(PID.encode())), signal.SIGKILL)
    assert await extractor.extract(b"'large'" + b" " * 20_000_000) == "large"


@pytest.mark.parametrize("busy", [SLEEPS, HANGS, HANGS_IN_C], ids=["sleep", "python", "c"])
async def test_workers_die_with_a_killed_service(tmp_path: Path, busy: str) -> None:
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    marks = [tmp_path / "first", tmp_path / "second"]
    files = [after_mark(mark, busy) for mark in marks]
    service = await asyncio.create_subprocess_exec(sys.executable, str(script), *files)
    await until(lambda: all(mark.exists() for mark in marks))
    workers = children(service.pid)

    service.kill()
    await service.wait()

    assert len(workers) >= 2
    await until(lambda: not any(alive(worker) for worker in workers))
