"""What the checker looks at: every topic from its beginning, every database by SQL, and the driver's journal."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.chaos.journal import Journal

TOPICS = {
    "batch-orchestrator": "batch_orchestrator_service",
    "essay-lifecycle": "essay_lifecycle_service",
    "class-management": "class_management_service",
    "student-matching": "student_matching_service",
    "file-service": "file_service",
}
"""The database in whose outbox everything on a topic must have been."""
TABLES = {
    "batch_orchestrator_service": ("batches",),
    "essay_lifecycle_service": ("essay_batches", "slots", "uploads"),
    "class_management_service": ("validations", "student_associations"),
    "student_matching_service": ("match_requests",),
    "file_service": ("uploads",),
}
RUNTIME_TABLES = ("outbox", "chaos_outbox_journal", "parked_messages", "timers", "inbox")

type Row = Mapping[str, Any]


@dataclass(frozen=True)
class Said:
    """One record as it stands in a topic."""

    topic: str
    partition: int
    offset: int
    key: str
    headers: tuple[tuple[str, bytes], ...]
    value: bytes
    source: str
    id: str
    type: str
    data: Mapping[str, Any]

    @property
    def attributes(self) -> dict[str, str]:
        """The CloudEvents attributes of a record in binary mode."""
        return {name[3:]: value.decode() for name, value in self.headers if name.startswith("ce_")}


@dataclass
class Evidence:
    """All that is known when everything is quiet."""

    records: list[Said]
    databases: dict[str, dict[str, list[Row]]]
    journal: Journal
    first: dict[tuple[str, str], Said] = field(default_factory=dict)
    """The first record of each (source, id)."""
    _by_type: dict[str, list[tuple[int, Said]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for record in self.records:
            if self.first.setdefault((record.source, record.id), record) is record:
                self._by_type[record.type].append((len(self.first), record))

    def rows(self, database: str, table: str) -> list[Row]:
        """The rows of a table."""
        return self.databases[database][table]

    def events(self, *types: str) -> list[Said]:
        """Each event of these types once, in the order of its topic and partition."""
        found = [each for kind in types for each in self._by_type[kind]]
        return [record for _, record in sorted(found, key=lambda each: each[0])]

    def by_batch(self, *types: str) -> dict[str, list[Said]]:
        """Those events by the batch they are about."""
        found = defaultdict(list)
        for event in self.events(*types):
            found[str(event.data["batch_id"])].append(event)
        return found


async def gather(brokers: str, urls: Mapping[str, str], journal: Journal) -> Evidence:
    """Read everything; `urls` are the databases by their names."""
    databases = {}
    for name, url in urls.items():
        connection = await asyncpg.connect(url)
        tables = (*RUNTIME_TABLES, *TABLES[name])
        databases[name] = {table: await connection.fetch(f"SELECT * FROM {table}") for table in tables}  # noqa: S608  # ours
        await connection.close()
    return Evidence(await _records(brokers), databases, journal)


async def _records(brokers: str) -> list[Said]:
    consumer = AIOKafkaConsumer(bootstrap_servers=brokers, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found: list[Said] = []
        for topic in (*TOPICS, "upstream"):
            numbers = await consumer._client._wait_on_metadata(topic)
            partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while any([await consumer.position(each) < ends[each] for each in partitions]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += [_said(record) for record in batch]
        return sorted(found, key=lambda each: (each.topic, each.partition, each.offset))
    finally:
        await consumer.stop()


def _said(record: Any) -> Said:
    headers = dict(record.headers)
    attributes = {name[3:]: value.decode() for name, value in headers.items() if name.startswith("ce_")}
    data = json.loads(record.value)
    if not attributes:
        attributes, data = data, data["data"]
    place = (record.topic, record.partition, record.offset, (record.key or b"").decode())
    about = (attributes["source"], attributes["id"], attributes["type"])
    return Said(*place, tuple(record.headers), record.value, *about, data)
