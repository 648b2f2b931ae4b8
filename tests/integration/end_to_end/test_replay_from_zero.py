"""Every topic read again from its beginning into the finished system: no row changes, and nobody says anything."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from common_core.events import EssayContentProvisionedV1, Event, RegisterBatchV1
from common_core.status_enums import CourseCode
from service_runtime import Service, inbox
from service_runtime.service import Runtime
from service_runtime.testing import wait_until

from services.batch_orchestrator_service.service import service as orchestrator
from services.class_management_service.service import service as class_management
from services.essay_lifecycle_service.service import service as essay_lifecycle
from services.file_service.service import service as file_service
from services.student_matching_service.service import service as student_matching
from tests.integration.end_to_end.school import ROSTER, School, essay
from tests.integration.sockets import app_of, served
from tests.integration.world import SECRET, World

SERVICES = (file_service, orchestrator, essay_lifecycle, class_management, student_matching)
# What was read already is no part of what was decided; every other table is compared, each row in all its columns.
NOT_COMPARED = {"inbox", "alembic_version"}
TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
READY, FAILED = "ready_for_pipeline_execution", "content_ingestion_failed"

type Rows = dict[str, list[str]]
"""The rows of every table of every service, as text."""
type Records = set[tuple[str, int, int, str, str]]
"""Topic, partition, offset, id and data of everything that was said."""


@dataclass(frozen=True)
class Finished:
    """A system in which every batch has come to its end, and nothing runs."""

    world: World
    rows: Rows
    records: Records


@pytest.fixture(scope="module")
async def finished(shared_world: World) -> Finished:
    async with everything_runs(shared_world) as variables, School(variables) as school:
        await whole_way(school)
        await off_the_path(school)
        await from_outside(shared_world, school)
        await school.change_roster([*ROSTER, ("Dan", "Ek")])
        await wait_until(lambda: all_done(shared_world), 60)
    return Finished(shared_world, await all_rows(shared_world), await all_records(shared_world))


@asynccontextmanager
async def everything_runs(world: World, **of_orchestrator: Any) -> AsyncIterator[dict[str, str]]:
    """All five services, and the variables by which a school reaches them."""
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": world.settings(database_url="postgresql://nowhere/none").kafka_bootstrap_servers,
        "SCRIPTORIUM_JWT_SECRET": SECRET,
    }
    async with AsyncExitStack() as stack:
        for service in SERVICES:
            asks = service in (student_matching, class_management)
            texts = {"file_service_url": variables["FILE_SERVICE_URL"]} if asks else {}
            changes = of_orchestrator if service is orchestrator else texts
            # However slow they are: what a service does not know yet, it waits for.
            started = await stack.enter_async_context(world.running(service, known_within_seconds=15.0, **changes))
            url = await stack.enter_async_context(served(app_of(started)))
            variables[f"{service.name.replace('-', '_').upper()}_URL"] = url
        yield variables


async def whole_way(school: School) -> None:
    """A REGULAR batch, one that its deadline confirms, one whose teacher changes their mind, and a GUEST batch."""
    regular, late, chosen = [await school.register(3) for _ in range(3)]
    guest = await school.register(2, guest=True)
    names = ("Asa Ostrom", "Bo Lindqvist", "Carla Reyes")
    for number, batch_id in enumerate((regular, late, guest)):
        await school.upload(batch_id, *(essay(f"Namn: {name}", number) for name in names[: 3 - (batch_id == guest)]))
    # An empty file, a text twice and a surplus file.
    bo, carla = essay("Bo Lindqvist", 7), essay("Untitled", 8)
    await school.upload(chosen, b"", bo, bo, carla, essay("Asa Ostrom", 9))

    for batch_id in (regular, late, chosen):
        await school.until_asked(batch_id)
    await school.confirm(regular)
    path = f"/v1/batches/{late}/student-associations/deadline"
    now = {"deadline": datetime.now(UTC).isoformat()}
    (await school.request("PUT", "CLASS_MANAGEMENT", path, json=now)).raise_for_status()
    untitled = (await school.until_asked(chosen))["file-3.txt"]["essay_id"]
    path = f"/v1/batches/{chosen}/student-associations/{untitled}"
    (await school.request("PUT", "CLASS_MANAGEMENT", path, json={"student_id": None})).raise_for_status()
    await school.confirm(chosen, {untitled: school.students["Carla Reyes"]})
    for batch_id in (regular, late, chosen, guest):
        await school.until(batch_id, READY)


async def off_the_path(school: School) -> None:
    """Batches that are closed early, that fail, and that are cancelled before and after their teacher is asked."""
    closed, failed, asked, empty = [await school.register(count) for count in (3, 2, 1, 1)]
    await school.upload(closed, essay("Bo Lindqvist"))
    await school.upload(asked, essay("Carla Reyes"))
    await school.upload(failed, b"", b"too short")

    async def has_a_slot() -> bool:
        slots = (await school.get("ESSAY_LIFECYCLE", f"/v1/batches/{closed}/essays"))["slots"]
        return any(each["state"] == "assigned" for each in slots)

    await wait_until(has_a_slot)
    await school.post("ESSAY_LIFECYCLE", f"/v1/batches/{closed}/close")
    await school.upload(closed, essay("Too late", 1))
    await school.until_asked(closed)
    await school.confirm(closed)
    await school.until_asked(asked)
    for batch_id in (asked, empty):
        await school.post("BATCH_ORCHESTRATOR", f"/v1/batches/{batch_id}/cancel")
    await school.until(closed, READY)
    await school.until(failed, FAILED)


async def from_outside(world: World, school: School) -> None:
    """Contents before their batch, a registration twice, and one with other fields: a dead letter."""
    batch_id, about = uuid4(), {"teacher_id": school.teacher_id, "course_code": CourseCode.ENG6}
    for number in range(2):
        content = EssayContentProvisionedV1(
            batch_id=batch_id,
            file_upload_id=uuid4(),
            original_file_name=f"{number}.txt",
            text_storage_id=f"elsewhere/{number}",
            file_size_bytes=7,
        )
        await world.outside.publish(content)
    for count in (2, 2, 3):
        await world.outside.publish(RegisterBatchV1(batch_id=batch_id, expected_essay_count=count, **about))
    await wait_until(lambda: world.is_done(orchestrator))
    await school.until(str(batch_id), READY)


async def all_done(world: World) -> bool:
    """Whether every service has read everything, and nothing is left to do or to say.

    One is asked after the other: what is said meanwhile may be news to those that were asked before.
    """
    before = await world.listener.ends()
    for service in SERVICES:
        if not await world.is_done(service) or await (await world.database(service)).count("timers"):
            return False
    return await world.listener.ends() == before


async def all_rows(world: World) -> Rows:
    found: Rows = {}
    for service in SERVICES:
        database = await world.database(service)
        for table in {row["relname"] for row in await database.fetch(TABLES)} - NOT_COMPARED:
            rows = await database.fetch(f"SELECT whole::text FROM {table} AS whole")  # noqa: S608  # our own names
            found[f"{service.name} {table}"] = sorted(row["whole"] for row in rows)
    return found


async def all_records(world: World) -> Records:
    heard = await world.listener.all_of(Event)
    return {
        (each.record.topic, each.record.partition, each.record.offset, each.envelope.id, str(each.record.value))
        for each in heard
    }


async def forget(world: World, service: Service) -> None:
    """Let the service's retention take everything it ever takes: what is parked stays known."""
    database = await world.database(service)
    runtime = Runtime(service, world.settings(service.settings, database_url=database.url), None)
    await inbox.forget(runtime.units.sessions, older_than_days=0)
    await runtime.engine.dispose()
    assert await database.count("inbox") == await database.count("parked_messages")


@pytest.mark.parametrize("forgetting", [False, True], ids=["with its inbox", "with an empty inbox"])
async def test_every_topic_read_again_changes_nothing(finished: Finished, *, forgetting: bool) -> None:
    world = finished.world
    for service in SERVICES:
        await world.lose_offsets(service)
        if forgetting:
            await forget(world, service)
    assert not await all_done(world)

    async with everything_runs(world):
        await wait_until(lambda: all_done(world), 60)

    said_again = {record[3:] for record in await all_records(world) - finished.records}
    assert said_again == set()
    again = await all_rows(world)
    changed = {
        table: (sorted(set(rows) - set(again[table])), sorted(set(again[table]) - set(rows)))
        for table, rows in finished.rows.items()
        if rows != again[table]
    }
    assert changed == {}
