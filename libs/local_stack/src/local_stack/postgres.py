"""A PostgreSQL server."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from local_stack.errors import LocalStackError
from local_stack.processes import ChildProcess
from local_stack.programs import postgres_programs

_UNPRIVILEGED = "nobody"
_SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=200",
    # In the data folder, where a crash leaves nothing that somebody else must clean up.
    "dynamic_shared_memory_type=mmap",
)
_CREATE_DATABASE = r"""
SELECT format('CREATE DATABASE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
"""


class Postgres:
    """Real PostgreSQL on a fixed port of 127.0.0.1, with its data in a folder; whoever may connect is the superuser."""

    def __init__(self, folder: Path, log_file: Path, *, port: int, keep_open: Sequence[int] = ()) -> None:
        self.port = port
        self._folder = folder
        self._log_file = log_file
        self._bin = postgres_programs()
        settings = [part for setting in (*_SETTINGS, f"port={port}") for part in ("-c", setting)]
        self._process = ChildProcess(
            "PostgreSQL",
            [*_as_unprivileged(), self._bin / "postgres", "-D", folder, *settings],
            log_file,
            keep_open=keep_open,
            end_signal=signal.SIGQUIT,
        )

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Starts it without waiting until it answers; a new data folder is initialised first."""
        if not self._folder.exists():
            self._initialise()
        self._process.start()

    def await_ready(self) -> None:
        self._process.await_ready(lambda: self._client("pg_isready", "-q", "-d", "postgres").returncode == 0)

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """`fast` breaks off what is running and writes everything out; `immediate` leaves that to the next start."""
        self._process.stop(by=signal.SIGINT if mode == "fast" else signal.SIGQUIT, patience=30)

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        self.stop(mode)
        self.start()

    def ended(self) -> str | None:
        """How it ended, or None while it runs."""
        return self._process.ended()

    def kill(self) -> None:
        self._process.kill()

    def create_database(self, name: str) -> None:
        """Creates it if it is not there."""
        outcome = self._client("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}", text=_CREATE_DATABASE)
        if outcome.returncode != 0:
            raise LocalStackError(f"database {name} could not be created", f"PostgreSQL says: {outcome.stderr.strip()}")

    def _initialise(self) -> None:
        unfinished = self._folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        if os.geteuid() == 0:
            account = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(unfinished, account.pw_uid, account.pw_gid)
        encoding = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
        initdb: list[str | Path] = [self._bin / "initdb", "-D", unfinished, "-U", "postgres", "--auth=trust", *encoding]
        command = [*_as_unprivileged(), *initdb]
        ChildProcess("initialising PostgreSQL's data", command, self._log_file).start().finish(patience=60)
        unfinished.rename(self._folder)

    def _client(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(self._bin / program), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", *arguments]
        return subprocess.run(command, input=text, capture_output=True, text=True, check=False)  # noqa: S603 - ours


def _as_unprivileged() -> list[str | Path]:
    """PostgreSQL refuses to be root. The one power it keeps lets it reach programs and data in root's own folders."""
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam(_UNPRIVILEGED)
    identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    # Without no_setuid_fixup the question "may I run this file?" (access) would be answered without regard to it.
    power = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return ["setpriv", *identity, *power, "--"]
