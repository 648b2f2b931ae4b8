"""How every client of ours finds Kafka and proves who it is."""

import asyncio
import ssl
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer

from service_runtime.logging import log
from service_runtime.settings import RuntimeSettings

GIVING_UP_SECONDS = 0.5
"""How long a process that is to end waits for a client that is still starting."""

_stopping: set[asyncio.Task[None]] = set()
"""The event loop itself keeps tasks only weakly."""


class Client(Protocol):
    """Consumer, producer or admin client."""

    async def start(self) -> None: ...


class Stoppable(Protocol):
    """Consumer or producer."""

    async def stop(self) -> None: ...


def client_arguments(settings: RuntimeSettings) -> dict[str, Any]:
    """What aiokafka's consumer, producer and admin client have in common."""
    password = settings.kafka_sasl_password
    encrypted = settings.kafka_security_protocol in {"SSL", "SASL_SSL"}
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers,
        "security_protocol": settings.kafka_security_protocol,
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password and password.get_secret_value(),
        # Certificate and host name are checked.
        "ssl_context": ssl.create_default_context(cafile=settings.kafka_ssl_ca_file) if encrypted else None,
    }


def group_member(group: str, settings: RuntimeSettings, look_around_ms: int) -> AIOKafkaConsumer:
    """A consumer that reads committed records from the beginning, and leaves it to us when offsets are committed."""
    return AIOKafkaConsumer(
        **client_arguments(settings),
        group_id=settings.topic_prefix + group,
        group_instance_id=settings.instance_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_poll_interval_ms=int(settings.poll_interval_seconds * 1_000),
        session_timeout_ms=int(settings.session_seconds * 1_000),
        heartbeat_interval_ms=int(settings.session_seconds * 1_000 / 3),
        fetch_max_wait_ms=int(settings.fetch_wait_seconds * 1_000),
        consumer_timeout_ms=look_around_ms,
        metadata_max_age_ms=int(settings.partitions_known_seconds * 1_000),
    )


async def start(client: Client) -> None:
    """Start a client; who is cancelled meanwhile waits until it has started, to stop it then.

    aiokafka forgets the connection by which it asks for the cluster's brokers, still open, when it is cancelled.
    """
    starting = asyncio.create_task(client.start())
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=GIVING_UP_SECONDS)
        starting.cancel()
        raise


async def stop(client: Stoppable, seconds: float) -> None:
    """Stop a client and wait so long for it; where the broker does not answer, it goes on and ends when it can.

    aiokafka, cancelled while it stops, leaves tasks and connections behind that nobody ends.
    """
    stopping = asyncio.create_task(client.stop())
    _stopping.add(stopping)
    stopping.add_done_callback(_stopped)
    await asyncio.wait([stopping], timeout=seconds)


def _stopped(stopping: asyncio.Task[None]) -> None:
    _stopping.discard(stopping)
    if not stopping.cancelled() and (error := stopping.exception()):
        log.warning("kafka_client_not_stopped", error=repr(error))
