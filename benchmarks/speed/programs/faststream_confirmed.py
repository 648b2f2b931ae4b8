"""The orchestrator's confirmed handler as one writes it with FastStream and SQLAlchemy: one transaction per message.

The decision, the tables and what is written are the real ones; what is not ours is who reads Kafka and who commits.
"""

import asyncio
import os

from common_core.events import StudentAssociationsConfirmedV1
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from service_runtime import Cause
from sqlalchemy import insert
from sqlalchemy.dialects.postgresql import insert as insert_or_not
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from uuid_utils.compat import uuid7

from services.batch_orchestrator_service.handlers import associations_confirmed
from services.batch_orchestrator_service.models import Base, Batch

INBOX, OUTBOX = Base.metadata.tables["inbox"], Base.metadata.tables["outbox"]
sessions = async_sessionmaker(
    create_async_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")),
    expire_on_commit=False,
)
broker = KafkaBroker(os.environ["BROKERS"], logger=None)


@broker.subscriber(
    os.environ["TOPIC"], group_id="plain", auto_offset_reset="earliest", ack_policy=AckPolicy[os.environ["ACK_POLICY"]]
)
async def confirmed(event: StudentAssociationsConfirmedV1, message: KafkaMessage) -> None:
    source, event_id = message.headers["ce_source"], message.headers["ce_id"]
    claim = insert_or_not(INBOX).values(source=source, event_id=event_id).on_conflict_do_nothing()
    async with sessions.begin() as session:
        at = await session.scalar(claim.returning(INBOX.c.received_at))
        if at is None:
            return
        batch = await session.get_one(Batch, event.batch_id, with_for_update=True)
        said = associations_confirmed(batch, event, Cause(event_id, event_id, None, at))
        rows = [
            {
                "event_id": uuid7(),
                "type": type(each).__name__,
                "topic": each.topic,
                "key": str(each.key),
                "correlation_id": event_id,
                "causation_id": event_id,
                "data": each.model_dump_json().encode(),
            }
            for each in said
        ]
        await session.execute(insert(OUTBOX), rows)


if __name__ == "__main__":
    asyncio.run(FastStream(broker, logger=None).run())
