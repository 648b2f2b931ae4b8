"""The topics, one per publisher: declared here, made by `scriptorium migrate`, checked when a service starts."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from common_core.events.base import Topic

from service_runtime.kafka_clients import client_arguments
from service_runtime.settings import RuntimeSettings

TOPIC_ALREADY_EXISTS = 36
SEEN_SECONDS = 30.0
LOOK_SECONDS = 0.02
MILLISECONDS_PER_DAY = 86_400_000


class Size(NamedTuple):
    """How a topic is in the broker."""

    partitions: int
    replicas: int


class WrongTopics(Exception):
    """The broker does not have the topics as they are declared; nothing is guessed, an operator decides."""


def declared(settings: RuntimeSettings) -> list[NewTopic]:
    """Every topic that an event class names."""
    kept = {"retention.ms": str(int(settings.retention_days * MILLISECONDS_PER_DAY))}
    return [
        NewTopic(settings.topic_prefix + topic, settings.partitions, settings.replication_factor, topic_configs=kept)
        for topic in sorted(Topic)
    ]


async def create_topics(settings: RuntimeSettings) -> list[str]:
    """Create the topics that are missing; their names.

    Raises WrongTopics when others are not as declared, and KafkaError when the broker refuses.
    """
    async with _admin(settings) as client:
        found = await _found(client)
        require([topic for topic in declared(settings) if topic.name in found], found)
        missing = [topic for topic in declared(settings) if topic.name not in found]
        response = await client.create_topics(missing)
        for name, code, *message in response.topic_errors:
            if code not in (0, TOPIC_ALREADY_EXISTS):
                raise for_code(code)(f"topic {name}: {message}")
        made = [topic.name for topic in missing]
        # The broker hears of them from its controller a moment later.
        async with asyncio.timeout(SEEN_SECONDS):
            while set(made) - set(await _found(client)):  # noqa: ASYNC110  # nobody tells us
                await asyncio.sleep(LOOK_SECONDS)
        return made


async def check_topics(settings: RuntimeSettings) -> None:
    """Raises WrongTopics with what is wrong and the way out, for each topic."""
    async with _admin(settings) as client:
        require(declared(settings), await _found(client))


def require(topics: Sequence[NewTopic], found: Mapping[str, Size]) -> None:
    """Compare what is declared with what there is; raises WrongTopics."""
    problems = [problem for topic in topics if (problem := _problem(topic, found.get(topic.name)))]
    if problems:
        raise WrongTopics("; ".join(problems))


def _problem(topic: NewTopic, size: Size | None) -> str | None:
    if size is None:
        return f"topic {topic.name} is missing: run `scriptorium migrate`"
    # More are welcome: somebody has added them.
    if size.partitions < topic.num_partitions:
        return (
            f"topic {topic.name} has {size.partitions} partitions, {topic.num_partitions} are declared:"
            f" add some (kafka-topics.sh --alter) or set SCRIPTORIUM_PARTITIONS={size.partitions}"
        )
    if size.replicas < topic.replication_factor:
        return (
            f"topic {topic.name} is on {size.replicas} brokers, {topic.replication_factor} are declared:"
            f" add some (kafka-reassign-partitions.sh) or set SCRIPTORIUM_REPLICATION_FACTOR={size.replicas}"
        )
    return None


@asynccontextmanager
async def _admin(settings: RuntimeSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**client_arguments(settings))
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def _found(client: AIOKafkaAdminClient) -> dict[str, Size]:
    topics = await client.describe_topics()
    return {
        topic["topic"]: Size(len(topic["partitions"]), min(len(each["replicas"]) for each in topic["partitions"]))
        for topic in topics
        if topic["partitions"]
    }
