"""What cannot be handled is parked, never dropped: in order where order means something, in nobody's way where not."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import asyncpg
import pytest
from common_core.errors import DomainError, NotYet
from common_core.events import EssaySlotAssignedV1, Topic
from service_runtime.parked import HEADS
from service_runtime.testing import Running, binary, wait_until

from tests.integration.notebook import TABLES, line, lines, opening, service, trouble
from tests.integration.world import Database, World

type Headers = Sequence[tuple[str, bytes | None]]

PARKED = "SELECT * FROM parked_messages ORDER BY position"
CUT_WHO_WAITS = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
REPLAY = "UPDATE parked_messages SET state = 'waiting', due_at = now() WHERE state = 'dead'"


async def parked(database: Database, state: str, number: int = 1) -> list[asyncpg.Record]:
    """The parked messages, as soon as there are so many and all are in this state."""
    rows = await database.fetch(PARKED)
    return rows if len(rows) == number and all(row["state"] == state for row in rows) else []


@pytest.fixture
async def page(world: World, database: Database, notebook: Running) -> UUID:
    """An open page."""
    await notebook.ready()
    page_id = uuid4()
    opened = await world.outside.publish(opening(page_id))
    await wait_until(lambda: database.seen(opened))
    return page_id


# NotYet


@pytest.mark.usefixtures("notebook")
async def test_early_messages_wait_for_their_aggregate_and_are_applied_in_order(
    world: World, database: Database
) -> None:
    page_id, other = uuid4(), uuid4()
    for text in ("one", "two", "three"):
        await world.outside.publish(line(page_id, text))
    waiting = await wait_until(lambda: parked(database, "waiting", 3))
    assert [row["reason"] for row in waiting] == ["not_yet", "behind", "behind"]
    assert waiting[0]["waits_for"] == str(page_id)
    await world.outside.publish(opening(other))
    await world.outside.publish(line(other, "flows"))
    await wait_until(lambda: lines(database, other))
    assert await lines(database, page_id) == []

    await world.outside.publish(opening(page_id))

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page_id) == ["one", "two", "three"]
    assert len(await world.listener.said(EssaySlotAssignedV1, page_id)) == 3


async def test_a_waiting_message_is_applied_as_soon_as_what_it_needs_has_come(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    await world.run(service, TABLES, retry_first_seconds=300, retry_most_seconds=300, poll_seconds=60)
    await world.outside.publish(line(page_id, "one"))
    await wait_until(lambda: parked(database, "waiting"))

    await world.outside.publish(opening(page_id))

    assert await wait_until(lambda: lines(database, page_id)) == ["one"]


async def test_later_messages_of_its_topic_and_key_wait_behind_one_that_waits(
    world: World, database: Database, page: UUID
) -> None:
    needed = uuid4()
    trouble["one"] = NotYet("page", needed)
    await world.outside.publish(line(page, "one"))
    await wait_until(lambda: parked(database, "waiting"))

    await world.outside.publish(line(page, "two"))
    await world.outside.publish(line(page, "from another topic"), topic=Topic.UPSTREAM)
    await wait_until(lambda: parked(database, "waiting", 2))
    await wait_until(lambda: lines(database, page))
    assert await lines(database, page) == ["from another topic"]

    del trouble["one"]
    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page) == ["from another topic", "one", "two"]


async def test_messages_that_come_while_their_queue_is_worked_off_keep_their_order(world: World) -> None:
    database = await world.database(service, TABLES)
    pages = [uuid4() for _ in range(5)]
    await world.run(service, TABLES)
    await world.run(service, TABLES)
    for number in range(20):
        for page_id in pages:
            await world.outside.publish(line(page_id, str(number)))
        if number == 10:
            for page_id in pages:
                await world.outside.publish(opening(page_id))

    await wait_until(lambda: world.is_done(service), 30)

    for page_id in pages:
        assert await lines(database, page_id) == [str(number) for number in range(20)]


async def test_a_message_that_waited_too_long_becomes_a_dead_letter(
    world: World, database: Database, page: UUID
) -> None:
    trouble["one"] = NotYet("page", uuid4())
    await world.outside.publish(line(page, "one"))
    await wait_until(lambda: parked(database, "waiting"))
    await world.outside.publish(line(page, "two"))

    await database.fetch("UPDATE parked_messages SET parked_at = now() - interval '31 days' WHERE reason = 'not_yet'")

    (dead,) = await wait_until(lambda: parked(database, "dead"))
    assert dead["reason"] == "waited_too_long"
    assert await wait_until(lambda: lines(database, page)) == ["two"]


# Refused and undecodable


async def test_a_refused_message_is_a_dead_letter_at_once_and_holds_up_nothing(
    world: World, database: Database, page: UUID
) -> None:
    trouble["no"] = DomainError("we do not write that down")
    await world.outside.publish(line(page, "no"))
    await world.outside.publish(line(page, "yes"))

    await wait_until(lambda: lines(database, page))

    assert await lines(database, page) == ["yes"]
    (dead,) = await parked(database, "dead")
    assert (dead["reason"], dead["attempts"]) == ("refused", 1)
    assert "we do not write that down" in dead["error"]


def structured(**changes: object) -> bytes:
    document = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/s",
        "type": "EssayContentProvisionedV1",
        **changes,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None}).encode()


STRUCTURED: Headers = [("content-type", b"application/cloudevents+json; charset=utf-8")]
GOOD = line(uuid4(), "never noted")
BODY = GOOD.model_dump_json().encode()
HEADERS = binary(GOOD, "good")


def but(name: str, value: bytes | None) -> Headers:
    return [(each, value if each == name else old) for each, old in HEADERS]


UNDECODABLE: dict[str, tuple[bytes | None, Headers]] = {
    "no headers": (BODY, []),
    "no value": (None, HEADERS),
    "empty value": (b"", HEADERS),
    "not JSON": (b"{", HEADERS),
    "not UTF-8": (b'{"batch_id": "\xff"}', HEADERS),
    "a missing field": (b'{"batch_id": "%s"}' % str(GOOD.batch_id).encode(), HEADERS),
    "NUL in a text": (BODY.replace(b"never noted", b"never \\u0000 noted"), HEADERS),
    "half a surrogate in a text": (BODY.replace(b"never noted", b"\\ud800"), HEADERS),
    "a number no column holds": (
        BODY.replace(b'"file_size_bytes":1', b'"file_size_bytes":99999999999999999999'),
        HEADERS,
    ),
    "an id that is too long": (BODY, but("ce_id", b"x" * 201)),
    "an empty id": (BODY, but("ce_id", b"")),
    "a null id": (BODY, but("ce_id", None)),
    "NUL in the id": (BODY, but("ce_id", b"a\x00b")),
    "another version": (BODY, but("ce_specversion", b"0.3")),
    "an id that is not UTF-8": (BODY, but("ce_id", b"\xff\xfe")),
    "another header that is not UTF-8": (BODY, [*HEADERS, ("ce_extra", b"\xff")]),
    "structured, not JSON": (b"nonsense", STRUCTURED),
    "structured, a list": (b"[]", STRUCTURED),
    "structured, no value": (None, STRUCTURED),
    "structured, no data": (structured(), STRUCTURED),
    "structured, data of another shape": (structured(data=[1, 2]), STRUCTURED),
    "structured, no type": (structured(type=None, data={}), STRUCTURED),
    "structured, id is a number": (structured(id=7, data={}), STRUCTURED),
    "structured, bad base64": (structured(data_base64="%%%"), STRUCTURED),
    "structured, base64 that is not even ASCII": (structured(data_base64="äöü"), STRUCTURED),
    "structured, base64 is a number": (structured(data_base64=1), STRUCTURED),
    "structured, nested too deep": (b'{"data":' + b"[" * 5_000 + b"]" * 5_000 + b"}", STRUCTURED),
    "structured, a huge number": (b'{"data":' + b"9" * 5_000 + b"}", STRUCTURED),
}


@pytest.fixture(scope="module")
async def strict(shared_world: World) -> AsyncIterator[tuple[World, Database]]:
    database = await shared_world.database(service, TABLES)
    async with shared_world.running(service, TABLES):
        yield shared_world, database


@pytest.mark.parametrize("what", UNDECODABLE)
async def test_an_undecodable_message_is_kept_as_it_came_and_holds_up_nothing(
    strict: tuple[World, Database], what: str
) -> None:
    (world, database), page_id = strict, uuid4()
    value, headers = UNDECODABLE[what]
    headers = [(name, str(uuid4()).encode() if raw == b"good" else raw) for name, raw in headers]
    key = str(page_id).encode()
    await world.outside.publish(opening(page_id))
    await world.outside.send(Topic.FILE_SERVICE, value, key=key, headers=headers)

    await world.outside.publish(line(page_id, "the next one"))

    assert await wait_until(lambda: lines(database, page_id)) == ["the next one"]
    (dead,) = await database.fetch("SELECT * FROM parked_messages WHERE record_key = $1", key)
    assert (dead["state"], dead["reason"]) == ("dead", "undecodable")
    assert dead["record_value"] == value
    kept = [(name, bytes.fromhex(raw)) for name, raw in json.loads(dead["record_headers"])]
    assert kept == [(name, raw or b"") for name, raw in headers]
    assert "never noted" not in dead["error"]


async def test_the_same_id_makes_two_dead_letters_of_two_unreadable_records(strict: tuple[World, Database]) -> None:
    (world, database), key = strict, uuid4()
    for _ in range(2):
        await world.outside.send(Topic.FILE_SERVICE, b"no headers, no id", key=str(key).encode())

    await wait_until(lambda: world.has_read_everything(service))

    dead = await database.fetch("SELECT * FROM parked_messages WHERE record_key = $1", str(key).encode())
    assert len(dead) == 2


@pytest.mark.parametrize("encoded", ["data", "data_base64"])
async def test_a_structured_event_is_understood(strict: tuple[World, Database], encoded: str) -> None:
    (world, database), page_id = strict, uuid4()
    event = line(page_id, f"structured {encoded}")
    await world.outside.publish(opening(page_id))
    in_base64 = base64.b64encode(event.model_dump_json().encode()).decode()
    data = event.model_dump(mode="json") if encoded == "data" else in_base64

    await world.outside.send(
        Topic.UPSTREAM, structured(**{encoded: data}), key=str(page_id).encode(), headers=STRUCTURED
    )

    assert await wait_until(lambda: lines(database, page_id)) == [f"structured {encoded}"]


async def test_an_event_nobody_here_handles_leaves_no_trace(strict: tuple[World, Database]) -> None:
    (world, database), page_id = strict, uuid4()
    foreign = [("ce_type", b"SomethingElseV1") if name == "ce_type" else (name, value) for name, value in HEADERS]
    await world.outside.send(Topic.UPSTREAM, b"whatever", key=str(page_id).encode(), headers=foreign)

    await wait_until(lambda: world.has_read_everything(service))

    assert not await database.seen("good")
    assert not await database.fetch("SELECT * FROM parked_messages WHERE record_key = $1", str(page_id).encode())


# Bugs


async def test_a_bug_is_retried_and_then_a_dead_letter_which_holds_up_nothing(
    world: World, database: Database, page: UUID
) -> None:
    trouble["bug"] = RuntimeError("our fault")

    await world.outside.publish(line(page, "bug"))
    await world.outside.publish(line(page, "behind"))

    assert await wait_until(lambda: lines(database, page)) == ["behind"]
    (dead,) = await parked(database, "dead")
    assert (dead["reason"], dead["attempts"]) == ("bug", 3)
    assert "RuntimeError: our fault" in dead["error"]


async def test_only_its_own_key_waits_for_a_message_that_fails_on_a_bug(world: World) -> None:
    database, page_id, other = await world.database(service, TABLES), uuid4(), uuid4()
    await world.run(service, TABLES, failing_attempts=10_000)
    trouble["bug"] = RuntimeError("our fault")
    for event in (
        opening(page_id),
        opening(other),
        line(page_id, "bug"),
        line(page_id, "behind"),
        line(other, "flows"),
    ):
        await world.outside.publish(event)
    await wait_until(lambda: lines(database, other))
    await wait_until(lambda: database.fetch("SELECT 1 FROM parked_messages WHERE reason = 'bug' AND attempts > 3"))
    assert await lines(database, page_id) == []

    del trouble["bug"]

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page_id) == ["bug", "behind"]


async def test_a_message_that_waited_often_still_gets_all_its_retries_when_it_then_meets_a_bug(world: World) -> None:
    database, page_id = await world.database(service, TABLES), uuid4()
    await world.run(service, TABLES, failing_attempts=6, retry_most_seconds=2)
    trouble["one"] = NotYet("page", uuid4())
    await world.outside.publish(opening(page_id))
    await world.outside.publish(line(page_id, "one"))
    await wait_until(lambda: parked(database, "waiting"))
    await database.fetch("UPDATE parked_messages SET attempts = 50")
    await wait_until(lambda: database.fetch("SELECT 1 FROM parked_messages WHERE attempts > 50"))

    trouble["one"] = RuntimeError("for a moment")
    await wait_until(lambda: parked(database, "failing"))
    trouble.clear()

    assert await wait_until(lambda: lines(database, page_id)) == ["one"]


async def test_a_poisonous_message_in_a_micro_batch_of_500_keeps_nobody_else_from_being_handled(world: World) -> None:
    database = await world.database(service, TABLES)
    pages = [uuid4() for _ in range(50)]
    for page_id in pages:
        await world.outside.publish(opening(page_id))
    async with world.running(service, TABLES, partitions=1):
        await wait_until(lambda: world.has_read_everything(service))
    trouble["poison"] = RuntimeError("our fault")
    for number in range(10):
        await asyncio.gather(*(world.outside.publish(line(page_id, str(number))) for page_id in pages))
        if number == 5:
            await world.outside.publish(line(pages[7], "poison"))
            # Nobody but the database finds this one: the whole transaction fails.
            await world.outside.publish(line(pages[8], "poison for the database", size=3_000_000_000))
            # And this handler could have changed anything before it failed.
            await world.outside.publish(opening(pages[9], "poison"), topic=Topic.FILE_SERVICE)

    await world.run(service, TABLES)

    await wait_until(lambda: parked(database, "dead", 3))
    await wait_until(lambda: world.is_done(service))
    for page_id in pages:
        assert await lines(database, page_id) == [str(number) for number in range(10)]
        said = await world.listener.said(EssaySlotAssignedV1, page_id)
        assert [event.text_storage_id for event in said] == [str(number) for number in range(1, 11)]
    assert {row["key"] for row in await database.fetch(PARKED)} == {str(page_id) for page_id in pages[7:10]}


# Dead letters


async def test_a_dead_letter_made_due_is_handled(world: World, database: Database, page: UUID) -> None:
    trouble["no"] = DomainError("not now")
    event_id = await world.outside.publish(line(page, "no"))
    await wait_until(lambda: parked(database, "dead"))
    trouble.clear()

    await database.fetch(REPLAY)

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page) == ["no"]
    assert await database.count("parked_messages") == 0
    (said,) = await world.listener.all_of(EssaySlotAssignedV1, page)
    assert said.envelope.causation_id == event_id


async def test_a_dead_letter_made_due_too_early_is_a_dead_letter_again(
    world: World, database: Database, page: UUID
) -> None:
    trouble["no"] = DomainError("not now")
    await world.outside.publish(line(page, "no"))
    await wait_until(lambda: parked(database, "dead"))

    await database.fetch(REPLAY)

    await wait_until(lambda: parked(database, "dead"))
    assert await lines(database, page) == []


async def test_a_message_parked_once_is_not_parked_again_when_it_comes_again(
    world: World, database: Database, page: UUID
) -> None:
    trouble["no"] = DomainError("not now")
    event = line(page, "no")
    event_id = await world.outside.publish(event)
    await wait_until(lambda: parked(database, "dead"))

    await world.outside.publish(event, event_id=event_id)

    await wait_until(lambda: world.has_read_everything(service))
    assert await database.count("parked_messages") == 1


# The database is away


async def test_a_connection_lost_in_the_middle_of_a_transaction_is_no_bug_of_its_messages(
    world: World, database: Database, page: UUID
) -> None:
    async with database.holding("SELECT * FROM pages FOR UPDATE"):
        await world.outside.publish(line(page, "one"))
        await wait_until(database.somebody_waits_for_a_lock)

        await database.fetch(CUT_WHO_WAITS)

        await wait_until(database.somebody_waits_for_a_lock)
        assert await database.count("parked_messages") == 0
    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page) == ["one"]


async def test_a_database_that_crashes_in_the_middle_costs_nothing_and_parks_nothing(world: World) -> None:
    database = await world.database(service, TABLES)
    pages = [uuid4() for _ in range(20)]
    notebook = await world.run(service, TABLES, micro_batch=20)
    for page_id in pages:
        await world.outside.publish(opening(page_id))
    await wait_until(lambda: world.is_done(service))
    for number in range(20):
        await asyncio.gather(*(world.outside.publish(line(page_id, str(number))) for page_id in pages))
        if number == 10:
            await wait_until(lambda: lines(database, pages[0]))
            restart = asyncio.create_task(asyncio.to_thread(world.stack.postgres.restart, "immediate"))

    await restart

    await notebook.ready()
    await wait_until(lambda: world.is_done(service), 30)
    assert await database.count("parked_messages") == 0
    for page_id in pages:
        assert await lines(database, page_id) == [str(number) for number in range(20)]
        said = await world.listener.all_of(EssaySlotAssignedV1, page_id)
        assert len({each.envelope.id for each in said}) == 20


MANY = """
    INSERT INTO parked_messages (state, reason, error, due_at, source, event_id, type, key, topic, partition,
        record_offset, record_headers)
    SELECT $1, 'not_yet', '', now(), 'a test', gen_random_uuid(), 'a test', gen_random_uuid(), 'a test', 0, 0, '[]'
    FROM generate_series(1, $2)
"""


async def test_the_head_of_a_queue_is_found_by_its_key_when_statistics_say_that_nothing_waits(world: World) -> None:
    database = await world.database(service, TABLES)
    holder = await asyncpg.connect(database.url)
    # What was deleted since cannot be removed while this is open.
    await holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM parked_messages")
    await database.fetch(MANY, "waiting", 10_000)
    await database.fetch("DELETE FROM parked_messages WHERE source = 'a test'")
    await database.fetch(MANY, "dead", 100)
    await database.fetch("VACUUM ANALYZE parked_messages")

    query = str(HEADS).replace(":topics", "$1").replace(":keys", "$2")
    keys = [str(uuid4()) for _ in range(500)]
    plan = await database.fetch(f"EXPLAIN {query}", ["a test"] * len(keys), keys)

    await holder.close()
    await database.fetch("DELETE FROM parked_messages WHERE source = 'a test'")
    scans = [line for (line,) in plan if " on parked_messages" in line]
    assert len(scans) == 1
    assert "ix_parked_messages_topic_key_position" in scans[0]
