"""Databases are dumped while the system works, lost, and restored: batches come to the same end, and all goes on."""

import asyncio
import subprocess
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from common_core.events import (
    BatchReadyForPipelineExecutionV1,
    EssayContentProvisionedV1,
    RegisterBatchV1,
    StudentAssociationsConfirmedV1,
)
from common_core.status_enums import CourseCode
from local_stack.programs import postgres_programs
from service_runtime import Service
from service_runtime.testing import wait_until

from tests.integration.end_to_end.school import School, essay
from tests.integration.end_to_end.test_replay_from_zero import (
    READY,
    SERVICES,
    all_done,
    class_management,
    essay_lifecycle,
    everything_runs,
    file_service,
    orchestrator,
)
from tests.integration.world import World

pytestmark = pytest.mark.skipif(
    not (postgres_programs() / "pg_dump").exists(), reason="needs pg_dump beside the PostgreSQL of the local stack"
)


async def run(program: str, *arguments: str | Path) -> None:
    """One of PostgreSQL's own programs."""
    command = [postgres_programs() / program, *arguments]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


async def dump(world: World, folder: Path) -> None:
    """Dump every database, one after the other, each at a moment of its own."""
    for service in SERVICES:
        url = (await world.database(service)).url
        await run("pg_dump", "--format=custom", "--file", folder / service.name, url)


async def restore(world: World, service: Service, folder: Path) -> None:
    """Lose a database, restore it, and have the service read its topics again: docs/operations.md#backup."""
    url = (await world.database(service)).url
    name = url.rpartition("/")[2]
    await world._parts.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await world._parts.execute(f'CREATE DATABASE "{name}"')
    await run("pg_restore", "--exit-on-error", "--no-owner", "--dbname", url, folder / service.name)
    await world.lose_offsets(service)


async def register(world: World, school: School) -> UUID:
    """A batch of one essay, registered by a system outside."""
    command = RegisterBatchV1(
        batch_id=uuid4(), teacher_id=school.teacher_id, course_code=CourseCode.SV1, expected_essay_count=1
    )
    await world.outside.publish(command)
    return command.batch_id


async def provide(world: World, batch_id: UUID) -> None:
    """Its content, from outside too."""
    content = EssayContentProvisionedV1(
        batch_id=batch_id,
        file_upload_id=uuid4(),
        original_file_name="a.txt",
        text_storage_id="elsewhere/a",
        file_size_bytes=7,
    )
    await world.outside.publish(content)


async def ends(school: School, batches: Sequence[object]) -> list[Any]:
    """How these batches ended."""
    found = [await school.until(str(each), READY) for each in batches]
    return [(each["status"], each["essays"]) for each in found]


async def is_stored(school: School, text_storage_id: str) -> bool:
    """Whether the file service has this text."""
    return (await school.request("GET", "FILE_SERVICE", f"/v1/content/{text_storage_id}")).is_success


async def whole_way(school: School) -> None:
    """One more batch, from its registration to its end."""
    batch_id = await school.register(1)
    await school.upload(batch_id, essay("Carla Reyes"))
    await school.until_asked(batch_id)
    await school.confirm(batch_id)
    await school.until(batch_id, READY)


@pytest.mark.parametrize(
    "lost", [SERVICES, (essay_lifecycle,), (orchestrator,)], ids=["all", "the lifecycle's", "the orchestrator's"]
)
async def test_batches_end_as_they_did_after_databases_are_restored_from_dumps(
    world: World, tmp_path: Path, lost: Sequence[Service]
) -> None:
    async with AsyncExitStack() as stack:
        async with everything_runs(world) as variables:
            school = await stack.enter_async_context(School(variables))
            asked, sent = await school.register(1), await school.register(1, guest=True)
            waiting = await register(world, school)
            await school.upload(asked, essay("Bo Lindqvist"))
            await school.until_asked(asked)
            await school.until(str(waiting), "awaiting_content_validation")
            await dump(world, tmp_path)
            later = await register(world, school)
            for each in (waiting, later):
                await provide(world, each)
            await school.upload(sent, essay("Sent after the dump"))
            await school.confirm(asked)
            before = await ends(school, (asked, sent, waiting, later))
            await wait_until(lambda: all_done(world), 60)

        for service in lost:
            await restore(world, service, tmp_path)

        async with everything_runs(world) as school.variables:
            # Class management has forgotten what it was asked after the dump; for all others the first word stands.
            await school.confirm(asked)
            text = before[1][1][0]["text_storage_id"]
            assert await is_stored(school, text) == (file_service not in lost)
            await school.upload(sent, essay("Sent after the dump"))
            await wait_until(lambda: is_stored(school, text))
            await whole_way(school)
            await wait_until(lambda: all_done(world), 60)
            assert await ends(school, (asked, sent, waiting, later)) == before

    said = await world.listener.all_of(BatchReadyForPipelineExecutionV1, waiting)
    assert len({each.envelope.id for each in said}) == len(said) == (2 if orchestrator in lost else 1)
    assert len({each.record.value for each in said}) == 1
    decided = await world.listener.said(StudentAssociationsConfirmedV1, UUID(asked))
    assert len(decided) == (2 if class_management in lost else 1)
    for service in SERVICES:
        assert await (await world.database(service)).count("parked_messages") == 0
