"""Where a subject's program works, and the trouble that a message makes there.

The only module that the driver and all subjects share, so it needs nothing but asyncpg.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import asyncpg

PREFIX = "COMPARISON_"
TABLES = """
CREATE TABLE effects (id bigserial PRIMARY KEY, message text NOT NULL, at timestamptz DEFAULT clock_timestamp());
CREATE TABLE accounts (key text PRIMARY KEY, version integer NOT NULL DEFAULT 0);
"""


class Trouble(Exception):
    """A handler raised because its message said so."""


@dataclass(frozen=True)
class Place:
    """A database, a topic and a folder of one subject in one trial."""

    database_url: str
    brokers: str
    topic: str
    settings: str
    """Which of its settings a subject shall use: `default` or the name of another."""
    folder: Path

    @classmethod
    def from_environment(cls) -> "Place":
        """The place that the driver named in this process's environment."""
        found = {name: os.environ[PREFIX + name.upper()] for name in cls.__dataclass_fields__}
        return cls(**{**found, "folder": Path(found["folder"])})  # type: ignore[arg-type]

    def environment(self) -> dict[str, str]:
        """The variables that `from_environment` reads."""
        return {PREFIX + name.upper(): str(getattr(self, name)) for name in self.__dataclass_fields__}

    @property
    def is_default(self) -> bool:
        return self.settings == "default"

    def meet_trouble(self, message: str) -> int:
        """Raise or die if the message says so; else which attempt at it this is, counted from 1 in a file."""
        with (self.folder / message.replace(":", ".")).open("ab") as attempts:
            attempts.write(b".")
            attempt = attempts.tell()
        what = message.partition(":")[2]
        if what == "always raises" or (what == "raises once" and attempt == 1):
            raise Trouble(message)
        if what == "kills before" and attempt == 1:
            die()
        return attempt

    async def handle(self, message: str) -> None:
        """The handler of every library without a transaction of its own: one committed effect."""
        attempt = self.meet_trouble(message)
        connection = await asyncpg.connect(self.database_url, timeout=5)
        try:
            await connection.execute("INSERT INTO effects (message) VALUES ($1)", message)
        finally:
            await connection.close()
        if message.endswith(":kills after") and attempt == 1:
            die()

    async def hand_over(self, send: Callable[[str], Awaitable[object]]) -> None:
        """Send each line that the driver adds to `outgoing`, again until no error comes; `accepted` counts them."""
        outgoing, done = self.folder / "outgoing", 0
        while True:
            lines = outgoing.read_text().splitlines() if outgoing.exists() else []
            for message in lines[done:]:
                while True:
                    try:
                        await send(message)
                        break
                    except Exception as error:  # The trial says how long it has time.
                        print(f"not accepted yet: {message}: {error!r}", flush=True)
                        await asyncio.sleep(0.1)
                done += 1
                (self.folder / "accepted").write_text(str(done))
            await asyncio.sleep(0.02)


def die() -> None:
    """As by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


class Program(Protocol):
    """What a subject's file must offer; commands that its library has no part for are left out.

    `work`: handle messages until killed. `send`: hand over messages until killed. `relay`: publish the outbox until
    killed. `change TIMES PAUSE KEY…`: change one aggregate after the other, each time publishing its new version
    through the outbox.
    """

    async def prepare(self) -> None:
        """Make the library's own tables."""


def run(program: Callable[[Place], Program]) -> None:
    """Run the command that the driver asks for."""
    place, (command, *arguments) = Place.from_environment(), sys.argv[1:]

    async def run_command() -> None:
        subject = program(place)
        if command == "send":
            await subject.prepare()
            (place.folder / "prepared").touch()
        await getattr(subject, command)(*arguments)

    asyncio.run(run_command())
