"""Where tests get Kafka and PostgreSQL from, and one test's share of them: its own topics, its own databases."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from configparser import RawConfigParser
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from alembic import command
from alembic.config import Config
from local_stack import ChildProcess
from pydantic import SecretStr
from service_runtime import RuntimeSettings, Service
from service_runtime.failpoints import VARIABLE
from service_runtime.testing import Listener, Outside, Running, running, wait_until
from service_runtime.topics import create_topics
from sqlalchemy import MetaData
from sqlalchemy.ext.asyncio import create_async_engine

from tests.integration.stacks import Stack

ROOT = Path(__file__).parents[2]
SECRET = "a secret of the tests, long enough for HS256"
INSTANCE = "the-one"
SHORT: dict[str, Any] = {
    "partitions": 2,
    "poll_seconds": 0.1,
    "fetch_wait_seconds": 0.5,
    "known_within_seconds": 1.0,
    "retry_first_seconds": 0.05,
    "retry_most_seconds": 0.2,
    "failing_attempts": 3,
    "job_lease_seconds": 2.0,
}


def histories() -> list[str]:
    """The sections of alembic.ini that have migrations: one per service."""
    ini = RawConfigParser()
    ini.read(ROOT / "alembic.ini")
    return [section for section in ini.sections() if list((ROOT / "alembic" / section).glob("*.py"))]


def alembic(history: str, url: str) -> Config:
    """Alembic's configuration for the migrations of one service on this database."""
    config = Config(ROOT / "alembic.ini", ini_section=history)
    config.set_main_option("sqlalchemy.url", url)
    return config


class RealParts:
    """Kafka and PostgreSQL for the whole session, and a migrated template of each service's database."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._templates: dict[str, str] = {}
        self._numbers = count(1)

    def next_name(self) -> str:
        """A name no other test has."""
        return f"t{next(self._numbers)}"

    async def execute(self, statement: str) -> None:
        """Run a statement about databases."""
        connection = await asyncpg.connect(self.stack.postgres_url("postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def template(self, service: Service, tables: MetaData | None) -> str:
        """The name of a database with this service's tables, made by its migrations, or of `tables` if it has none."""
        if service.name not in self._templates:
            name = f"template_{service.name}"
            await self.execute(f'CREATE DATABASE "{name}"')
            url = self.stack.postgres_url(name)
            if tables is None:
                history = next(each for each in histories() if each.startswith(service.name.replace("-", "_")))
                await asyncio.to_thread(command.upgrade, alembic(history, url), "head")
            else:
                await create_tables(url, tables)
            self._templates[service.name] = name
        return self._templates[service.name]


async def create_tables(url: str, tables: MetaData) -> None:
    """Make these tables, without migrations."""
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"))
    async with engine.begin() as connection:
        await connection.run_sync(tables.create_all)
    await engine.dispose()


class Database:
    """A service's database as a test looks into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: asyncpg.Connection | None = None

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """The rows of a query, or of what a statement returns."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.url)
        rows: list[asyncpg.Record] = await self._connection.fetch(query, *arguments)
        return rows

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return int((await self.fetch(f"SELECT count(*) FROM {table}"))[0]["count"])  # noqa: S608  # our own names

    async def seen(self, *event_ids: str) -> bool:
        """Whether all these messages are in the inbox."""
        rows = await self.fetch("SELECT event_id FROM inbox WHERE event_id = ANY($1)", list(event_ids))
        return {row["event_id"] for row in rows} == set(event_ids)

    @asynccontextmanager
    async def holding(self, query: str, *arguments: object) -> AsyncIterator[None]:
        """Hold what this statement locks, for as long as the block lasts."""
        connection = await asyncpg.connect(self.url)
        try:
            async with connection.transaction():
                await connection.fetch(query, *arguments)
                yield
        finally:
            await connection.close()

    async def somebody_waits_for_a_lock(self) -> bool:
        """Whether a transaction of this database waits for another's lock."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return bool(await self.fetch(waiting))

    async def close(self) -> None:
        """Stop looking."""
        if self._connection is not None:
            self._connection.terminate()


class World:
    """One test's own topics and databases, an ear on the topics and a voice from outside."""

    outside: Outside
    listener: Listener

    def __init__(self, parts: RealParts, ends: AsyncExitStack, changes: Mapping[str, Any]) -> None:
        self.stack = parts.stack
        self._parts = parts
        self._ends = ends
        self._changes = changes
        self._name = parts.next_name()
        self._databases: dict[str, Database] = {}
        self._groups: dict[str, AIOKafkaConsumer] = {}

    @classmethod
    @asynccontextmanager
    async def opened(cls, parts: RealParts, **changes: Any) -> AsyncIterator[Self]:
        """Fresh topics; what the world started is stopped and what it made is removed at the end."""
        async with AsyncExitStack() as ends:
            world = cls(parts, ends, changes)
            settings = world.settings(database_url="postgresql://nowhere/none")
            topics = await create_topics(settings)
            ends.push_async_callback(_delete_topics, settings.kafka_bootstrap_servers, topics)
            world.outside = await ends.enter_async_context(Outside(settings))
            world.listener = await ends.enter_async_context(Listener(settings))
            yield world

    def settings(self, kind: type[RuntimeSettings] = RuntimeSettings, **changes: Any) -> RuntimeSettings:
        """Settings with short times, for this world's topics."""
        brokers = self.stack.kafka_bootstrap_servers
        ours = {"kafka_bootstrap_servers": brokers, "topic_prefix": f"{self._name}.", "jwt_secret": SecretStr(SECRET)}
        return kind(**{**SHORT, **ours, **self._changes, **changes})

    async def database(self, service: Service, tables: MetaData | None = None) -> Database:
        """This world's database of a service, made the first time it is asked for."""
        if service.name not in self._databases:
            name = f"{self._name}_{service.name}"
            template = await self._parts.template(service, tables)
            await self._parts.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
            self._ends.push_async_callback(self._parts.execute, f'DROP DATABASE "{name}" WITH (FORCE)')
            self._databases[service.name] = Database(self.stack.postgres_url(name))
            self._ends.push_async_callback(self._databases[service.name].close)
        return self._databases[service.name]

    async def run(self, service: Service, tables: MetaData | None = None, **changes: Any) -> Running:
        """Start a service, or another instance of it, and wait until it works; stopped with the world."""
        return await self._ends.enter_async_context(self.running(service, tables, **changes))

    @asynccontextmanager
    async def running(self, service: Service, tables: MetaData | None = None, **changes: Any) -> AsyncIterator[Running]:
        """The same, stopped at the end of the block."""
        database = await self.database(service, tables)
        settings = self.settings(service.settings, **{"database_url": database.url, **changes})
        async with running(service, settings) as started:
            yield await started.ready()

    @asynccontextmanager
    async def without_kafka(self) -> AsyncIterator[None]:
        """The broker is gone, killed, and comes back at the end of the block."""
        await asyncio.to_thread(self.stack.kafka.kill)
        try:
            yield
        finally:
            await asyncio.to_thread(self.stack.kafka.start)

    async def process(
        self,
        service: Service,
        module: str,
        tables: MetaData | None = None,
        *,
        failpoints: str = "",
        variables: Mapping[str, str] | None = None,
        **changes: Any,
    ) -> ChildProcess:
        """Start a service as a process of its own, which can be killed; one with its `instance_id` goes on for it."""
        database = await self.database(service, tables)
        ours = {"database_url": database.url, "instance_id": INSTANCE, "port": 0}
        values = self.settings(service.settings, **{**ours, **changes}).model_dump(exclude_none=True)
        theirs = {f"SCRIPTORIUM_{name.upper()}": str(value) for name, value in values.items()}
        theirs |= {"KAFKA_BOOTSTRAP_SERVERS": self.stack.kafka_bootstrap_servers, "SCRIPTORIUM_JWT_SECRET": SECRET}
        command_line = [sys.executable, "-c", f"from {module} import service; service.run()"]
        log_file = Path(tempfile.mkdtemp()) / "log"
        environment = {**os.environ, **theirs, VARIABLE: failpoints, **(variables or {})}
        process = ChildProcess(service.name, command_line, log_file, env=environment, cwd=ROOT)
        self._ends.callback(process.kill)
        return process.start()

    async def has_read_everything(self, service: Service) -> bool:
        """Whether a service's group has committed the end of all topics it reads."""
        group = await self._group(service)
        ends = await group.end_offsets(group.assignment())
        return all([await group.committed(each) == end for each, end in ends.items() if end])

    async def is_done(self, service: Service) -> bool:
        """Whether a service has handled all there is, nothing waits, and all it had to say is said."""
        if not await self.has_read_everything(service):
            return False
        waiting = "SELECT position FROM parked_messages WHERE state <> 'dead' UNION ALL SELECT position FROM outbox"
        return not await self._databases[service.name].fetch(waiting)

    async def lose_offsets(self, service: Service) -> None:
        """Make the group, which everybody has left, begin at the beginning."""
        group = await self._group(service)

        async def lost() -> bool:
            # The broker refuses while it still waits for somebody who went without a word.
            with contextlib.suppress(KafkaError):
                await group.commit(dict.fromkeys(group.assignment(), 0))
                return True
            return False

        await wait_until(lost)

    async def _group(self, service: Service) -> AIOKafkaConsumer:
        """Sees and sets the offsets of a service's group without being a member."""
        if service.name not in self._groups:
            settings = self.settings(database_url="postgresql://nowhere/none")
            servers, name = settings.kafka_bootstrap_servers, settings.topic_prefix + service.name
            group = AIOKafkaConsumer(bootstrap_servers=servers, group_id=name, enable_auto_commit=False)
            await group.start()
            self._ends.push_async_callback(group.stop)
            topics = [settings.topic_prefix + topic for topic in service.handlers.topics]
            partitions = [TopicPartition(topic, each) for topic in topics for each in range(settings.partitions)]
            group.assign(partitions)
            group.pause(*partitions)  # It reads offsets, not messages.
            self._groups[service.name] = group
        return self._groups[service.name]


async def _delete_topics(bootstrap_servers: str, topics: list[str]) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    with contextlib.suppress(OSError):
        await client.start()
        await client.delete_topics(topics)
    await client.close()
