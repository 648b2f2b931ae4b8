"""Who leads the relay of each database, seen from PostgreSQL's own tables."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

import asyncpg

from tests.chaos.cluster import Cluster, Instance

LOCKS = """
    SELECT datname, client_port FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND pg_stat_activity.backend_type = 'client backend'
    AND objsubid = 1 AND objid = CAST(CAST(hashtext('scriptorium-relay') AS bigint) & 4294967295 AS oid)
"""
"""Timers and operators take advisory locks too."""


@dataclass(frozen=True)
class Takeover:
    """From a leader's end until another process, or the same one anew, has the lock; seconds as of time.time()."""

    database: str
    loser: str
    how: str
    since: float
    until: float


class Leaders:
    """Measures how long a database's relay lock was free after its holder was killed."""

    def __init__(self, cluster: Cluster) -> None:
        self.takeovers: list[Takeover] = []
        self._cluster = cluster
        self._holders: dict[str, tuple[int, str]] = {}
        self._lost: dict[str, tuple[float, int, str, str]] = {}

    def struck(self, instance: Instance, how: str) -> None:
        """Note that a process was killed, frozen or cut off, if it led."""
        database = instance.member.folder
        port, holder = self._holders.get(database, (0, ""))
        if holder == instance.name and database not in self._lost:
            self._lost[database] = (time.time(), port, instance.name, how)

    @property
    def doubled(self) -> set[str]:
        """The databases with two processes."""
        folders = [each.member.folder for each in self._cluster.instances]
        return {each for each in folders if folders.count(each) > 1}

    async def run(self) -> None:
        """Look ten times a second, until cancelled; while PostgreSQL is away nothing is seen."""
        while True:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
                connection = await asyncpg.connect(self._cluster.stack.postgres_url("postgres"), timeout=5)
                try:
                    while True:
                        self._look({row["datname"]: row["client_port"] for row in await connection.fetch(LOCKS)})
                        await asyncio.sleep(0.1)
                finally:
                    connection.terminate()
            await asyncio.sleep(0.2)

    def _look(self, holders: dict[str, int]) -> None:
        for database, port in holders.items():
            if self._holders.get(database, (0, ""))[0] != port:
                names = (each.name for each in self._cluster.instances if each.proxy.carries(port))
                self._holders[database] = (port, next(names, ""))
        for database, (since, port, name, how) in list(self._lost.items()):
            if holders.get(database, port) != port:
                self.takeovers.append(Takeover(database, name, how, since, time.time()))
                del self._lost[database]
