"""A relay as one writes it first: poll the oldest row, send it, wait for the acknowledgement, delete it."""

import asyncio
import os

import asyncpg
from aiokafka import AIOKafkaProducer

OLDEST = "SELECT position, topic, key, data FROM outbox ORDER BY position LIMIT 1"


async def main() -> None:
    """Until killed."""
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    async with AIOKafkaProducer(
        bootstrap_servers=os.environ["BROKERS"], acks="all", enable_idempotence=True
    ) as producer:
        while True:
            row = await connection.fetchrow(OLDEST)
            if row is None:
                await asyncio.sleep(0.05)
                continue
            await producer.send_and_wait(row["topic"], row["data"], key=row["key"].encode())
            await connection.execute("DELETE FROM outbox WHERE position = $1", row["position"])


if __name__ == "__main__":
    asyncio.run(main())
