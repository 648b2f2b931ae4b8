"""A soak: one service, many messages, and a transaction that somebody else keeps open from the first to the last."""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from aiokafka import AIOKafkaProducer
from alembic import command
from alembic.config import Config
from local_stack import ChildProcess, LocalStack
from local_stack.machine import free_port
from pydantic import SecretStr
from service_runtime import RuntimeSettings
from service_runtime.relay import partition_of
from service_runtime.testing import binary
from service_runtime.topics import create_topics

from benchmarks.soak_check import check_database, check_topic
from benchmarks.soak_load import PER_BATCH, STEP, Sent, message, roster, waves
from benchmarks.soak_watch import TABLES, Watch, fetches, megabytes, read_counters, total

ROOT = Path(__file__).parents[1]
RETENTION_SECONDS = 30.0
IDLE_SECONDS = 20.0
TICKS = os.sysconf("SC_CLK_TCK")


class Soak:
    """The service under load, and everything around it."""

    def __init__(self, stack: LocalStack, messages: int) -> None:
        self.batches = round(messages / PER_BATCH)
        self.servers = stack.kafka_bootstrap_servers
        self.url = stack.postgres_url("soak")
        self.port = free_port()
        self.settings = RuntimeSettings(
            database_url=self.url,
            kafka_bootstrap_servers=self.servers,
            jwt_secret=SecretStr("a secret of the soak, long enough for HS256"),
        )
        environment = {
            "SCRIPTORIUM_DATABASE_URL": self.url,
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "SCRIPTORIUM_JWT_SECRET": self.settings.jwt_secret.get_secret_value(),
            "SCRIPTORIUM_PORT": str(self.port),
            "SCRIPTORIUM_INBOX_DAYS": str(RETENTION_SECONDS / 86_400),
            "SCRIPTORIUM_LOG_LEVEL": "ERROR",
        }
        program = [sys.executable, "-m", "services.batch_orchestrator_service"]
        self.log = Path(tempfile.mkdtemp()) / "service.log"
        self.service = ChildProcess("the service", program, self.log, env={**os.environ, **environment}, cwd=ROOT)
        self.watch = Watch(self.url, self.port)
        self.sent = 0

    async def prepare(self, stack: LocalStack) -> None:
        """A migrated database, topics, and the service at work."""
        stack.create_database("soak")
        config = Config(ROOT / "alembic.ini", ini_section="batch_orchestrator_service")
        config.set_main_option("sqlalchemy.url", self.url)
        await asyncio.to_thread(command.upgrade, config, "head")
        await create_topics(self.settings)
        self.service.start()
        await until(self._answers, 60)

    async def send(self) -> None:
        """All waves, the next as soon as all but the last two are handled."""
        ends: list[int] = []
        async with self._producer() as producer:
            await self._publish(producer, [roster()])
            await until(lambda: self._consumed(1), 60)
            for wave in waves(self.batches):
                if len(ends) >= STEP:
                    await until(lambda: self._consumed(ends[-STEP]), 120)
                await self._publish(producer, wave)
                ends.append(self.sent)
        await until(lambda: self._consumed(self.sent), 120)
        await until(self._nothing_left, 60)

    async def send_again(self) -> int:
        """Each message of every hundredth batch, after the inbox has forgotten them all; how many."""
        await until(self._inbox_is_empty, 300)
        again = [message(number, kind) for number in range(0, self.batches, 100) for kind in range(4)]
        async with self._producer() as producer:
            await self._publish(producer, again)
        await until(lambda: self._consumed(self.sent), 120)
        await until(self._nothing_left, 60)
        return len(again)

    def cpu_seconds(self) -> float:
        """What the service has used so far."""
        fields = Path(f"/proc/{self.service.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    async def idle(self) -> str:
        """What the service does with nothing to do."""
        before, used = await self.watch.look(), self.cpu_seconds()
        await asyncio.sleep(IDLE_SECONDS)
        after = await self.watch.look()
        busy = (self.cpu_seconds() - used) / (after.at - before.at)
        return f"{busy:.1%} of a core, fetch p50 {fetches(before, after, 0.5)}, p99 {fetches(before, after, 0.99)}"

    async def _publish(self, producer: AIOKafkaProducer, wave: list[Sent]) -> None:
        sent = [
            await producer.send(
                each.event.topic,
                each.event.model_dump_json().encode(),
                key=str(each.event.key).encode(),
                headers=binary(each.event, each.event_id),
            )
            for each in wave
        ]
        await asyncio.gather(*sent)
        self.sent += len(wave)

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        async with AIOKafkaProducer(
            bootstrap_servers=self.servers, max_batch_size=262_144, partitioner=partition_of
        ) as producer:
            yield producer

    async def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(await asyncio.to_thread(read_counters, self.port))
        return False

    async def _consumed(self, number: int) -> bool:
        counters = await asyncio.to_thread(read_counters, self.port)
        return total(counters, "scriptorium_messages_consumed_total") >= number

    async def _nothing_left(self) -> bool:
        left = "SELECT 1 FROM outbox UNION ALL SELECT 1 FROM parked_messages WHERE state <> 'dead' LIMIT 1"
        return not await self.value(left)

    async def _inbox_is_empty(self) -> bool:
        parked = "SELECT 1 FROM parked_messages AS p WHERE p.source = inbox.source AND p.event_id = inbox.event_id"
        return not await self.value(f"SELECT 1 FROM inbox WHERE NOT EXISTS ({parked}) LIMIT 1")

    async def value(self, query: str) -> object:
        """One value from the database."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()


async def until(condition: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Wait until an asynchronous condition is true; AssertionError when it takes longer."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not true within {seconds} s"
        await asyncio.sleep(0.1)


@asynccontextmanager
async def in_the_background(*loops: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def soak(messages: int, held: bool) -> None:
    with LocalStack() as stack:
        run = Soak(stack, messages)
        try:
            await run.prepare(stack)
            print(f"machine: load {machine_load()}")
            holder = await asyncpg.connect(run.url)
            if held:
                await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM outbox")
            await measure(run, holder)
        finally:
            run.service.stop()


async def measure(run: Soak, holder: asyncpg.Connection) -> None:
    watch = run.watch
    used = run.cpu_seconds()
    async with in_the_background(watch.keep_an_eye_on_locks()):
        async with in_the_background(watch.keep_looking()):
            await run.send()
        used = run.cpu_seconds() - used
        end = await watch.look()
        rates = watch.rate(0.02, 0.2), watch.rate(0.8, 1.0)
        mean = watch.rate(0, 1)
        idle_held = await run.idle()
        repeated = await run.send_again()
    deadlocks = await run.value("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    sizes_held = await sizes(run)
    await holder.close()
    for table in TABLES:
        await vacuum(run, table)
    idle_free = await run.idle()
    sizes_free = await sizes(run)
    await check_database(run.url, run.batches)
    repetitions = await check_topic(run.servers, run.settings.partitions, run.batches)
    first, last = rates
    print(f"""
messages                      {run.sent:,}, of them {repeated:,} after the inbox had forgotten them
                              each had its effect once; {3 * run.batches:,} events, {repetitions} published again
throughput                    {mean:,.0f}/s; first fifth {first:,.0f}/s, last fifth {last:,.0f}/s: {last / first:.2f}
service                       {used / end.consumed * 1e6:.0f} us CPU a message
locks                         longest wait {watch.longest_wait:.2f} s, {deadlocks} deadlocks
tables, transaction open      {sizes_held}
tables, ended and vacuumed    {sizes_free}
idle, transaction open        {idle_held}
idle, ended and vacuumed      {idle_free}
machine: load {machine_load()}""")


def machine_load() -> str:
    """How busy the machine is, others included: load averages of 1, 5 and 15 minutes."""
    return " ".join(f"{each:.1f}" for each in os.getloadavg())


async def vacuum(run: Soak, table: str) -> None:
    connection = await asyncpg.connect(run.url)
    await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.close()


async def sizes(run: Soak) -> str:
    look = await run.watch.look()
    return ", ".join(
        f"{name} {megabytes(row['bytes'])} ({row['n_dead_tup']:,} dead rows)"
        for name, row in sorted(look.tables.items())
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--no-transaction", action="store_true", help="nobody keeps a transaction open")
    arguments = parser.parse_args()
    asyncio.run(soak(arguments.messages, not arguments.no_transaction))
