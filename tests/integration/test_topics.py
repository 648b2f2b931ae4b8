"""The topics are those that are declared, or the service says which one is not and what to do about it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from service_runtime.kafka_clients import client_arguments
from service_runtime.testing import running, wait_until
from service_runtime.topics import Size, WrongTopics, check_topics, compare_topics, create_topics

from tests.integration.notebook import TABLES, service
from tests.integration.world import World


@asynccontextmanager
async def admin(world: World) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(**client_arguments(world.settings(database_url="postgresql://nowhere/none")))
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def test_topics_are_made_as_declared_and_only_once(world: World) -> None:
    settings = world.settings(database_url="postgresql://nowhere/none", retention_days=2)
    prefixed = settings.model_copy(update={"topic_prefix": f"{settings.topic_prefix}more."})
    made = await create_topics(prefixed)
    try:
        assert len(made) == 6
        assert await create_topics(prefixed) == []
        await wait_until(lambda: passes(prefixed))
        async with admin(world) as client:
            (answer,) = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, made[0])])
            entries = answer.resources[0][4]
            assert next(entry[1] for entry in entries if entry[0] == "retention.ms") == str(2 * 86_400_000)
    finally:
        async with admin(world) as client:
            await client.delete_topics(made)


async def test_what_the_broker_has_is_compared_with_what_is_declared_also_the_retention(world: World) -> None:
    made = world.settings(database_url="postgresql://nowhere/none", partitions=2, retention_days=14)
    declared = made.model_copy(update={"partitions": 3, "retention_days": 15.0})
    async with admin(world) as client:
        await client.delete_topics([f"{made.topic_prefix}upstream"])

    async def all_but_one() -> bool:
        return [each.topic.name for each in await compare_topics(made) if each.problems] == [
            f"{made.topic_prefix}upstream"
        ]

    await wait_until(all_but_one)
    first, *_, missing = await compare_topics(declared)
    assert (first.size, first.retention_ms) == (Size(2, 1), 14 * 86_400_000)
    partitions, retention = first.problems
    assert "has 2 partitions, 3 are declared" in partitions
    assert "keeps its messages 14 days, 15 days are declared: kafka-configs.sh --alter" in retention
    assert (missing.size, missing.retention_ms) == (None, None)
    assert missing.problems[0].endswith("upstream is missing: run `scriptorium migrate`")


async def passes(settings: object) -> bool:
    try:
        await check_topics(settings)  # type: ignore[arg-type]
    except WrongTopics:
        return False
    return True


async def test_a_service_says_which_topic_is_missing_and_works_once_it_is_there(world: World) -> None:
    database = await world.database(service, TABLES)
    settings = world.settings(database_url=database.url)
    missing = f"{settings.topic_prefix}essay-lifecycle"
    async with admin(world) as client:
        await client.delete_topics([missing])

    async with running(service, settings) as started:

        async def said() -> str:
            answer = await started.http.get("/readyz")
            assert answer.status_code == 503
            return str(answer.json()["problems"].get("consumer", ""))

        sentence = f"topic {missing} is missing: run `scriptorium migrate`"
        await wait_until(lambda: contains(said, sentence))
        await create_topics(settings)
        await started.ready()


async def contains(said: object, sentence: str) -> bool:
    return sentence in await said()  # type: ignore[operator]


async def test_a_topic_with_too_few_partitions_is_an_error_and_one_with_more_is_not(world: World) -> None:
    settings = world.settings(database_url="postgresql://nowhere/none")
    larger = settings.model_copy(update={"partitions": settings.partitions + 1})
    topic = f"{settings.topic_prefix}upstream"

    for look in (check_topics, create_topics):
        with pytest.raises(
            WrongTopics, match=rf"topic {topic} has 2 partitions, 3 are declared: .* set SCRIPTORIUM_PART"
        ):
            await look(larger)

    async with admin(world) as client:
        await client.create_partitions({topic: NewPartitions(total_count=3)})
    await wait_until(lambda: passes(settings))
