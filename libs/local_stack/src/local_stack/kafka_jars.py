"""Kafka's jars, fetched once per user and checked against kafka.lock every time they are used."""

import errno
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local_stack.errors import DiskFull, JarDamaged, JarsUnreachable
from local_stack.machine import require_disk

KAFKA = "4.3.0"
LOCK_FILE = Path(__file__).with_name("kafka.lock")
_NEEDED_MB = 100

type Progress = Callable[[int, int], None]  # How many jars are there, of how many.


@dataclass(frozen=True)
class Jar:
    """One line of kafka.lock: `group:artifact:version sha256:…`."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def is_in(self, file: Path) -> bool:
        return file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == self.sha256


def locked_jars(lock: str) -> Iterator[Jar]:
    for line in lock.splitlines():
        if line and not line.startswith("#"):
            coordinates, checksum = line.split(" sha256:")
            group, artifact, version = coordinates.split(":")
            yield Jar(group, artifact, version, checksum)


def cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "scriptorium" / f"kafka-{KAFKA}"


def kafka_jars(progress: Progress = lambda _have, _of: None) -> list[Path]:
    """The class path of Kafka; only what is missing or damaged in the cache is downloaded."""
    jars = list(locked_jars(LOCK_FILE.read_text()))
    cache = cache_folder()
    missing = [jar for jar in jars if not jar.is_in(cache / jar.file_name)]
    if missing:
        require_disk(cache, _NEEDED_MB)
        try:
            _download(missing, cache, lambda done: progress(len(jars) - len(missing) + done, len(jars)))
        except (OSError, RuntimeError) as error:  # The second is how jgo says that it was answered with an error.
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise DiskFull(cache, _NEEDED_MB) from error
            raise JarsUnreachable(error) from error
    return [cache / jar.file_name for jar in jars]


def _download(jars: list[Jar], cache: Path, progress: Callable[[int], None]) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    # Into a folder of our own, then moved: another process may be doing the same, and nobody must see half a file.
    with tempfile.TemporaryDirectory(dir=cache) as scratch, ThreadPoolExecutor(8) as pool:
        for done, _ in enumerate(pool.map(partial(_fetch, cache=cache, scratch=Path(scratch)), jars), start=1):
            progress(done)


def _fetch(jar: Jar, cache: Path, scratch: Path) -> None:
    from jgo.maven import MavenContext  # noqa: PLC0415 - slow to import, and needed once

    project = MavenContext(repo_cache=scratch, local_repos=[], timeout=30).project(jar.group, jar.artifact)
    file = project.at_version(jar.version).artifact().resolve()
    if not jar.is_in(file):
        raise JarDamaged(jar.file_name)
    file.replace(cache / jar.file_name)
