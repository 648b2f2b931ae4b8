"""faststream-outbox as a relay to Kafka, with what its documentation recommends for many rows.

docs/concepts/performance.md: `terminal_flush_batch_size`, `fetch_batch_size`, `max_workers`, `outbox_autovacuum_ddl`;
docs/usage/relay.md: the chain of both brokers.
"""

import asyncio
import os
from typing import Any

from faststream import FastStream
from faststream.kafka import KafkaBroker, KafkaResponse
from faststream_outbox import OutboxBroker, make_outbox_table, outbox_autovacuum_ddl
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import create_async_engine

workers = int(os.environ["WORKERS"])
metadata = MetaData()
table = make_outbox_table(metadata, table_name="outbox")
engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://"), pool_size=workers + 2
)
outbox = OutboxBroker(engine, outbox_table=table, logger=None)
kafka = KafkaBroker(os.environ["BROKERS"], acks="all", enable_idempotence=True, logger=None)
publisher = kafka.publisher(os.environ["TOPIC"])


@publisher
@outbox.subscriber(
    "events",
    max_workers=workers,
    fetch_batch_size=200,
    terminal_flush_batch_size=100,
    min_fetch_interval=0.01,
    max_fetch_interval=0.1,
)
async def relay(body: dict[str, Any]) -> KafkaResponse:
    return KafkaResponse(body, key=body["key"].encode())


async def prepare() -> None:
    """Make the table."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
        await connection.execute(text(outbox_autovacuum_ddl("outbox")))
    await engine.dispose()


if __name__ == "__main__":
    if "PREPARE" in os.environ:
        asyncio.run(prepare())
    else:
        asyncio.run(FastStream(outbox, on_startup=[kafka.connect], logger=None).run())
