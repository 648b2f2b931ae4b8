"""PgQueuer: the README's worker, and one with a pool, database retries and its supervisor's restarts."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer import run as run_worker
from pgqueuer.db import AsyncpgDriver
from pgqueuer.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.comparison.place import Place, run


class PgQueuerQueue:
    """The commands of the comparison."""

    def __init__(self, place: Place) -> None:
        self.place = place

    async def prepare(self) -> None:
        connection = await asyncpg.connect(self.place.database_url)
        await Queries(AsyncpgDriver(connection)).install()
        await connection.close()

    def _register(self, worker: PgQueuer, **options: Any) -> PgQueuer:
        @worker.entrypoint("handle", **options)
        async def handle(job: Job) -> None:
            await self.place.handle((job.payload or b"").decode())

        return worker

    @contextlib.asynccontextmanager
    async def _plain(self) -> AsyncIterator[PgQueuer]:
        connection = await asyncpg.connect(self.place.database_url)
        yield self._register(PgQueuer(AsyncpgDriver(connection)))

    @contextlib.asynccontextmanager
    async def _careful(self) -> AsyncIterator[PgQueuer]:
        async with asyncpg.create_pool(self.place.database_url, min_size=2) as pool:
            worker = PgQueuer.from_asyncpg_pool(pool)
            yield self._register(worker, executor_factory=DatabaseRetryEntrypointExecutor, on_failure="hold")

    async def work(self) -> None:
        if self.place.is_default:
            await run_worker(self._plain)
        else:
            await run_worker(self._careful, restart_on_failure=True, shutdown_on_listener_failure=True)

    async def send(self) -> None:
        async def enqueue(message: str) -> None:
            connection = await asyncpg.connect(self.place.database_url)
            await Queries(AsyncpgDriver(connection)).enqueue("handle", message.encode())
            await connection.close()

        await self.place.hand_over(enqueue)


if __name__ == "__main__":
    run(PgQueuerQueue)
