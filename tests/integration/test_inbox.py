"""A message has its effects once, however often it comes: the inbox is claimed in the transaction of the effects."""

import asyncio
import signal
from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest
from common_core.events import EssaySlotAssignedV1, Topic
from service_runtime import inbox
from service_runtime.database import forgotten_after
from service_runtime.testing import OUTSIDE, wait_until

from tests.integration.notebook import TABLES, line, lines, opening, service
from tests.integration.world import INSTANCE, World

REMEMBERED = """
    INSERT INTO inbox (source, event_id, received_at)
    SELECT $1, id, now() - interval '31 days' FROM unnest($2::text[]) AS id
"""


async def test_redelivery_after_lost_offsets_changes_nothing(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    async with world.running(service, TABLES):
        await world.outside.publish(opening(page_id))
        for text in ("one", "two", "three"):
            await world.outside.publish(line(page_id, text))
        await wait_until(lambda: world.is_done(service))
    await world.lose_offsets(service)
    assert not await world.has_read_everything(service)

    async with world.running(service, TABLES):
        await wait_until(lambda: world.is_done(service))

    assert await lines(database, page_id) == ["one", "two", "three"]
    assert await database.count("inbox") == 4
    assert await database.count("outbox") + await database.count("parked_messages") == 0
    said = await world.listener.said(EssaySlotAssignedV1, page_id)
    assert [event.original_file_name for event in said] == ["one", "two", "three"]


async def test_a_message_repeated_within_one_micro_batch_is_handled_once(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    await world.outside.publish(opening(page_id))
    event, event_id = line(page_id, "one"), str(uuid4())
    for _ in range(3):
        await world.outside.publish(event, event_id=event_id)
    await world.outside.publish(event, event_id=event_id, topic=Topic.UPSTREAM)

    await world.run(service, TABLES)

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page_id) == ["one"]


async def test_of_a_micro_batch_of_seen_and_new_messages_only_the_new_are_handled(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    seen, event_id = line(page_id, "seen"), str(uuid4())
    async with world.running(service, TABLES):
        await world.outside.publish(opening(page_id))
        await world.outside.publish(seen, event_id=event_id)
        await wait_until(lambda: world.is_done(service))

    # Nobody reads meanwhile, so these come in one micro-batch: same topic, same key.
    await world.outside.publish(seen, event_id=event_id)
    await world.outside.publish(line(page_id, "new"))
    async with world.running(service, TABLES):
        await wait_until(lambda: world.is_done(service))

    assert await lines(database, page_id) == ["seen", "new"]


async def test_a_message_is_handled_once_even_if_two_instances_get_it_at_the_same_time(world: World) -> None:
    database = await world.database(service, TABLES)
    pages = [uuid4() for _ in range(20)]
    for page_id in pages:
        await world.outside.publish(opening(page_id))
        for number in range(10):
            await world.outside.publish(line(page_id, str(number)))
    # A group of its own reads everything as well: as when two members hold the same records during a rebalance.
    twin = replace(service, name="notebook-twin")

    await world.run(service, TABLES)
    await world.run(twin, TABLES, database_url=database.url)

    await wait_until(lambda: world.has_read_everything(twin))
    await wait_until(lambda: world.is_done(service))
    for page_id in pages:
        assert sorted(await lines(database, page_id)) == [str(number) for number in range(10)]
    assert await database.count("parked_messages") == 0


async def test_the_same_id_from_two_sources_is_two_messages(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    await world.run(service, TABLES)
    await world.outside.publish(opening(page_id))

    await world.outside.publish(line(page_id, "from here"), event_id="1", source="https://here.example")
    await world.outside.publish(line(page_id, "from there"), event_id="1", source="https://there.example")

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page_id) == ["from here", "from there"]


@pytest.mark.parametrize("place", ["delivery.after_claim", "unit_of_work.before_commit", "consumer.before_offsets"])
async def test_a_process_killed_anywhere_between_log_and_offset_has_each_effect_once(world: World, place: str) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    # All in one topic, hence in one micro-batch.
    for event in (opening(page_id), line(page_id, "one"), line(page_id, "two")):
        await world.outside.publish(event, topic=Topic.UPSTREAM)

    process = await world.process(service, "tests.integration.notebook", TABLES, failpoints=f"{place}=kill")
    assert await asyncio.to_thread(process.wait, 30) == -signal.SIGKILL

    committed = place == "consumer.before_offsets"
    assert await lines(database, page_id) == (["one", "two"] if committed else [])
    assert not await world.has_read_everything(service)
    await world.run(service, TABLES, instance_id=INSTANCE)
    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page_id) == ["one", "two"]
    # A relay killed on the way may have said it without remembering; then it is said again, under the same id.
    said = await world.listener.all_of(EssaySlotAssignedV1, page_id)
    assert len({each.envelope.id for each in said}) == 2


async def test_messages_keep_their_order_and_come_once_while_a_second_instance_joins_and_leaves(world: World) -> None:
    database = await world.database(service, TABLES)
    pages = [uuid4() for _ in range(10)]
    for page_id in pages:
        await world.outside.publish(opening(page_id))
    await world.run(service, TABLES, micro_batch=7)

    async with world.running(service, TABLES, micro_batch=7):
        for number in range(20):
            for page_id in pages:
                await world.outside.publish(line(page_id, str(number)))
    for page_id in pages:
        await world.outside.publish(line(page_id, "last"))

    await wait_until(lambda: world.is_done(service))
    for page_id in pages:
        assert await lines(database, page_id) == [*map(str, range(20)), "last"]


async def test_two_instances_forget_all_that_is_old_while_the_same_messages_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "AT_ONCE", 50)
    database = await world.database(service, TABLES)
    runtime = (await world.run(service, TABLES)).runtime
    pages = [uuid4() for _ in range(10)]
    for page_id in pages:
        await world.outside.publish(opening(page_id))
    # The repetitions below are of messages seen long ago: each claim meets a row that is being deleted.
    old = [str(uuid4()) for _ in range(1_000)]
    await database.fetch(REMEMBERED, OUTSIDE, old)

    forgetting = asyncio.gather(*(inbox.forget(runtime.units.sessions, 30) for _ in range(2)))
    for number, event_id in enumerate(old[::10]):
        await world.outside.publish(line(pages[number % 10], str(number)), event_id=event_id)
    await forgetting
    assert await database.count("inbox WHERE received_at < now() - interval '30 days'") == 0

    await wait_until(lambda: world.is_done(service))
    # Whichever came first, the claim or the deletion: the line is noted once or, still known, not at all.
    noted = [await lines(database, page_id) for page_id in pages]
    assert all(len(set(each)) == len(each) for each in noted)
    assert await database.count("parked_messages") == 0
    (deadlocks,) = await database.fetch("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert deadlocks["deadlocks"] == 0


@pytest.mark.parametrize("statement", [None, "SELECT * FROM inbox"], ids=["between statements", "within a statement"])
async def test_what_a_process_held_that_vanished_without_a_word_is_given_back(
    world: World, statement: str | None
) -> None:
    database, page = await world.database(service, TABLES), uuid4()
    await world.outside.publish(opening(page))
    await world.run(service, TABLES)
    await wait_until(lambda: database.count("pages"))
    vanished = await asyncpg.connect(database.url, server_settings=forgotten_after(1.0))
    try:
        await vanished.execute("BEGIN")
        await vanished.fetch("SELECT * FROM pages FOR UPDATE")
        if statement:
            await vanished.prepare(statement)  # It is parsed; PostgreSQL waits for the message that follows.

        await world.outside.publish(line(page, "not held up for long"))

        assert await wait_until(lambda: lines(database, page)) == ["not held up for long"]
    finally:
        vanished.terminate()
