"""The relay: publishes the outbox in order, one relay at a time for each database.

What the broker acknowledged is deleted by its positions, never "up to": positions become visible late. An event keeps
the id it was recorded with, so publishing it again after a crash is a repetition that every consumer knows.
"""

import asyncio
import functools
import time
from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import murmur2
from opentelemetry.trace import SpanKind

from service_runtime import cloudevents, metrics, tracing
from service_runtime.database import driver_url
from service_runtime.failpoints import failpoint
from service_runtime.floor import Floor
from service_runtime.kafka_clients import client_arguments, start, stop
from service_runtime.logging import log
from service_runtime.outbox import CHANNEL
from service_runtime.settings import RuntimeSettings
from service_runtime.signals import Signals, wait
from service_runtime.stalls import Work

LEADERSHIP = "SELECT pg_try_advisory_lock(hashtext('scriptorium-relay'))"
PAGE = "SELECT * FROM outbox WHERE position >= $2 ORDER BY position LIMIT $1"
DELETE = "DELETE FROM outbox WHERE position = ANY($1::bigint[])"
STANDBY_SECONDS = 1.0
STOPPING_SECONDS = 3.0
SILENT_SECONDS = 5.0
"""A leader says something at each poll; one that is silent for so long, and for two polls, is taken for dead."""

LOST_CONNECTIONS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, KafkaError)

# murmur2 in pure Python is a third of the relay's work; keys repeat.
_hashed = functools.lru_cache(100_000)(murmur2)


def silent_after(poll_seconds: float) -> dict[str, str]:
    """Milliseconds after which PostgreSQL ends the work of a leader that froze or vanished, and with it its lead.

    What it publishes later is a repetition. A session is not idle, nor a statement running, between the messages of one
    statement.
    """
    idle = int(max(SILENT_SECONDS, 2 * poll_seconds) * 1_000)
    return {"idle_session_timeout": str(idle), "transaction_timeout": "10000"}


def partition_of(key: bytes, every: Sequence[int], available: Sequence[int]) -> int:  # noqa: ARG001  # aiokafka's signature
    """Where Kafka's Java client would place this key."""
    partition: int = every[(_hashed(key) & 0x7FFFFFFF) % len(every)]
    return partition


class Relay:
    """Waits to be the leader, then publishes until it is stopped; begins anew after every error."""

    def __init__(self, source: str, settings: RuntimeSettings, signals: Signals) -> None:
        self._source = source
        self._settings = settings
        self._wake = signals.outbox
        self.leads = False
        self.floor = Floor()
        self._problem: str | None = "the relay has not looked at the outbox yet"
        self._work = Work("one page of the outbox", settings.stalled_seconds)
        signals.relay_leads_here = lambda: self.leads

    @property
    def problem(self) -> str | None:
        """Why neither this process nor another leads, or None."""
        return self._problem or self._work.problem

    async def run(self) -> None:
        """Until cancelled. A lost connection gives the lead to whoever gets the lock first."""
        while True:
            try:
                await self._connect_and_lead()
            except Exception as error:
                self._problem = f"the relay cannot work: {error!r}"
                log.warning(
                    "relay_interrupted",
                    error=repr(error),
                    exc_info=None if isinstance(error, LOST_CONNECTIONS) else error,
                )
            finally:
                self.leads = False
                metrics.RELAY_LEADS.set(0)
            await asyncio.sleep(STANDBY_SECONDS / 2)

    async def _connect_and_lead(self) -> None:
        url = driver_url(self._settings.database_url)
        settings = {"application_name": f"{self._source} relay", **silent_after(self._settings.poll_seconds)}
        connection = await asyncpg.connect(url, timeout=5, command_timeout=30, server_settings=settings)
        try:
            while not await connection.fetchval(LEADERSHIP):
                self._problem = None
                await asyncio.sleep(STANDBY_SECONDS)
            await connection.add_listener(CHANNEL, lambda *_: self._wake.set())
            await self._lead(connection)
        finally:
            connection.terminate()

    async def _lead(self, connection: asyncpg.Connection) -> None:
        producer = AIOKafkaProducer(
            **client_arguments(self._settings),
            acks="all",
            enable_idempotence=True,
            max_batch_size=262_144,
            linger_ms=0,
            metadata_max_age_ms=int(self._settings.partitions_known_seconds * 1_000),
            partitioner=partition_of,
        )
        try:
            await start(producer)
            self.floor = Floor()
            self.leads = True
            metrics.RELAY_LEADS.set(1)
            log.info("relay_leads")
            while True:
                self._wake.clear()
                while await self._publish_watched(connection, producer):
                    continue
                self._problem = None
                await wait(self._wake, self._settings.poll_seconds)
        finally:
            self.leads = False
            # After a failed send nothing of the page is deleted, and what the producer still holds must not overtake
            # the page's next beginning: stop it.
            await stop(producer, STOPPING_SECONDS)

    async def _publish_watched(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> bool:
        with self._work.going_on():
            return await self.publish_page(connection, producer)

    async def publish_page(self, connection: asyncpg.Connection, producer: AIOKafkaProducer) -> bool:
        """Publish the oldest rows and delete those acknowledged; whether there were any."""
        started = time.perf_counter()
        with metrics.RELAY_FETCH_SECONDS.time():
            rows = await connection.fetch(PAGE, self._settings.relay_page, self.floor.position)
        self.floor.rise(rows)
        if rows:
            failpoint("relay.before_produce")
        acknowledgements = [await self._send(producer, row) for row in rows]
        await asyncio.gather(*acknowledgements)
        if rows:
            failpoint("relay.after_produce")
            await connection.execute(DELETE, [row["position"] for row in rows])
            failpoint("relay.after_delete")
            metrics.RELAYED.inc(len(rows))
            metrics.RELAY_SECONDS.observe(time.perf_counter() - started)
        await self.floor.look(connection)
        return bool(rows)

    async def _send(self, producer: AIOKafkaProducer, row: asyncpg.Record) -> "asyncio.Future[object]":
        event_id = str(row["event_id"])
        about = {"messaging.message.id": event_id, "correlation_id": row["correlation_id"], "key": row["key"]}
        with tracing.span(f"publish {row['type']}", row["traceparent"], about, SpanKind.PRODUCER) as span:
            extensions = {
                "correlationid": row["correlation_id"],
                "causationid": row["causation_id"],
                "traceparent": span.traceparent,
            }
            headers = cloudevents.headers(
                self._source, event_id, row["type"], row["key"], row["recorded_at"], extensions
            )
            sent: asyncio.Future[object] = await producer.send(
                row["topic"], row["data"], key=row["key"].encode(), headers=headers
            )
            return sent
