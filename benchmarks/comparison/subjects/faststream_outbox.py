"""faststream-outbox: rows handled in place, and rows relayed to Kafka, with one worker (default) or four."""

import asyncio
from typing import Any

from faststream import FastStream
from faststream.kafka import KafkaBroker, KafkaResponse
from faststream_outbox import OutboxBroker, make_outbox_table
from sqlalchemy import MetaData, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from benchmarks.comparison.place import Place, run

LOCK = text("SELECT version FROM accounts WHERE key = :key FOR UPDATE")
CHANGE = text("UPDATE accounts SET version = version + 1 WHERE key = :key RETURNING version")
NEW = text("INSERT INTO accounts (key) VALUES (:key) ON CONFLICT DO NOTHING")


class FastStreamOutbox:
    """The commands of the comparison."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.metadata = MetaData()
        table = make_outbox_table(self.metadata, table_name="outbox")
        url = place.database_url.replace("postgresql://", "postgresql+asyncpg://")
        self.engine = create_async_engine(url)
        self.broker = OutboxBroker(self.engine, outbox_table=table)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.workers: dict[str, Any] = {} if place.is_default else {"max_workers": 4}

    async def prepare(self) -> None:
        async with self.engine.begin() as connection:
            await connection.run_sync(self.metadata.create_all)

    async def work(self) -> None:
        @self.broker.subscriber("messages", **self.workers)
        async def handle(body: dict[str, str]) -> None:
            await self.place.handle(body["message"])

        await FastStream(self.broker).run()

    async def send(self) -> None:
        async def publish(message: str) -> None:
            async with self.sessions() as session, session.begin():
                await self.broker.publish({"message": message}, queue="messages", session=session)

        await self.place.hand_over(publish)

    async def relay(self) -> None:
        kafka = KafkaBroker(self.place.brokers)
        publisher = kafka.publisher(self.place.topic)

        @publisher
        @self.broker.subscriber("changes", **self.workers)
        async def publish(body: dict[str, Any]) -> KafkaResponse:
            return KafkaResponse(body, key=body["key"].encode())

        await FastStream(self.broker, on_startup=[kafka.connect]).run()

    async def change(self, times: str, pause: str, *keys: str) -> None:
        for number in range(int(times)):
            key = {"key": keys[number % len(keys)]}
            async with self.sessions() as session, session.begin():
                await session.execute(NEW, key)
                await session.execute(LOCK, key)
                version = await session.scalar(CHANGE, key)
                await self.broker.publish({**key, "version": version}, queue="changes", session=session)
            await asyncio.sleep(float(pause))


if __name__ == "__main__":
    run(FastStreamOutbox)
