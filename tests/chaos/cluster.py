"""The system under test: seven processes of the five services, each behind its own proxy to PostgreSQL."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import asyncpg
import httpx
from local_stack import free_port
from scriptorium.environment import BROKERS, SECRET, SERVICES, Member
from scriptorium.migrations import CHECKOUT, migrate, prepare_topics
from service_runtime.failpoints import VARIABLE

from tests.chaos.nursery import Forked, Nursery
from tests.chaos.proxy import Proxy
from tests.chaos.stack import ProxiedStack
from tests.chaos.timeline import Incident

JWT_SECRET = "only-for-tests-0123456789-0123456789-abc"
TWICE = ("BATCH_ORCHESTRATOR", "ESSAY_LIFECYCLE")
HURRY = {
    # Waiting is shorter than in production, so that a run becomes quiet soon after its last fault.
    "SCRIPTORIUM_RETRY_MOST_SECONDS": "5",
    "SCRIPTORIUM_MATCHING_PATIENCE_MINUTES": "0.15",
}
JOURNAL = """
    CREATE TABLE chaos_outbox_journal (LIKE outbox, said_at timestamptz DEFAULT clock_timestamp());
    CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN INSERT INTO chaos_outbox_journal SELECT NEW.*; RETURN NEW; END $$;
    CREATE TRIGGER chaos_note AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION chaos_note();
"""


@dataclass
class Instance:
    """One process of a service, started again and again under the same name."""

    member: Member
    name: str
    url: str
    proxy: Proxy
    process: Forked = field(default_factory=Forked)
    failpoints: str = ""
    death: Incident | None = None
    """Its last death, until it is ready again."""


class Cluster:
    """Everything that runs, and where it is."""

    def __init__(self, stack: ProxiedStack, kafka: Proxy, logs: Path, sabotage: str, extra: Mapping[str, str]) -> None:
        self.stack = stack
        self.kafka = kafka
        self.instances: list[Instance] = []
        self._logs = logs
        self._sabotage = sabotage
        self._extra = extra
        self._nursery = Nursery(logs, CHECKOUT, {BROKERS: self.brokers, SECRET: JWT_SECRET})

    @property
    def brokers(self) -> str:
        """Kafka, through the proxy."""
        return f"127.0.0.1:{self.kafka.port}"

    def database(self, member: Member) -> str:
        """A service's database, not through any proxy."""
        return self.stack.postgres_url(member.folder)

    async def prepare(self, rng: Random) -> None:
        """Databases with the checker's own journal, topics, and a place for every process."""
        variables = {BROKERS: self.stack.kafka_bootstrap_servers, SECRET: JWT_SECRET}
        for member in SERVICES:
            await asyncio.to_thread(self.stack.create_database, member.folder)
            variables[f"{member.variable}_DATABASE_URL"] = self.database(member)
            await asyncio.to_thread(migrate, member, variables)
            connection = await asyncpg.connect(self.database(member))
            await connection.execute(JOURNAL)
            await connection.close()
        await asyncio.to_thread(prepare_topics, {BROKERS: self.brokers, SECRET: JWT_SECRET})
        for member in SERVICES:
            for number in range(2 if member.variable in TWICE else 1):
                proxy = Proxy(self.stack.postgres.port, rng)
                await proxy.start()
                url = f"http://127.0.0.1:{free_port()}"
                name = f"{member.folder}-{number + 1}"
                self.instances.append(Instance(member, name, url, proxy))
        await asyncio.to_thread(self._nursery.start)

    def start(self, instance: Instance, failpoints: str = "") -> None:
        """Start a process of it, with failpoints armed."""
        files = next(each.url for each in self.instances if each.member.variable == "FILE_SERVICE")
        url = f"postgresql://postgres@127.0.0.1:{instance.proxy.port}/{instance.member.folder}"
        env = {
            **HURRY,
            BROKERS: self.brokers,
            SECRET: JWT_SECRET,
            "SCRIPTORIUM_DATABASE_URL": url,
            "SCRIPTORIUM_FILE_SERVICE_URL": files,
            "SCRIPTORIUM_PORT": instance.url.rpartition(":")[2],
            "SCRIPTORIUM_INSTANCE_ID": instance.name,
            VARIABLE: failpoints,
            **self._extra,
        }
        log = self._logs / f"{instance.name}.log"
        instance.process = self._nursery.fork(f"services.{instance.member.folder}", self._sabotage, env, log)
        instance.failpoints = failpoints

    async def until_ready(self, seconds: float) -> list[str]:
        """Wait until all are; the names of those that are not in time."""
        until = time.monotonic() + seconds
        waiting = list(self.instances)
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while waiting and time.monotonic() < until:
                waiting = [each for each in waiting if not await is_ready(client, each)]
                await asyncio.sleep(0.1)
        return [each.name for each in waiting]

    def kill_all(self) -> None:
        """End all services, so that what is looked at stands still."""
        for instance in self.instances:
            instance.process.bury()

    async def stop(self) -> None:
        """End all processes."""
        self.kill_all()
        await asyncio.to_thread(self._nursery.stop)
        for instance in self.instances:
            await instance.proxy.stop()


async def is_ready(client: httpx.AsyncClient, instance: Instance) -> bool:
    """Whether the process says that it can work."""
    with suppress(httpx.HTTPError):
        return (await client.get(f"{instance.url}/readyz")).status_code == httpx.codes.OK
    return False


@asynccontextmanager
async def running(rng: Random, logs: Path, sabotage: str, extra: Mapping[str, str]) -> AsyncIterator[Cluster]:
    """The system, ready, for as long as the block lasts."""
    async with AsyncExitStack() as undo:
        kafka_port = free_port()
        proxy = Proxy(kafka_port, rng)
        await proxy.start()
        undo.push_async_callback(proxy.stop)
        stack = ProxiedStack(kafka_port, proxy.port)
        await asyncio.to_thread(stack.__enter__)
        undo.push_async_callback(asyncio.to_thread, stack.__exit__)
        cluster = Cluster(stack, proxy, logs, sabotage, extra)
        undo.push_async_callback(cluster.stop)
        await cluster.prepare(rng)
        for instance in cluster.instances:
            cluster.start(instance)
        if late := await cluster.until_ready(90):
            raise TimeoutError(f"not ready before the first fault: {', '.join(late)}; see {logs}")
        yield cluster
