"""Starts service processes by fork from one that has imported everything: a fresh start of a service without its second
of imports, so that a run can afford many deaths.

`python -m tests.chaos.nursery SOCKET` forks once per line it is sent: {"module", "sabotage", "env", "log"}.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

from local_stack import ChildProcess
from service_runtime import failpoints

from tests.chaos.sabotage import SABOTAGES

MODULES = (
    "services.batch_orchestrator_service",
    "services.essay_lifecycle_service",
    "services.class_management_service",
    "services.student_matching_service",
    "services.file_service",
)
ARMED_BUT_NEVER = f"{failpoints.PLACES[0]}=kill:0"
"""With it the places look at what is armed; each child arms its own."""


class Forked:
    """A child of the nursery: what the cluster needs of a process."""

    def __init__(self, pid: int = 0) -> None:
        self.pid = pid
        self._handle = -1
        if pid:
            with suppress(ProcessLookupError):
                self._handle = os.pidfd_open(pid)

    @property
    def running(self) -> bool:
        """Whether it has not ended, be it frozen."""
        return self._handle >= 0 and not select.select([self._handle], [], [], 0)[0]

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still runs."""
        if self._handle >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def bury(self) -> None:
        """Kill it, wait until it is gone, and end what it left behind in its group."""
        self.send(signal.SIGKILL)
        if self._handle >= 0:
            select.select([self._handle], [], [], 5)
            os.close(self._handle)
            self._handle = -1
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


class Nursery:
    """The process that forks, and the line to it."""

    def __init__(self, folder: Path, cwd: Path, variables: dict[str, str]) -> None:
        # Short, since the path of a socket has at most 107 characters.
        self._path = Path(f"/tmp/chaos-{os.getpid()}.sock")  # noqa: S108  # removed by stop
        env = {name: value for name, value in os.environ.items() if not name.startswith("SCRIPTORIUM_")}
        env |= {**variables, failpoints.VARIABLE: ARMED_BUT_NEVER}
        argv = [sys.executable, "-m", "tests.chaos.nursery", str(self._path)]
        self._process = ChildProcess("the nursery", argv, folder / "nursery.log", env=env, cwd=cwd)

    def start(self) -> None:
        """Start it and wait until it has imported everything."""
        self._path.unlink(missing_ok=True)
        self._process.start().await_ready(self._path.exists, 60)

    def stop(self) -> None:
        """End it and all its children."""
        self._process.kill()
        self._path.unlink(missing_ok=True)

    def fork(self, module: str, sabotage: str, env: dict[str, str], log: Path) -> Forked:
        """A new process that runs this module."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self._path))
            order = {"module": module, "sabotage": sabotage, "env": env, "log": str(log)}
            line.sendall(json.dumps(order).encode() + b"\n")
            return Forked(int(line.makefile("rb").readline()))


def _serve(path: Path) -> None:
    for module in MODULES:
        importlib.import_module(f"{module}.service")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # The kernel buries the dead.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        while True:
            line, _ = listener.accept()
            with line:
                order = json.loads(line.makefile("rb").readline())
                pid = os.fork()
                if pid == 0:
                    listener.close()
                    line.close()
                    _become(order)
                line.sendall(f"{pid}\n".encode())


def _become(order: dict[str, Any]) -> None:
    status = 1
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ.update(order["env"])
        failpoints._armed = failpoints._read(os.environ[failpoints.VARIABLE])
        if order["sabotage"]:
            SABOTAGES[order["sabotage"]].breaks()
        runpy.run_module(order["module"], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
