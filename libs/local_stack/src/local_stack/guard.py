"""Ends what a program started once the program itself is gone, however it died: `kill -9` leaves it no time to do so.

The guard is a process of its own that reads from a pipe what to end: `watch PID SIGNAL`, `forget PID`, `remove FOLDER`.
Only the program, and its children until they run, hold the other end. When that closes, the program is gone: it acts.
The kernel's own "signal me when my parent dies" will not do: it follows the thread that forked, not the process, and is
lost when the child changes its user.
"""

import os
import select
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE = 3.0


def end(pid: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Ends a process, its group and its descendants, which may have left the group; returns when they are gone."""
    everyone = [pid, *descendants(pid)]
    with _opened(everyone) as handles:
        _send(pid, by)
        if by is not signal.SIGKILL:
            gone(handles, _PATIENCE)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        for each in everyone:
            _send(each, signal.SIGKILL)
        gone(handles, _PATIENCE)


def gone(handles: list[int], seconds: float | None) -> bool:
    """Waits until the processes behind these handles have ended; False if they have not after so many seconds."""
    return all(_polled(handle, seconds) for handle in handles)


def _polled(handle: int, seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def descendants(pid: int) -> Iterator[int]:
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                yield child
                yield from descendants(child)


@contextmanager
def _opened(pids: list[int]) -> Iterator[list[int]]:
    handles = []
    for pid in pids:
        with suppress(ProcessLookupError):
            handles.append(os.pidfd_open(pid))
    try:
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _main() -> None:
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: dict[int, signal.Signals] = {}
    folders: set[str] = set()
    for line in sys.stdin:
        match line.rstrip("\n").split(" ", maxsplit=1):
            case ["watch", rest]:
                pid, number = map(int, rest.split())
                watched[pid] = signal.Signals(number)
            case ["forget", rest]:
                watched.pop(int(rest), None)
            case ["remove", rest]:
                folders.add(rest)
    for pid, number in watched.items():
        end(pid, by=number)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main()
