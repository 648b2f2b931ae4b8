"""The topics, one per publisher: declared here, made by `scriptorium migrate`, checked when a service starts."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import for_code
from common_core.events.base import Topic

from service_runtime.kafka_clients import client_arguments, start
from service_runtime.settings import RuntimeSettings

TOPIC_ALREADY_EXISTS = 36
SEEN_SECONDS = 30.0
LOOK_SECONDS = 0.02
MILLISECONDS_PER_DAY = 86_400_000


class Size(NamedTuple):
    """How a topic is in the broker."""

    partitions: int
    replicas: int


class Compared(NamedTuple):
    """A topic as it is declared and as the broker has it."""

    topic: NewTopic
    size: Size | None
    """None: there is no such topic."""
    retention_ms: int | None
    """How long messages are kept, -1 for ever; None: the broker does not say."""
    problems: list[str]
    """What is missing or smaller than declared, or kept for another time, and the way out."""


class WrongTopics(Exception):
    """The broker does not have the topics as they are declared; nothing is guessed, an operator decides."""


def declared(settings: RuntimeSettings) -> list[NewTopic]:
    """Every topic that an event class names."""
    retention = int(settings.retention_days * MILLISECONDS_PER_DAY)
    # Kafka deletes whole segments, by their last message: the first one stays longer by as much as a segment spans.
    kept = {"retention.ms": str(retention), "segment.ms": str(min(retention, MILLISECONDS_PER_DAY))}
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


async def given_out(group: str, settings: RuntimeSettings) -> set[TopicPartition]:
    """The partitions that the members of a consumer group have, none while it shares them out; raises KafkaError."""
    name = settings.topic_prefix + group
    async with _admin(settings) as client:
        (answer,) = await client.describe_consumer_groups([name])
    ((code, _, state, _, _, members, *_),) = answer.groups
    if code:
        raise for_code(code)(f"group {name}")
    if state != "Stable":
        return set()
    assignments = [ConsumerProtocolMemberAssignment.decode(assignment) for *_, assignment in members]
    return {partition for each in assignments for partition in each.partitions()}


async def found_topics(settings: RuntimeSettings) -> dict[str, Size]:
    """All topics of the broker, ours and others; raises KafkaError."""
    async with _admin(settings) as client:
        return await _found(client)


async def compare_topics(settings: RuntimeSettings) -> list[Compared]:
    """Every declared topic beside what the broker has; raises KafkaError."""
    async with _admin(settings) as client:
        found = await _found(client)
        topics = declared(settings)
        kept = await _retention(client, [topic.name for topic in topics if topic.name in found])
    return [compare(topic, found.get(topic.name), kept.get(topic.name), settings) for topic in topics]


def retention_ms(topic: NewTopic) -> int:
    """How long a declared topic is to keep its messages."""
    return int(topic.topic_configs["retention.ms"])


def require(topics: Sequence[NewTopic], found: Mapping[str, Size]) -> None:
    """Compare what is declared with what there is; raises WrongTopics."""
    problems = [problem for topic in topics for problem in _problems(topic, found.get(topic.name))]
    if problems:
        raise WrongTopics("; ".join(problems))


def _problems(topic: NewTopic, size: Size | None) -> Iterator[str]:
    if size is None:
        yield f"topic {topic.name} is missing: run `scriptorium migrate`"
        return
    # More are welcome: somebody has added them.
    if size.partitions < topic.num_partitions:
        yield (
            f"topic {topic.name} has {size.partitions} partitions, {topic.num_partitions} are declared:"
            f" add some (kafka-topics.sh --alter) or set SCRIPTORIUM_PARTITIONS={size.partitions}"
        )
    if size.replicas < topic.replication_factor:
        yield (
            f"topic {topic.name} is on {size.replicas} brokers, {topic.replication_factor} are declared:"
            f" add some (kafka-reassign-partitions.sh) or set SCRIPTORIUM_REPLICATION_FACTOR={size.replicas}"
        )


def compare(topic: NewTopic, size: Size | None, kept: int | None, settings: RuntimeSettings) -> Compared:
    """A declared topic beside what the broker has of it."""
    problems = list(_problems(topic, size))
    wanted = retention_ms(topic)
    if kept is not None and kept != wanted:
        differs = (
            f"topic {topic.name} keeps its messages {days(kept)}, {days(wanted)} are declared: kafka-configs.sh --alter"
            f" --entity-type topics --entity-name {topic.name} --add-config retention.ms={wanted}, or set"
            " SCRIPTORIUM_RETENTION_DAYS"
        )
        if not 0 <= kept <= wanted:
            differs += "; so long it has the names of students who were erased"
        if not 0 <= kept <= settings.inbox_days * MILLISECONDS_PER_DAY:
            differs += "; the inbox forgets after SCRIPTORIUM_INBOX_DAYS, so never read older ones again"
        problems.append(differs)
    return Compared(topic, size, kept, problems)


def days(milliseconds: int) -> str:
    """How long messages are kept, in words."""
    return "for ever" if milliseconds < 0 else f"{milliseconds / MILLISECONDS_PER_DAY:g} days"


async def _retention(client: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """The retention that counts, also when it is the broker's own; nothing where we may not see it."""
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    resources = [each for answer in await client.describe_configs(asked) for each in answer.resources]
    return {
        name: int(value)
        for code, _, _, name, entries in resources
        for key, value, *_ in entries
        if code == 0 and key == "retention.ms"
    }


@asynccontextmanager
async def _admin(settings: RuntimeSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**client_arguments(settings))
    try:
        await start(client)
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
