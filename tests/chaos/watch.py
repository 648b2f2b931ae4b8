"""Who leads the relay of each database, seen from PostgreSQL's own tables."""

import asyncio
import time
from collections import defaultdict
from contextlib import suppress

import asyncpg

from tests.chaos.cluster import Cluster, Instance

LOCKS = """
    SELECT datname, client_port FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND pg_stat_activity.backend_type = 'client backend'
"""


class Leaders:
    """Measures how long a database's relay lock was free after its holder was killed."""

    def __init__(self, cluster: Cluster) -> None:
        self.takeovers: dict[str, list[float]] = defaultdict(list)
        """Seconds from a leader's end until another process, or the same one anew, has the lock; by what happened."""
        self._cluster = cluster
        self._holders: dict[str, tuple[int, str]] = {}
        self._lost: dict[str, tuple[float, int, str]] = {}

    def struck(self, instance: Instance, how: str) -> None:
        """Note that a process was killed, frozen or cut off, if it led."""
        database = instance.member.folder
        port, holder = self._holders.get(database, (0, ""))
        if holder == instance.name and database not in self._lost:
            doubled = sum(each.member.folder == database for each in self._cluster.instances) > 1
            self._lost[database] = (time.monotonic(), port, f"{how}, {'with' if doubled else 'without'} a standby")

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
        for database, (since, port, how) in list(self._lost.items()):
            if holders.get(database, port) != port:
                self.takeovers[how].append(time.monotonic() - since)
                del self._lost[database]
