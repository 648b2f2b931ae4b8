"""What tests need: a cause, a service in this process, a voice from outside, an ear on the topics, and patience.

async with running(service, settings) as orchestrator, Outside(settings) as outside, Listener(settings) as listener:
    await outside.publish(RegisterBatchV1(...))
    await wait_until(lambda: listener.said(BatchEssaysRegisteredV1))
"""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Self, overload
from uuid import UUID

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from common_core.events.base import Event, Topic
from uuid_utils.compat import uuid7

from service_runtime import cloudevents
from service_runtime.auth import Role, issue
from service_runtime.handlers import Cause
from service_runtime.kafka_clients import client_arguments
from service_runtime.relay import partition_of
from service_runtime.service import Runtime, Service
from service_runtime.settings import RuntimeSettings

OUTSIDE = "https://school.example/registry"
"""The `source` of what a test publishes."""


def a_cause(at: datetime | None = None) -> Cause:
    """A message, as the cause of what a unit test does."""
    return Cause(str(uuid7()), str(uuid7()), None, at or datetime.now(UTC))


def bearer(settings: RuntimeSettings, sub: str, *roles: Role) -> dict[str, str]:
    """The header of a caller with these roles; of a teacher when none is given."""
    secret = settings.jwt_secret.get_secret_value()
    token = issue(secret, sub, list(roles) or [Role.TEACHER], 600, **settings.token_scope)
    return {"Authorization": f"Bearer {token}"}


@overload
async def wait_until[T](condition: Callable[[], Awaitable[T]], seconds: float = 30.0) -> T: ...
@overload
async def wait_until[T](condition: Callable[[], T], seconds: float = 30.0) -> T: ...
async def wait_until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    """What the condition says as soon as that is true; AssertionError with its last word when it takes longer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        said = await answer if inspect.isawaitable(answer) else answer
        if said:
            return said
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {seconds} s; the condition last said {said!r}")
        await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Running:
    """A service in this process: what runs beside HTTP, and its HTTP face without a socket."""

    runtime: Runtime
    http: httpx.AsyncClient

    async def ready(self) -> Self:
        """Wait until nothing keeps it from working."""
        await wait_until(lambda: not self.runtime.problems(), 30)
        return self


@asynccontextmanager
async def running(service: Service, settings: RuntimeSettings) -> AsyncIterator[Running]:
    """A service with everything that belongs to it, stopped gracefully at the end of the block."""
    app = service.app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://service", timeout=20) as http,
    ):
        yield Running(app.state.runtime, http)


def binary(event: Event, event_id: str, source: str = OUTSIDE) -> list[tuple[str, bytes]]:
    """The headers of an event in CloudEvents' binary mode."""
    return cloudevents.headers(source, event_id, type(event).__name__, str(event.key), datetime.now(UTC), {})


class Outside:
    """A system outside that publishes events, or any bytes."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            **client_arguments(self._settings), enable_idempotence=True, partitioner=partition_of
        )
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def publish(
        self, event: Event, *, event_id: str | None = None, source: str = OUTSIDE, topic: Topic | None = None
    ) -> str:
        """Publish an event, on its own topic unless another is given; its id."""
        known = event_id or str(uuid7())
        value, headers = event.model_dump_json().encode(), binary(event, known, source)
        await self.send(topic or event.topic, value, key=str(event.key).encode(), headers=headers)
        return known

    async def send(
        self, topic: Topic, value: bytes | None, *, key: bytes, headers: Sequence[tuple[str, bytes | None]] = ()
    ) -> None:
        """Publish any bytes."""
        await self._producer.send_and_wait(self._settings.topic_prefix + topic, value, key=key, headers=list(headers))


@dataclass(frozen=True, slots=True)
class Heard:
    """An event as it stood in a topic."""

    event: Event
    envelope: cloudevents.Envelope
    record: "ConsumerRecord[bytes, bytes]"


@dataclass
class Listener:
    """Reads all topics from their beginning, outside of any group, and keeps the events it heard."""

    settings: RuntimeSettings
    heard: list[Heard] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._consumer = AIOKafkaConsumer(
            **client_arguments(self.settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            fetch_max_wait_ms=20,  # A question about offsets waits for the fetch before it.
        )
        await self._consumer.start()
        prefix, partitions = self.settings.topic_prefix, range(self.settings.partitions)
        self._consumer.assign([TopicPartition(prefix + topic, number) for topic in Topic for number in partitions])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def said[E: Event](self, kind: type[E], key: UUID | None = None, *, at_least: int = 0) -> list[E]:
        """All events of this type (about this key) up to now, in their order; none while there are fewer."""
        found = [each.event for each in await self.all_of(kind, key) if isinstance(each.event, kind)]
        return found if len(found) >= at_least else []

    async def all_of(self, kind: type[Event], key: UUID | None = None) -> list[Heard]:
        """The same with their envelopes and records."""
        await self._read_to_the_end()
        return [each for each in self.heard if isinstance(each.event, kind) and key in (None, each.event.key)]

    async def ends(self) -> Mapping[TopicPartition, int]:
        """Where each partition of each topic ends now."""
        found: Mapping[TopicPartition, int] = await self._consumer.end_offsets(self._consumer.assignment())
        return found

    async def _read_to_the_end(self) -> None:
        ends = await self.ends()
        while any([await self._consumer.position(partition) < end for partition, end in ends.items()]):
            for records in (await self._consumer.getmany(timeout_ms=200)).values():
                self.heard += [each for each in map(_heard, records) if each]


def _heard(record: "ConsumerRecord[bytes, bytes]") -> Heard | None:
    try:
        envelope = cloudevents.parse(record.headers, record.value)
    except cloudevents.Undecodable:
        return None
    kind = Event.types.get(envelope.type)
    return Heard(kind.model_validate_json(envelope.data), envelope, record) if kind else None
