"""A student's files are erased when all are read, and while others upload the same bytes, which stay."""

import asyncio
from uuid import UUID, uuid4

import pytest
from common_core.events import ERASED, StudentErasureRequestedV1
from common_core.events.words import StudentEssayRef
from service_runtime.testing import Running, wait_until

from services.file_service.service import service
from tests.integration.classroom import Person
from tests.integration.documents import essay
from tests.integration.test_file_service import a_batch, decided, listed, upload
from tests.integration.test_progress import READ, received
from tests.integration.world import Database, World

BEFORE_AN_UPLOAD_ENDS = "LOCK TABLE timers IN SHARE MODE"
BEFORE_AN_ERASURE_ENDS = "LOCK TABLE erasures IN SHARE MODE"
WAITING = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = $1
"""


@pytest.fixture(scope="module")
async def files(shared_world: World) -> Running:
    return await shared_world.run(service)


async def waits(database: Database, what: str) -> bool:
    return bool(await database.fetch(WAITING, what))


def erasure(batch_id: UUID, text_storage_id: str) -> StudentErasureRequestedV1:
    essays = (StudentEssayRef(batch_id=batch_id, essay_id=uuid4(), text_storage_id=text_storage_id),)
    about = {"erasure_id": uuid4(), "class_id": uuid4(), "student_id": uuid4()}
    return StudentErasureRequestedV1(**about, roster_version=3, essays=essays)


@pytest.mark.parametrize("first", ["upload", "erasure"])
async def test_the_same_bytes_uploaded_during_an_erasure_are_there_afterwards(
    first: str, shared_world: World, files: Running
) -> None:
    teacher, database = Person(files), await shared_world.database(service)
    theirs, other = await a_batch(shared_world), await a_batch(shared_world)
    text = essay(f"Nobody's name, {first} first")
    await upload(teacher, theirs, ("anna.txt", text.encode()))
    ((row,)) = await decided(teacher, theirs, 1)
    asked = erasure(theirs, row["text_storage_id"])

    if first == "upload":
        async with database.holding(BEFORE_AN_UPLOAD_ENDS):
            uploading = asyncio.create_task(upload(teacher, other, ("bo.txt", text.encode())))
            await wait_until(lambda: waits(database, "relation"))
            await shared_world.outside.publish(asked)
            await wait_until(lambda: waits(database, "transactionid"))
    else:
        async with database.holding(BEFORE_AN_ERASURE_ENDS):
            await shared_world.outside.publish(asked)
            await wait_until(lambda: waits(database, "relation"))
            uploading = asyncio.create_task(upload(teacher, other, ("bo.txt", text.encode())))
            await wait_until(lambda: waits(database, "transactionid"))

    (accepted,) = (await uploading).raise_for_status().json()
    ((stored,)) = await decided(teacher, other, 1)
    await wait_until(lambda: shared_world.is_done(service))
    original = await teacher.get(f"/batches/{other}/files/{accepted['file_upload_id']}/original")
    assert (original.status_code, original.content) == (200, text.encode())
    assert (await teacher.get(f"/content/{stored['text_storage_id']}")).text == text
    assert (await teacher.get(f"/batches/{theirs}/files/{row['file_upload_id']}/original")).status_code == 404


async def test_an_erasure_waits_for_files_that_nobody_has_read(shared_world: World, files: Running) -> None:
    teacher, database, batch_id = Person(files), await shared_world.database(service), await a_batch(shared_world)
    await upload(teacher, batch_id, ("anna.txt", essay("Nobody's name, alone").encode()))
    ((row,)) = await decided(teacher, batch_id, 1)
    await received(database, batch_id, "a copy.txt")

    await shared_world.outside.publish(erasure(batch_id, row["text_storage_id"]))
    await wait_until(lambda: database.fetch("SELECT 1 FROM parked_messages"))
    before = await listed(teacher, batch_id)
    await database.fetch(READ, batch_id, "a copy.txt", "provisioned", row["text_storage_id"])
    await wait_until(lambda: shared_world.is_done(service))

    assert [each["original_file_name"] for each in before] == ["a copy.txt", "anna.txt"]
    assert [each["original_file_name"] for each in await listed(teacher, batch_id)] == [ERASED, ERASED]
