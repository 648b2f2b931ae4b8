import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest
from local_stack.errors import ProcessFailed
from local_stack.guard import descendants, gone
from local_stack.processes import ChildProcess


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    return tmp_path / "logs" / "child.log"


@pytest.fixture
def stubborn(log_file: Path) -> Iterator[ChildProcess]:
    """Ignores every polite signal, and has a child that left its process group."""
    script = "trap '' TERM INT; setsid sleep 600 & echo up; wait; sleep 600"
    child = ChildProcess("stubborn", ["sh", "-c", script], log_file).start()
    child.await_ready(lambda: "up" in child.tail() and len(list(descendants(child.pid))) == 1)
    yield child
    child.kill()


def test_a_child_that_ends_too_early_is_reported_with_the_end_of_its_log(log_file: Path) -> None:
    child = ChildProcess("the server", ["sh", "-c", "echo no licence found; exit 3"], log_file).start()

    with pytest.raises(ProcessFailed, match=r"(?s)the server ended with status 3 .*child\.log.*no licence found"):
        child.await_ready(lambda: False)


def test_a_child_that_is_never_ready_is_reported(stubborn: ChildProcess) -> None:
    with pytest.raises(ProcessFailed, match="stubborn was not ready within 0 s"):
        stubborn.await_ready(lambda: False, patience=0.1)


def test_a_program_that_does_not_exist_is_reported(log_file: Path) -> None:
    child = ChildProcess("nothing", ["/no/such/program"], log_file).start()

    with pytest.raises(ProcessFailed, match=r"(?s)nothing ended with status 127.*/no/such/program"):
        child.finish(patience=5)


def test_a_child_that_ignores_the_request_to_stop_is_killed_with_all_its_descendants(stubborn: ChildProcess) -> None:
    handles = [os.pidfd_open(pid) for pid in (stubborn.pid, *descendants(stubborn.pid))]

    stubborn.stop(patience=0.1)

    assert stubborn.wait() == -signal.SIGKILL
    assert len(handles) == 2
    assert gone(handles, 0)
    for handle in handles:
        os.close(handle)


def _await_gone(pid: int) -> None:
    """The kernel ends a killed process when it next runs, which on a busy machine takes its time."""
    deadline = monotonic() + 5
    with suppress(FileNotFoundError):
        while " Z " not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8"):
            assert monotonic() < deadline, f"process {pid} still runs"


def test_what_a_crashed_child_leaves_in_its_group_is_ended(log_file: Path) -> None:
    child = ChildProcess("parent", ["sh", "-c", "sleep 600 & echo $!; exit 1"], log_file).start()

    assert child.wait(5) == 1
    orphan = int(child.tail())
    _await_gone(orphan)


def test_waiting_has_a_limit(stubborn: ChildProcess) -> None:
    started = monotonic()

    with pytest.raises(TimeoutError, match="stubborn still runs"):
        stubborn.wait(0.05)
    assert monotonic() - started < 2


def test_a_child_can_be_started_again_and_its_log_goes_on(log_file: Path) -> None:
    child = ChildProcess("twice", ["sh", "-c", "echo hello"], log_file)

    for _ in range(2):
        child.start().finish(patience=5)

    assert child.tail() == "hello"
    assert log_file.read_text() == "hello\nhello\n"


def test_a_child_has_the_environment_it_was_given_and_no_input(log_file: Path) -> None:
    child = ChildProcess("env", ["sh", "-c", "cat; echo $WHO"], log_file, env={"PATH": "/usr/bin:/bin", "WHO": "me"})

    child.start().finish(patience=5)

    assert child.tail() == "me"
