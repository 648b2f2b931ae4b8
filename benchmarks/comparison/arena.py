"""One contestant's own database, topics and processes for one trial, and what a trial can see there."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from local_stack import ChildProcess, LocalStack

from benchmarks.comparison.contestants import ROOT, Contestant
from benchmarks.comparison.place import TABLES, Place

_NUMBERS = count(1)
_STARTING_AT_ONCE = asyncio.Semaphore(3)


class Arena:
    """What belongs to one contestant in one trial."""

    def __init__(self, stack: LocalStack, contestant: Contestant) -> None:
        self.contestant = contestant
        self.stack = stack
        self.name = f"c{next(_NUMBERS)}_{contestant.slug}"
        folder = stack.folder / self.name
        folder.mkdir()
        url = stack.postgres_url(self.name)
        self.place = Place(url, stack.kafka_bootstrap_servers, self.name, contestant.settings, folder)
        self._processes: list[ChildProcess] = []
        self._sender: ChildProcess
        self._sent = 0
        self.worker: ChildProcess
        self._has_worker = False

    @classmethod
    @asynccontextmanager
    async def opened(cls, stack: LocalStack, contestant: Contestant) -> AsyncIterator["Arena"]:
        """Prepared for the contestant; its processes are killed at the end."""
        arena = cls(stack, contestant)
        try:
            await asyncio.to_thread(stack.create_database, arena.name)
            await arena.fetch(TABLES)
            await arena._create_topics()
            await arena._prepare()
            yield arena
        finally:
            for process in arena._processes:
                process.kill()

    async def _create_topics(self) -> None:
        if self.contestant.subject == "scriptorium":
            return  # Its program makes its own.
        client = AIOKafkaAdminClient(bootstrap_servers=self.place.brokers)
        await client.start()
        await client.create_topics([NewTopic(self.name, 1, 1)])
        await client.close()

    def start(self, *command: str, **environment: str) -> ChildProcess:
        """Start a command of the contestant's program."""
        argv = [self.contestant.python, "-m", self.contestant.module, *command]
        variables = {**os.environ, **self.place.environment(), **environment}
        log = self.place.folder / f"{command[0]}.log"
        process = ChildProcess(f"{self.contestant.name}: {command[0]}", argv, log, env=variables, cwd=ROOT)
        self._processes.append(process)
        return process.start()

    async def _prepare(self) -> None:
        async with _STARTING_AT_ONCE:
            self._sender = self.start("send")

            async def prepared() -> bool:
                assert self._sender.running, self._sender.tail()
                return (self.place.folder / "prepared").exists()

            assert await wait_for(prepared, 300), self._sender.tail()

    async def send(self, *messages: str, pause: float = 0) -> None:
        """Hand messages over to the contestant, with so many seconds between two; waits until it took them all."""
        for message in messages:
            with (self.place.folder / "outgoing").open("a") as outgoing:
                outgoing.write(f"{message}\n")
            self._sent += 1
            await asyncio.sleep(pause)

        async def accepted() -> bool:
            assert self._sender.running, self._sender.tail()
            count = self.place.folder / "accepted"
            return count.exists() and int(count.read_text() or 0) == self._sent

        assert await wait_for(accepted, 300), self._sender.tail()

    async def start_worker(self) -> None:
        """Start a worker if there is none, and wait until it has shown that it works."""
        if self._has_worker:
            return
        self.worker, self._has_worker = self.start("work"), True
        await self.send(f"first:{self.name}")
        assert await self.has_effect(f"first:{self.name}", within=300), self.worker.tail()

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """The rows of a query."""
        connection = await asyncpg.connect(self.place.database_url, timeout=5)
        try:
            if not arguments and query is TABLES:
                await connection.execute(query)
                return []
            rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
            return rows
        finally:
            await connection.close()

    async def effects(self) -> list[tuple[str, float]]:
        """Each effect with its time, in order."""
        query = "SELECT message, extract(epoch FROM at)::float8 AS at FROM effects ORDER BY id"
        return [(row["message"], row["at"]) for row in await self.fetch(query)]

    async def times(self, message: str) -> int:
        """How often a message had its effect."""
        return [each for each, _ in await self.effects()].count(message)

    async def has_effect(self, message: str, within: float, times: int = 1) -> bool:
        """Wait until a message had its effect so often; False if it has not within so many seconds."""

        async def had() -> bool:
            return await self.times(message) >= times

        return await wait_for(had, within)

    async def committed(self) -> int:
        """The offset from which the contestant's group goes on."""
        ours = self.contestant.subject == "scriptorium"
        group, topic = (f"{self.name}.comparison", f"{self.name}.upstream") if ours else (self.name, self.name)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.place.brokers, group_id=group, enable_auto_commit=False)
        await consumer.start()
        consumer.assign([TopicPartition(topic, 0)])
        offset = await consumer.committed(TopicPartition(topic, 0))
        await consumer.stop()
        return offset or 0

    async def published(self) -> list[tuple[str, int]]:
        """Key and version of each change in the topic, in its order."""
        ours = self.contestant.subject == "scriptorium"
        partition = TopicPartition(f"{self.name}.essay-lifecycle" if ours else self.name, 0)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.place.brokers, auto_offset_reset="earliest")
        await consumer.start()
        try:
            consumer.assign([partition])
            end = (await consumer.end_offsets([partition]))[partition]
            found: list[tuple[str, int]] = []
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += [_change(json.loads(record.value)) for record in records]
            return found
        finally:
            await consumer.stop()


def _change(body: dict[str, Any]) -> tuple[str, int]:
    if "text_storage_id" in body:
        return body["original_file_name"], int(body["text_storage_id"])
    return body["key"], body["version"]


async def wait_for(condition: Callable[[], Awaitable[bool]], within: float) -> bool:
    """Whether the condition came true within so many seconds; while a server is away it is not."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            if await condition():
                return True
        except (OSError, asyncpg.PostgresError):
            pass
        await asyncio.sleep(0.3)
    return False
