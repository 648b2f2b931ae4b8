"""Kafka and PostgreSQL together, on one data folder."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Self

from local_stack.errors import DataInUse
from local_stack.kafka import Kafka
from local_stack.machine import free_port, require_disk, require_free, require_platform
from local_stack.postgres import Postgres
from local_stack.processes import remove_at_the_end

_NEEDED_MB = 300
PATIENCE_FOR_DATA = 10.0


class LocalStack:
    """Real Kafka and real PostgreSQL on 127.0.0.1, for as long as the `with` block lasts."""

    folder: Path
    kafka: Kafka
    postgres: Postgres

    def __init__(
        self, data: Path | None = None, *, kafka_port: int | None = None, postgres_port: int | None = None
    ) -> None:
        """Without `data`, in a temporary folder; otherwise in that one, which is kept and served again next time."""
        self._data = data
        self._kafka_port = kafka_port
        self._postgres_port = postgres_port

    def __enter__(self) -> Self:
        require_platform()
        with ExitStack() as undo:
            folder = undo.enter_context(_temporary_folder()) if self._data is None else self._data.resolve()
            require_disk(folder, _NEEDED_MB)
            lock = undo.enter_context(locked(folder))
            self.folder = folder
            self._set_up(folder, lock)
            self._undo_starts(undo)
            # At once: a second each where the data folders are new.
            with ThreadPoolExecutor() as pool:
                for launched in [pool.submit(self.postgres.launch), pool.submit(self.kafka.launch)]:
                    launched.result()
            self.postgres.await_ready()
            self.kafka.await_ready()
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    @property
    def kafka_bootstrap_servers(self) -> str:
        return self.kafka.bootstrap_servers

    def postgres_url(self, database: str) -> str:
        return self.postgres.url(database)

    def create_database(self, name: str) -> None:
        """Creates it if it is not there."""
        self.postgres.create_database(name)

    def _set_up(self, folder: Path, lock: int) -> None:
        kafka_port, postgres_port = (
            require_free(port) if port else free_port() for port in (self._kafka_port, self._postgres_port)
        )
        logs = folder / "logs"
        self.kafka = Kafka(
            folder / "kafka", logs / "kafka.log", port=kafka_port, controller_port=free_port(), keep_open=[lock]
        )
        self.postgres = Postgres(folder / "postgres", logs / "postgres.log", port=postgres_port, keep_open=[lock])

    def _undo_starts(self, undo: ExitStack) -> None:
        if self._data is None:  # Nobody will read it again.
            undo.callback(self.postgres.stop, "immediate")
            undo.callback(self.kafka.kill)
        else:
            undo.callback(self.postgres.stop)
            undo.callback(self.kafka.stop)


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="scriptorium-"))
    remove_at_the_end(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """A lock on the folder, inherited by the servers: if this process is killed, it is held until they are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + PATIENCE_FOR_DATA
        while not _lock_at_once(lock):
            if time.monotonic() > deadline:
                raise DataInUse(folder)
            time.sleep(0.05)
        yield lock
    finally:
        os.close(lock)


def _lock_at_once(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
