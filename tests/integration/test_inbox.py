"""A message has its effects once, however often it comes: the inbox is claimed in the transaction of the effects."""

from dataclasses import replace
from uuid import UUID, uuid4

from common_core.events import EssaySlotAssignedV1, Topic
from service_runtime.testing import wait_until

from tests.integration.notebook import TABLES, line, opening, service
from tests.integration.world import INSTANCE, Database, World

# The first thing after a commit, and before the offset, is to wake what waits for the aggregate: here it can be stopped.
WAITS_FOR = """
    INSERT INTO parked_messages (state, reason, error, waits_for, due_at, source, event_id, type, key, topic, partition,
        record_offset, record_headers)
    VALUES ('waiting', 'not_yet', '', $1, 'infinity', 'test', '1', 'LineV1', 'k', 'elsewhere', 0, 0, '[]')
"""


async def lines(database: Database, page_id: UUID) -> list[str]:
    rows = await database.fetch("SELECT jsonb_array_elements_text(lines) AS line FROM pages WHERE page_id = $1", page_id)
    return [row["line"] for row in rows]


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


async def test_a_process_killed_before_its_commit_has_done_nothing_and_nothing_is_lost(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    process = await world.process(service, "tests.integration.notebook", TABLES)
    opened = await world.outside.publish(opening(page_id))
    await wait_until(lambda: database.seen(opened), 30)
    async with database.holding("SELECT * FROM pages FOR UPDATE"):
        await world.outside.publish(line(page_id, "one"))
        await wait_until(database.somebody_waits_for_a_lock)

        process.kill()
    assert await lines(database, page_id) == []

    await world.run(service, TABLES, instance_id=INSTANCE)

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page_id) == ["one"]


async def test_a_process_killed_between_its_commit_and_the_offset_has_each_effect_once(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    process = await world.process(service, "tests.integration.notebook", TABLES)
    await world.outside.publish(opening(page_id))
    await wait_until(lambda: world.is_done(service), 30)
    await database.fetch(WAITS_FOR, str(page_id))
    async with database.holding("SELECT * FROM parked_messages FOR UPDATE"):
        await world.outside.publish(line(page_id, "one"))
        await wait_until(database.somebody_waits_for_a_lock)
        assert await lines(database, page_id) == ["one"]

        process.kill()
    assert not await world.has_read_everything(service)

    await world.run(service, TABLES, instance_id=INSTANCE)

    await wait_until(lambda: world.has_read_everything(service))
    assert await lines(database, page_id) == ["one"]
    # The killed relay may have said it without remembering; then it is said again, under the same id.
    heard = await wait_until(lambda: world.listener.all_of(EssaySlotAssignedV1, page_id))
    assert len({each.envelope.id for each in heard}) == 1


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
