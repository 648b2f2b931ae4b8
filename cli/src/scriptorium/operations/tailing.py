"""Reads topics outside of any group: nobody else notices."""

import heapq
from collections.abc import AsyncGenerator, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from common_core.events import Topic
from service_runtime import RuntimeSettings
from service_runtime.kafka_clients import client_arguments
from service_runtime.topics import found_topics

from scriptorium.errors import CommandFailed

POLL_MS = 500


class NoSuchTopic(CommandFailed):
    """The broker does not have a topic that was named."""

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(
            f"there is no topic {', '.join(names)}",
            f"name one of {', '.join(known)}" if known else "run `scriptorium migrate`, which creates them",
        )


def full_names(topics: Sequence[str], prefix: str) -> list[str]:
    """What these topics, or all of ours, are called in the broker; the prefix stands before ours only."""
    ours = list(Topic)
    return [prefix + topic if topic in ours else topic for topic in topics or ours]


async def records(
    settings: RuntimeSettings, topics: Sequence[str], *, from_beginning: bool
) -> AsyncGenerator[ConsumerRecord[bytes, bytes] | None]:
    """All that is in these topics, or will be; of one partition in its order. None while nothing comes.

    Partitions that are added meanwhile are not read. Raises NoSuchTopic.
    """
    found = await found_topics(settings)
    if missing := [name for name in topics if name not in found]:
        raise NoSuchTopic(missing, sorted(name for name in found if not name.startswith("__")))
    client = AIOKafkaConsumer(
        **client_arguments(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        await client.start()
        client.assign([TopicPartition(name, each) for name in topics for each in range(found[name].partitions)])
        if not from_beginning and not await client.seek_to_end():
            raise TimeoutError("it does not say where its topics end")
        while True:
            fetched = await client.getmany(timeout_ms=POLL_MS)
            if not fetched:
                yield None
            for record in heapq.merge(*fetched.values(), key=lambda each: each.timestamp):
                yield record
    finally:
        await client.stop()
