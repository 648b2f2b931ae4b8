"""How long an operator waits for 100,000 dead letters: replayed by one request, then handled by the real orchestrator.

Three piles: each of another batch; all of one batch; each of another batch, and every tenth refused again.
"""

import asyncio
import json
import logging
import os
import sys
import time
from uuid import uuid4

import service_runtime.logging
from common_core.events import RegisterBatchV1
from common_core.status_enums import CourseCode
from local_stack import LocalStack
from service_runtime.auth import Role
from service_runtime.testing import bearer, binary, wait_until

from services.batch_orchestrator_service.service import service
from tests.integration.world import Database, RealParts, World

MESSAGES = int(os.environ.get("MESSAGES", "100000"))
MOST_SECONDS = 600.0
ADD = """
    INSERT INTO parked_messages (state, reason, error, due_at, source, event_id, type, key, topic, partition,
        record_offset, record_key, record_headers, record_value)
    SELECT 'dead', 'bug', 'RuntimeError: mended', 'infinity', '/upstream', id, 'RegisterBatchV1', key, 'upstream',
        0, number, convert_to(key, 'UTF8'), headers::jsonb, convert_to(value, 'UTF8')
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
        AS letters (id, key, headers, value, number)
"""
DEAD, LIVE = (f"SELECT count(*) FROM parked_messages WHERE state {sign} 'dead'" for sign in ("=", "<>"))


async def pile(database: Database, *, keys: int, refused: bool) -> None:
    """Dead letters of so many batches; of those refused again, the batch belongs to another teacher."""
    ids = [uuid4() for _ in range(keys)]
    columns: tuple[list[str], ...] = ([], [], [], [])
    for number in range(MESSAGES):
        stranger = refused and number % 10 == 9
        event = RegisterBatchV1(
            batch_id=ids[(number - stranger) % keys],
            teacher_id="stranger" if stranger else "teacher",
            course_code=CourseCode.SV1,
            expected_essay_count=5,
        )
        event_id = str(uuid4())
        headers = json.dumps([[name, value.hex()] for name, value in binary(event, event_id, "/upstream")])
        for column, value in zip(columns, (event_id, str(event.key), headers, event.model_dump_json()), strict=True):
            column.append(value)
    await database.fetch(ADD, *columns)


async def replay(parts: RealParts, name: str, *, keys: int, refused: bool = False) -> None:
    """One pile, and a line about it; raises if anything is lost or refused that should not be."""
    async with World.opened(parts) as world:
        database = await world.database(service)
        await pile(database, keys=keys, refused=refused)
        run = await world.run(service, poll_seconds=1.0)

        async def handled() -> bool:
            return not (await database.fetch(LIVE))[0]["count"]

        async def published() -> bool:
            return not await database.count("outbox")

        started = time.perf_counter()
        headers = bearer(run.runtime.settings, "operator", Role.OPERATOR)
        wanted = {"everything": True, "why": "the bug is mended"}
        answer = await run.http.post("/ops/dead-letters/replay", json=wanted, headers=headers, timeout=120)
        asked = time.perf_counter() - started
        await wait_until(handled, MOST_SECONDS)
        took = time.perf_counter() - started
        await wait_until(published, MOST_SECONDS)
        found = (answer.json(), (await database.fetch(DEAD))[0]["count"], await database.count("batches"))
        if found != ({"replayed": MESSAGES}, MESSAGES // 10 if refused else 0, keys - keys // 10 if refused else keys):
            raise AssertionError(f"{name}: replayed, dead again, batches: {found}")
        print(f"{name:28}{asked:9.1f}{took:10.1f}{MESSAGES / took:12,.0f}/s", flush=True)


async def main() -> None:
    """Print one table."""
    service_runtime.logging.configure("replay", "CRITICAL")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(f"{MESSAGES:,} dead letters; load {os.getloadavg()[0]:.1f}")
    print(f"{'':28}{'asked s':>9}{'handled s':>10}{'':>12}")
    with LocalStack() as stack:
        parts = RealParts(stack)
        await replay(parts, "each of another batch", keys=MESSAGES)
        await replay(parts, "all of one batch", keys=1)
        await replay(parts, "a tenth refused again", keys=MESSAGES, refused=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
