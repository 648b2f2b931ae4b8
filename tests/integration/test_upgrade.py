"""An upgrade without a pause: an event gets a second version beside its first, and a database more than its code knows.

`EssayContentProvisionedV1` is the first version; the second is said in these tests alone.
"""

from contextlib import AsyncExitStack
from uuid import UUID, uuid4

import pytest
from common_core.events import EssayContentProvisionedV1, EssaySlotAssignedV1, Event, Topic
from service_runtime import Handlers, Service, SetTimer
from service_runtime.auth import Role
from service_runtime.http import router
from service_runtime.testing import Running, a_cause, bearer, wait_until
from service_runtime.unit_of_work import database_time

from services.batch_orchestrator_service.service import service as orchestrator_service
from tests.integration.classroom import Person
from tests.integration.notebook import TABLES, Page, handlers, line, lines, note_line, one_press, opening
from tests.integration.notebook import service as knows_v1
from tests.integration.world import Database, World


class EssayContentProvisionedV2(Event, topic=Topic.FILE_SERVICE, key="batch_id"):
    """A line for a page, in several words: what no new field with a default could say."""

    batch_id: UUID
    words: tuple[str, ...]


def note_words(page: Page, event: EssayContentProvisionedV2) -> list[Event]:
    return page.note(" ".join(event.words))


def version(*, first: bool, second: bool) -> Service:
    """The notebook's code as of one version: which versions of the event it handles."""
    known = Handlers()
    for event, handler in handlers.events.items():
        if event is not EssayContentProvisionedV1:
            known.on(event, loads=handler.loads)(handler.function)
    if first:
        known.on(EssayContentProvisionedV1, loads=Page)(note_line)
    if second:
        known.on(EssayContentProvisionedV2, loads=Page)(note_words)
    return Service(name=knows_v1.name, handlers=known, router=router(), tools=one_press)


knows_both = version(first=True, second=True)
knows_v2 = version(first=False, second=True)
neither = version(first=False, second=False)
publisher = Service(name="publisher", handlers=neither.handlers, router=router(), tools=one_press)


async def say(publisher: Running, page_id: UUID, *events: Event) -> None:
    """Let the publisher say something in one transaction, through its outbox."""
    async with publisher.runtime.units.begin() as work:
        work.cause = a_cause()
        if await work.find(Page, page_id) is None:
            work.add(Page(page_id=page_id))
        work.publish(events)


def second(page_id: UUID, text: str) -> EssayContentProvisionedV2:
    return EssayContentProvisionedV2(batch_id=page_id, words=tuple(text.split()))


@pytest.fixture
async def database(world: World) -> Database:
    return await world.database(knows_v1, TABLES)


@pytest.fixture
async def speaking(world: World) -> Running:
    return await world.run(publisher, TABLES)


async def says(database: Database, page_id: UUID, *expected: str) -> bool:
    """Whether a page has exactly these lines, in this order."""
    return await lines(database, page_id) == list(expected)


async def has_read_all_of(world: World, publisher_database: Database) -> bool:
    """Whether all that was said is published, and the notebook has read it."""
    return not await publisher_database.count("outbox") and await world.has_read_everything(knows_v1)


# Events


async def test_an_event_gets_a_second_version_without_a_pause(
    world: World, database: Database, speaking: Running
) -> None:
    page, late = uuid4(), uuid4()
    said = await world.database(publisher)
    await world.outside.publish(opening(page))
    old = [AsyncExitStack(), AsyncExitStack()]
    for each in old:
        await each.enter_async_context(world.running(knows_v1, TABLES))
    await say(speaking, page, line(page, "of old to old"))
    await say(speaking, late, line(late, "before its page"))
    await wait_until(lambda: says(database, page, "of old to old"))

    # Whoever hears it learns the second version, one process after the other.
    both = [AsyncExitStack(), AsyncExitStack()]
    for number, (leaves, comes) in enumerate(zip(old, both, strict=True)):
        await leaves.aclose()
        await comes.enter_async_context(world.running(knows_both, TABLES))
        await say(speaking, page, line(page, f"during step {number}"))

    # Whoever says it uses it, while some of the first version are on their way.
    async with database.holding("SELECT page_id FROM pages FOR UPDATE"):
        await say(speaking, page, line(page, "on its way"))
        await wait_until(database.somebody_waits_for_a_lock)
        await say(speaking, page, second(page, "of new to both"))
        await say(speaking, late, second(late, "after the switch"))
    await world.outside.publish(opening(late))
    expected = ["of old to old", "during step 0", "during step 1", "on its way", "of new to both"]
    await wait_until(lambda: says(database, page, *expected))
    await wait_until(lambda: says(database, late, "before its page", "after the switch"))

    # When nothing of the first version is left anywhere, it is forgotten.
    await wait_until(lambda: has_read_all_of(world, said))
    assert await database.count("parked_messages") == 0
    async with world.running(knows_v2, TABLES):
        for each in both:
            await each.aclose()
        await say(speaking, page, second(page, "of new to new"))
        await wait_until(lambda: says(database, page, *expected, "of new to new"))


async def test_what_is_said_before_everybody_knows_it_is_passed_over_and_still_in_the_topic(
    world: World, database: Database, speaking: Running
) -> None:
    page = uuid4()
    said = await world.database(publisher)
    await world.outside.publish(opening(page))
    async with world.running(knows_v1, TABLES):
        await say(speaking, page, line(page, "one"), second(page, "too early"), line(page, "two"))
        await wait_until(lambda: has_read_all_of(world, said))
        assert await says(database, page, "one", "two")
    await world.lose_offsets(knows_both)

    await world.run(knows_both, TABLES)

    await wait_until(lambda: says(database, page, "one", "two", "too early"))


async def test_what_waits_in_a_version_nobody_handles_any_more_becomes_a_dead_letter_that_can_be_replayed(
    world: World, database: Database, speaking: Running
) -> None:
    page = uuid4()
    async with world.running(knows_both, TABLES):
        await say(speaking, page, line(page, "before its page"))
        await wait_until(lambda: database.count("parked_messages"))

    async with world.running(knows_v2, TABLES):
        await world.outside.publish(opening(page))
        dead = "SELECT error FROM parked_messages WHERE state = 'dead' AND reason = 'undecodable'"
        (row,) = await wait_until(lambda: database.fetch(dead))
        assert "no longer handles EssayContentProvisionedV1" in row["error"]

    back = await world.run(knows_both, TABLES)
    headers = bearer(back.runtime.settings, "op", Role.OPERATOR)
    replay = {"why": "the first version is handled again", "reason": "undecodable"}
    (await back.http.post("/ops/dead-letters/replay", json=replay, headers=headers)).raise_for_status()
    await wait_until(lambda: says(database, page, "before its page"))


# Databases

TABLES_THERE = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


async def expand(database: Database) -> None:
    """What the migrations of a newer version may do while this one runs: new columns with a default, new tables."""
    tables = {row["relname"] for row in await database.fetch(TABLES_THERE)} - {"alembic_version"}
    for table in tables:
        await database.fetch(f"ALTER TABLE {table} ADD COLUMN of_newer boolean NOT NULL DEFAULT false")
    await database.fetch("CREATE TABLE of_newer (id uuid PRIMARY KEY)")


async def test_messages_and_timers_are_handled_while_the_database_is_expanded(world: World, database: Database) -> None:
    notebook = await world.run(knows_v1, TABLES)
    page, late = uuid4(), uuid4()
    await world.outside.publish(opening(page))
    await world.outside.publish(line(late, "before its page"))
    await world.outside.publish(line(page, "one"))
    await wait_until(lambda: says(database, page, "one"))
    await wait_until(lambda: database.count("parked_messages"))

    await expand(database)

    await world.outside.publish(line(page, "two"))
    await world.outside.publish(opening(late))
    await wait_until(lambda: says(database, page, "one", "two"))
    await wait_until(lambda: says(database, late, "before its page"))
    async with notebook.runtime.units.begin() as work:
        cause = work.cause = a_cause()
        work.publish([SetTimer("ring", page, await database_time(work.session))])
    await wait_until(lambda: says(database, page, "one", "two", f"rang because of {cause.event_id}"))
    assert await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, page, at_least=3))


async def test_requests_are_answered_while_the_database_is_expanded(world: World) -> None:
    orchestrator = await world.run(orchestrator_service)
    database, teacher = await world.database(orchestrator_service), Person(orchestrator)
    body = {"course_code": "SV1", "expected_essay_count": 1}
    first = await teacher.post("/batches", body, key="first")

    await expand(database)
    await database.fetch("UPDATE alembic_version SET version_num = 'of newer'")

    again, other = await teacher.post("/batches", body, key="first"), await teacher.post("/batches", body, key="other")
    listed = await teacher.get("/batches")
    assert [each.status_code for each in (first, again, other, listed)] == [202, 202, 202, 200]
    assert first.json() == again.json()
    assert len(listed.json()["items"]) == 2
    assert (await orchestrator.http.get("/readyz")).json() == {"status": "ready", "problems": {}}
