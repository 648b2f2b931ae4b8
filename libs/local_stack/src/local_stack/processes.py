"""Child processes that never outlive this one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Self

from local_stack import guard
from local_stack.errors import ProcessFailed

# The child itself tells the guard who it is, before it becomes the program: this process may die at any moment, and a
# child that the guard has not heard of would be left. Until then its stdin is the guard's pipe; $0 is the signal.
_ANNOUNCE = 'echo "watch $$ $0" >&0 && exec "$@" </dev/null'


class _Guard:
    """This process's line to its guard (see guard.py), which starts with the first word said to it."""

    _pipe = -1

    def __init__(self) -> None:
        self._leave()
        # A copy of this process made by fork() must not keep the pipe open.
        os.register_at_fork(after_in_child=self._leave)

    @property
    def pipe(self) -> int:
        with self._starting:
            if self._pipe < 0:
                self._start()
            return self._pipe

    def tell(self, line: str) -> None:
        with suppress(BrokenPipeError):  # Somebody killed the guard; what we do ourselves still works.
            os.write(self.pipe, f"{line}\n".encode())

    def _start(self) -> None:
        reading, self._pipe = os.pipe()
        command = [sys.executable, "-I", "-S", guard.__file__]
        null = subprocess.DEVNULL
        # In its own session: Ctrl-C in the terminal is for us, not for the guard.
        self._process = subprocess.Popen(command, stdin=reading, stdout=null, stderr=null, start_new_session=True)  # noqa: S603 - ours
        os.close(reading)

    def _leave(self) -> None:
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe = -1
        self._starting = Lock()


_guard = _Guard()


def remove_at_the_end(folder: Path) -> None:
    """Has a folder removed when this process is gone, if it is still there then."""
    _guard.tell(f"remove {folder}")


class ChildProcess:
    """A program in a process group of its own, which writes to a log file and ends with this process at the latest."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        log_file: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        keep_open: Sequence[int] = (),
        end_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        """`keep_open`: file descriptors to inherit; `end_signal`: what the guard sends first if this process dies."""
        self.name = name
        self.log_file = log_file
        self._argv = ["/bin/sh", "-c", _ANNOUNCE, str(int(end_signal)), *map(str, argv)]
        self._env = env
        self._cwd = cwd
        self._keep_open = keep_open
        self._process: subprocess.Popen[bytes] | None = None
        self._handle = -1
        self._reaping = Lock()
        self._log_start = 0

    @property
    def pid(self) -> int:
        return self._started.pid

    @property
    def running(self) -> bool:
        return self._handle >= 0 and not guard.gone([self._handle], 0)

    def ended(self) -> str | None:
        """How it ended, or None while it runs."""
        return None if self.running else f"ended with status {self.wait(0)}"

    def start(self) -> Self:
        if self.running:
            return self
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - the callers say what to run
                self._argv,
                stdin=_guard.pipe,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._cwd,
                pass_fds=self._keep_open,
                process_group=0,
            )
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = os.pidfd_open(self._process.pid)
        return self

    def wait(self, seconds: float | None = None) -> int:
        """The exit status, negative if a signal ended it; TimeoutError if it still runs after so many seconds."""
        process = self._started
        if not guard.gone([self._handle], seconds):
            raise TimeoutError(f"{self.name} still runs after {seconds} seconds")
        with self._reaping:
            if process.returncode is None:
                guard.end(process.pid)  # What it left behind in its group; nobody else can have its number yet.
                process.wait()
                _guard.tell(f"forget {process.pid}")
        return process.returncode

    def stop(self, by: signal.Signals = signal.SIGTERM, patience: float = 10.0) -> None:
        """Asks it to end, and kills it if it has not after so many seconds; does nothing if it does not run."""
        if self.running:
            os.kill(self.pid, by)
            with suppress(TimeoutError):
                self.wait(patience)
        self.kill()

    def kill(self) -> None:
        """Ends it and all its descendants at once, without a chance to tidy up."""
        if self._process is not None and self._process.returncode is None:
            guard.end(self.pid)
            self.wait()

    def finish(self, patience: float) -> None:
        """Waits for a program that is to end by itself, successfully."""
        try:
            status = self.wait(patience)
        except TimeoutError:
            self.kill()
            raise self._failed(f"did not finish within {patience:.0f} s") from None
        if status != 0:
            raise self._failed(f"ended with status {status}")

    def await_ready(self, is_ready: Callable[[], bool], patience: float = 60.0) -> None:
        """Waits until `is_ready()`; raises, with the end of the log, if the program ends before or takes too long."""
        deadline = time.monotonic() + patience
        while not is_ready():
            if not self.running:
                raise self._failed(f"ended with status {self.wait()} before it was ready")
            if time.monotonic() > deadline:
                raise self._failed(f"was not ready within {patience:.0f} s")
            guard.gone([self._handle], 0.02)

    def tail(self, lines: int = 15) -> str:
        """The last lines it wrote since it was started."""
        with self.log_file.open("rb") as log:
            log.seek(self._log_start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process

    def _failed(self, outcome: str) -> ProcessFailed:
        return ProcessFailed(self.name, outcome, self.log_file, self.tail())
