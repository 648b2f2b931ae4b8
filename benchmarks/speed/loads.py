"""Messages for one handler of a real service: what they meet in its database, and what must be true afterwards."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from uuid import UUID

from common_core.events import (
    BatchReadyForPipelineExecutionV1,
    EssayContentProvisionedV1,
    EssaySlotAssignedV1,
    Event,
)
from service_runtime import Service

from benchmarks.figures import check
from benchmarks.soak_load import CLASS, batch_id, message
from services.batch_orchestrator_service.service import service as orchestrator
from services.essay_lifecycle_service.service import service as lifecycle
from tests.integration.world import Database, World

SLOTS = 100
"""Of each batch in the hot variant: so many messages change the same aggregate."""
WAITING_BATCHES = """
    INSERT INTO batches (batch_id, teacher_id, course_code, class_id, expected_essay_count, registered_at, status,
        deferred, essays, students, history)
    SELECT id::uuid, 'berit', 'SV1', $3, 1, now(), 'awaiting_student_validation', '["essays_ready"]', essays::jsonb,
        '{}', jsonb_build_array(jsonb_build_object('from_status', 'awaiting_content_validation', 'to_status',
        'awaiting_student_validation', 'trigger', 'content_completed', 'at', now(), 'event_id', null))
    FROM unnest($1::text[], $2::text[]) AS given (id, essays)
"""
READY = "status = 'ready_for_pipeline_execution'"
FREE_SLOTS = """
    WITH new AS (
        INSERT INTO essay_batches (batch_id, teacher_id, course_code, state, closed_early, ready_said)
        SELECT id, 'berit', 'SV1', 'open', false, false FROM unnest($1::uuid[]) AS id RETURNING batch_id)
    INSERT INTO slots (essay_id, batch_id, number, state)
    SELECT gen_random_uuid(), batch_id, number, 'free' FROM new, generate_series(0, $2 - 1) AS number
"""
IN_ORDER = "state = 'assigned' AND file_upload_id = lpad(to_hex(number), 32, '0')::uuid"
OVERTAKEN = """
    SELECT count(*) FROM (
        SELECT said < lag(said) OVER (PARTITION BY key ORDER BY position) AS overtaken
        FROM (SELECT key, position, convert_from(data, 'UTF8')::jsonb ->> 'file_upload_id' AS said FROM outbox
              WHERE type = 'EssaySlotAssignedV1') AS assigned) AS pairs
    WHERE overtaken
"""


class Load(Protocol):
    """What is measured with."""

    service: Service
    module: str
    topic: str
    done: str
    """A query that counts the messages that were handled."""
    last_effect: str
    """A query for the time at which the last of them was committed."""

    @property
    def says(self) -> type[Event]:
        """What each message causes to be said."""

    async def seed(self, database: Database, messages: int) -> None: ...
    def events(self, messages: int) -> Iterator[Event]: ...
    async def check(self, world: World, messages: int, *, published: bool) -> None:
        """Every message had its effects once and in order; raises WrongData."""


async def count(database: Database, what: str) -> int:
    (row,) = await database.fetch(f"SELECT count(*) FROM {what}")
    return int(row["count"])


@dataclass(frozen=True)
class Confirmations:
    """The orchestrator hears that the associations of a batch are confirmed, and says that the batch is ready.

    `associations_confirmed` of the real service, each message for another batch of one essay: the batch was told before
    that its essays are ready, so it makes two moves and says one event.
    """

    poison_every: int = 0
    """Each so many-th batch has no essays, so that its message is refused and becomes a dead letter."""

    service = orchestrator
    module = "services.batch_orchestrator_service.service"
    topic = "class-management"
    done = f"SELECT (SELECT count(*) FROM batches WHERE {READY}) + (SELECT count(*) FROM parked_messages)"
    last_effect = f"SELECT max(pg_xact_commit_timestamp(xmin)) AS at FROM batches WHERE {READY}"

    @property
    def says(self) -> type[Event]:
        return BatchReadyForPipelineExecutionV1

    def _poisonous(self, number: int) -> bool:
        return bool(self.poison_every) and number % self.poison_every == self.poison_every // 2

    async def seed(self, database: Database, messages: int) -> None:
        ids = [str(batch_id(number)) for number in range(messages)]
        essays = [
            [] if self._poisonous(number) else [{"essay_id": each, "text_storage_id": "t", "original_file_name": "e"}]
            for number, each in enumerate(ids)
        ]
        await database.fetch(WAITING_BATCHES, ids, [json.dumps(each) for each in essays], CLASS)
        await database.fetch("ANALYZE batches")

    def events(self, messages: int) -> Iterator[Event]:
        return iter(_confirmations(messages))

    async def check(self, world: World, messages: int, *, published: bool) -> None:
        database = await world.database(self.service)
        refused = sum(map(self._poisonous, range(messages)))
        went = f"{READY} AND jsonb_array_length(history) = 3 AND deferred = '[]' AND students <> '{{}}'"
        went += " AND history #>> '{1,to_status}' = 'student_validation_completed'"
        check("batches that went their way", await count(database, f"batches WHERE {went}"), messages - refused)
        check("messages claimed", await count(database, "inbox"), messages)
        dead = "parked_messages WHERE state = 'dead' AND reason = 'refused'"
        check("dead letters", (await count(database, dead), await count(database, "parked_messages")), (refused,) * 2)
        if published:
            said = [event.key for event in await world.listener.said(self.says)]
        else:
            said = [UUID(row["key"]) for row in await database.fetch("SELECT key FROM outbox")]
        check("events, batches named", (len(said), len(set(said))), (messages - refused,) * 2)


class Uploads:
    """The essay lifecycle hears of contents, a hundred for each batch, and gives each a slot.

    `content_provisioned` of the real service: aggregates of a hundred slots, one event for each content and one for
    each batch.
    """

    service = lifecycle
    module = "services.essay_lifecycle_service.service"
    topic = "file-service"
    done = "SELECT count(*) FROM uploads"
    last_effect = "SELECT max(pg_xact_commit_timestamp(xmin)) AS at FROM uploads"

    @property
    def says(self) -> type[Event]:
        return EssaySlotAssignedV1

    async def seed(self, database: Database, messages: int) -> None:
        ids = [batch_id(number) for number in range(messages // SLOTS)]
        await database.fetch(FREE_SLOTS, ids, SLOTS)
        await database.fetch("ANALYZE essay_batches, slots")

    def events(self, messages: int) -> Iterator[Event]:
        return iter(_uploads(messages))

    async def check(self, world: World, messages: int, *, published: bool) -> None:
        assert not published, "nobody asks for this yet"
        database = await world.database(self.service)
        check("slots in upload order", await count(database, f"slots WHERE {IN_ORDER}"), messages)
        check("uploads", await count(database, "uploads WHERE outcome = 'assigned'"), messages)
        check("messages claimed", await count(database, "inbox"), messages)
        check("parked", await count(database, "parked_messages"), 0)
        said = {
            row["type"]: (row["count"], row["keys"])
            for row in await database.fetch("SELECT type, count(*), count(DISTINCT key) AS keys FROM outbox GROUP BY 1")
        }
        batches = messages // SLOTS
        wanted = {
            "EssaySlotAssignedV1": (messages, batches),
            "BatchContentProvisioningCompletedV1": (batches, batches),
        }
        check("events, batches named", said, wanted)
        (row,) = await database.fetch(OVERTAKEN)
        check("events that were overtaken", row["count"], 0)


# The same in each run, and made in as much time as a run takes.


@cache
def _confirmations(messages: int) -> Sequence[Event]:
    return [message(number, 2).event for number in range(messages)]


@cache
def _uploads(messages: int) -> Sequence[Event]:
    return [
        EssayContentProvisionedV1(
            batch_id=batch_id(batch),
            file_upload_id=UUID(int=slot),
            original_file_name=f"{slot}.txt",
            text_storage_id=f"text-{slot}",
            file_size_bytes=1_000,
        )
        for batch, slot in (divmod(number, SLOTS) for number in range(messages))
    ]
