"""What must be true after the soak: each message had its effect once, and all that was recorded was said."""

from collections.abc import Mapping

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from common_core.events.base import Topic

from benchmarks.soak_load import batch_id, is_refused, message

SAID = (b"BatchEssaysRegisteredV1", b"InitiateStudentMatchingV1", b"BatchReadyForPipelineExecutionV1")
"""What is said about each batch, in this order."""
READY = """
    SELECT count(*) FROM batches WHERE status = 'ready_for_pipeline_execution' AND jsonb_array_length(history) = 3
    AND jsonb_array_length(essays) = 1 AND deferred = '[]'
"""


async def check_database(url: str, batches: int) -> None:
    """Every batch went its way once, exactly what was refused is a dead letter, and nothing is left to do."""
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval("SELECT count(*) FROM batches") == batches, "batches are missing"
        assert await connection.fetchval(READY) == batches, "a batch is not ready, or went its way twice"
        assert await connection.fetchval("SELECT count(*) FROM outbox") == 0, "rows are left in the outbox"
        parked = await connection.fetch("SELECT state, reason, event_id FROM parked_messages")
    finally:
        await connection.close()
    refused = sorted(("dead", "refused", message(each, 4).event_id) for each in range(batches) if is_refused(each))
    assert sorted(map(tuple, parked)) == refused, "the dead letters are not exactly what was refused"


async def check_topic(servers: str, partitions: int, batches: int) -> int:
    """Each event was published under one id, in its order, and nothing else was; how many were repetitions."""
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    ids: dict[bytes, list[bytes]] = {}
    repetitions = 0
    try:
        consumer.assign([TopicPartition(Topic.BATCH_ORCHESTRATOR, number) for number in range(partitions)])
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    repetitions += _is_repetition(ids.setdefault(record.key, []), dict(record.headers))
    finally:
        await consumer.stop()
    expected = {str(batch_id(number)).encode() for number in range(batches)}
    assert ids.keys() == expected, "something was said about no batch, or nothing about one"
    assert all(len(each) == len(SAID) for each in ids.values()), "an event of a batch was never published"
    return repetitions


def _is_repetition(ids: list[bytes], headers: Mapping[str, bytes]) -> bool:
    stage = SAID.index(headers["ce_type"])
    if stage == len(ids):
        ids.append(headers["ce_id"])
        return False
    assert stage < len(ids), "an event was published before the one recorded before it"
    assert ids[stage] == headers["ce_id"], "the same event was published under two ids"
    return True
