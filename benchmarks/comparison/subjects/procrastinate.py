"""procrastinate: its defaults; and with locks, retries and the documented task for the jobs of dead workers."""

from typing import Any

from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy

from benchmarks.comparison.place import Place, run


class Procrastinate:
    """The commands of the comparison."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.app = App(connector=PsycopgConnector(conninfo=place.database_url))
        retries: dict[str, Any] = {} if place.is_default else {"retry": RetryStrategy(max_attempts=10, wait=1)}

        @self.app.task(name="handle", **retries)
        async def handle(message: str) -> None:
            await self.place.handle(message)

        self.handle = handle
        if not place.is_default:
            self._retry_stalled_jobs()

    def _retry_stalled_jobs(self) -> None:
        # The recipe of its documentation, every ten seconds instead of minutes.
        @self.app.periodic(cron="* * * * * */10")
        @self.app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
        async def retry_stalled_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001  # its signature
            for job in await self.app.job_manager.get_stalled_jobs():
                await self.app.job_manager.retry_job(job)

    async def prepare(self) -> None:
        async with self.app.open_async():
            await self.app.schema_manager.apply_schema_async()

    async def work(self) -> None:
        async with self.app.open_async():
            await self.app.run_worker_async()

    async def send(self) -> None:
        async def defer(message: str) -> None:
            # A lock keeps the jobs of one key in their order.
            lock = None if self.place.is_default else message.partition(":")[0]
            await self.handle.configure(lock=lock).defer_async(message=message)

        async with self.app.open_async():
            await self.place.hand_over(defer)


if __name__ == "__main__":
    run(Procrastinate)
