"""Events a second from the outbox to Kafka: 200,000 rows of 500 bytes, from the open gate to the last record.

All rows are there, and the relay waits for the table, before the clock runs. Who has not published everything after the
window is stopped; its rate is of what it has published. Everybody waits for all replicas (acks=all).
"""

import argparse
import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from service_runtime import RuntimeSettings
from service_runtime.testing import wait_until

from benchmarks import figures
from benchmarks.figures import check
from benchmarks.speed.stage import (
    LOOK_SECONDS,
    Gate,
    Run,
    cpu_seconds,
    median_rate,
    now,
    rounds,
    servers,
    spread,
    stage,
    start,
    start_program,
    topic_of,
)
from services.batch_orchestrator_service.service import service
from tests.integration.world import Database, RealParts, World

TABLE = "From the outbox to Kafka, events a second"
MODULE = "services.batch_orchestrator_service.service"
ROWS, KEYS = 200_000, 1_000
WINDOW = 5.0
PATIENCE = 120.0
TEXT = "x" * 436
OURS = """
    INSERT INTO outbox (event_id, type, topic, key, correlation_id, data)
    SELECT gen_random_uuid(), 'EssaySlotAssignedV1', $1, key, 'c',
        convert_to(jsonb_build_object('key', key, 'number', number, 'text', $4::text)::text, 'UTF8')
    FROM generate_series(1, $2::int) AS number, LATERAL (SELECT md5((number % $3)::text)::uuid::text AS key) AS keyed
"""
THEIRS = """
    INSERT INTO outbox (queue, payload, headers)
    SELECT 'events', convert_to(jsonb_build_object(
        'key', key, 'number', number, 'text', $3::text)::text, 'UTF8'),
        '{"content-type": "application/json"}'
    FROM generate_series(1, $1::int) AS number, LATERAL (SELECT md5((number % $2)::text)::uuid::text AS key) AS keyed
"""


@dataclass(frozen=True)
class Way:
    """One row of the table."""

    name: str
    program: str | None = None
    """One of `programs` instead of the real service."""
    workers: int = 1
    """How many publish at the same time."""
    keeps_order: bool = True

    @property
    def waits_with(self) -> str:
        """What stands in the statement with which it waits for the table."""
        return "UPDATE" if self.program == "faststream_relay" else "FROM outbox"


WAYS = [
    Way("our relay"),
    Way("faststream-outbox, one worker", "faststream_relay"),
    Way("faststream-outbox, eight workers", "faststream_relay", workers=8, keeps_order=False),
    Way("one row at a time", "row_by_row"),
]


async def one_run(parts: RealParts, way: Way, rows: int) -> Run:
    """One relay on a stage of its own; raises WrongData."""
    async with stage(parts) as world, AsyncExitStack() as ends:
        database = await world.database(service)
        await fill(world, way, database, rows)
        gate = Gate(database, "outbox", way.waits_with)
        async with gate.closed():
            if way.program is None:
                process = await start(world, service, MODULE)
            else:
                process = start_program(ends, way.program, **variables(world, way, database))
            await gate.crowded(process, 1)
            used_before = cpu_seconds([process])
        began = await now(database)
        async with reader(world) as consumer:
            await until_published(consumer, rows, PATIENCE if way.program is None else WINDOW)
            used = cpu_seconds([process]) - used_before
            process.kill()
            published, ended = await read(consumer, way)
        if way.program is None:
            check("events published", published, rows)
        return Run(published / (ended - began.timestamp()), 1e6 * used / published)


def variables(world: World, way: Way, database: Database) -> dict[str, str]:
    """What a program of others is told."""
    return {
        "DATABASE_URL": database.url,
        "BROKERS": world.stack.kafka_bootstrap_servers,
        "TOPIC": topic_of(world, service.name),
        "WORKERS": str(way.workers),
    }


async def fill(world: World, way: Way, database: Database, rows: int) -> None:
    """All rows, in the outbox of whoever is to publish them."""
    if way.program == "faststream_relay":
        await database.fetch("DROP TABLE outbox")
        async with AsyncExitStack() as ends:
            prepare = start_program(ends, way.program, **variables(world, way, database), PREPARE="only")
            await asyncio.to_thread(prepare.finish, PATIENCE)
        await database.fetch(THEIRS, rows, KEYS, TEXT)
    else:
        await database.fetch(OURS, topic_of(world, service.name), rows, KEYS, TEXT)
    await database.fetch("ANALYZE outbox")


@asynccontextmanager
async def reader(world: World) -> AsyncIterator[AIOKafkaConsumer]:
    """Reads the topic from its beginning, outside of any group."""
    async with AIOKafkaConsumer(
        bootstrap_servers=world.stack.kafka_bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        topic = topic_of(world, service.name)
        consumer.assign(
            [TopicPartition(topic, number) for number in range(RuntimeSettings.model_fields["partitions"].default)]
        )
        consumer.pause(*consumer.assignment())
        yield consumer


async def until_published(consumer: AIOKafkaConsumer, rows: int, seconds: float) -> None:
    """Wait until so many records are in the topic, or the time is over."""

    async def complete() -> bool:
        await asyncio.sleep(LOOK_SECONDS)
        return bool(sum((await consumer.end_offsets(consumer.assignment())).values()) >= rows)

    with contextlib.suppress(AssertionError):
        await wait_until(complete, seconds)


async def read(consumer: AIOKafkaConsumer, way: Way) -> tuple[int, float]:
    """How many events were published, and when the last was; raises WrongData."""
    consumer.resume(*consumer.assignment())
    ends = await consumer.end_offsets(consumer.assignment())
    last: dict[str, int] = {}
    numbers: set[int] = set()
    records, overtaken, ended = 0, 0, 0
    while any([await consumer.position(each) < end for each, end in ends.items()]):
        for batch in (await consumer.getmany(timeout_ms=500)).values():
            for record in batch:
                event = json.loads(record.value)
                key, number = event["key"], event["number"]
                overtaken += number < last.get(key, 0)
                last[key], ended = number, max(ended, record.timestamp)
                numbers.add(number)
                records += 1
    check("events published twice", records - len(numbers), 0)
    if way.keeps_order:
        check("events that were overtaken", overtaken, 0)
    return records, ended / 1_000


async def main(runs: int, rows: int) -> None:
    report = figures.Report("relay")
    async with servers() as parts:
        found, failed = await rounds(WAYS, runs, lambda way: one_run(parts, way, rows))
    for way, some in found.items():
        order = "yes" if way.keeps_order else "no"
        ratio = median_rate(found[WAYS[0]]) / median_rate(some) if WAYS[0] in found else None
        report.row(TABLE, {"relay": way.name, "order of a key": order, **spread(some), figures.RATIO: ratio})
    report.finish()
    figures.complete(failed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    chosen = parser.parse_args()
    figures.measured(main(chosen.runs, chosen.rows))
