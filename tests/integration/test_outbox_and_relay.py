"""What was committed is said, in order and under one id, whatever dies; what was not committed is never said."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import pytest
from common_core.events import BatchEssaysRegisteredV1, EssaySlotAssignedV1
from service_runtime import floor, relay
from service_runtime.relay import partition_of
from service_runtime.service import Runtime
from service_runtime.testing import OUTSIDE, Heard, a_cause, bearer, wait_until
from service_runtime.unit_of_work import NotHeld

from services.batch_orchestrator_service.service import service as orchestrator
from tests.integration.notebook import TABLES, Page, line, opening, service
from tests.integration.world import Database, World

RELAY = """
    SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""
RELAY_IS_SILENT = """
    SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'
    AND query LIKE 'SELECT * FROM outbox%' AND query_start < clock_timestamp() - interval '0.6 s'
"""
RELAY_IS_SENDING = RELAY_IS_SILENT
"""It looks ten times a second; when it has not for longer, it has a page and waits for the broker."""
BY_HAND = """
    INSERT INTO outbox (event_id, type, topic, key, correlation_id, data)
    VALUES ($1, 'EssaySlotAssignedV1', $2, $3, 'c', $4)
"""


@asynccontextmanager
async def a_runtime(world: World, database: Database) -> AsyncIterator[Runtime]:
    """The parts of one process, none of them at work: its units of work commit, and its relay waits to be started."""
    runtime = Runtime(service, world.settings(database_url=database.url), None)
    try:
        yield runtime
    finally:
        await runtime.engine.dispose()


@asynccontextmanager
async def at_work(relay: Callable[[], "asyncio.Future[None]"]) -> AsyncIterator[None]:
    """A relay at work, as in a process of its own, cut off at the end."""
    task = asyncio.ensure_future(relay())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def open_pages(runtime: Runtime, number: int = 1) -> list[UUID]:
    pages = [uuid4() for _ in range(number)]
    async with runtime.units.begin() as work:
        for page_id in pages:
            work.add(Page(page_id=page_id))
    return pages


async def note(runtime: Runtime, page_id: UUID, *texts: str) -> None:
    """Note lines in one transaction, as a handler would."""
    async with runtime.units.begin() as work:
        work.cause = a_cause()
        page = await work.get(Page, page_id)
        for text in texts:
            work.publish(page.note(text))


async def heard(world: World, page_id: UUID) -> list[str]:
    """The lines said about a page; a repetition under the same id counts once."""
    said = await world.listener.all_of(EssaySlotAssignedV1, page_id)
    by_id: dict[str, Heard] = {}
    for each in said:
        by_id.setdefault(each.envelope.id, each)
    return [each.event.original_file_name for each in by_id.values() if isinstance(each.event, EssaySlotAssignedV1)]


async def all_heard(world: World, page_id: UUID, texts: list[str]) -> bool:
    return await heard(world, page_id) == texts


async def test_what_was_rolled_back_is_never_said(world: World) -> None:
    runtime = (await world.run(service, TABLES)).runtime
    (page_id,) = await open_pages(runtime)

    async def fail_after_the_decision() -> None:
        async with runtime.units.begin() as work:
            work.cause = a_cause()
            work.publish((await work.get(Page, page_id)).note("rolled back"))
            await work.save()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_the_decision()

    await note(runtime, page_id, "committed")

    await wait_until(lambda: world.is_done(service))
    assert await heard(world, page_id) == ["committed"]


async def test_what_is_said_about_a_page_without_holding_it_is_a_bug_and_not_said(world: World) -> None:
    runtime = (await world.run(service, TABLES)).runtime
    (page_id,) = await open_pages(runtime)

    async with runtime.units.begin() as work:
        work.cause = a_cause()
        page = await work.read(Page, page_id)
        assert page is not None
        with pytest.raises(NotHeld, match=f"EssaySlotAssignedV1 about {page_id}"):
            work.publish(page.note("it might overtake another writer's line"))

    assert await (await world.database(service)).count("outbox") == 0


async def test_what_is_said_about_a_page_waits_for_whoever_else_says_something_about_it(world: World) -> None:
    database = await world.database(service, TABLES)
    async with a_runtime(world, database) as runtime:
        (page_id,) = await open_pages(runtime)
        async with runtime.units.begin() as first:
            first.cause = a_cause()
            first.publish((await first.get(Page, page_id)).note("first"))
            second = asyncio.create_task(note(runtime, page_id, "second"))
            await wait_until(database.somebody_waits_for_a_lock)
        await second

    said = await database.fetch("SELECT data FROM outbox ORDER BY position")
    assert [json.loads(row["data"])["original_file_name"] for row in said] == ["first", "second"]


async def test_an_event_keeps_its_id_when_the_relay_dies_between_the_broker_and_the_outbox(world: World) -> None:
    database = await world.database(service, TABLES)
    async with a_runtime(world, database) as runtime:
        (page_id,) = await open_pages(runtime)
        await note(runtime, page_id, "one", "two", "three")
        async with database.holding("SELECT * FROM outbox FOR UPDATE"), at_work(runtime.relay.run):
            await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, page_id))
            await wait_until(database.somebody_waits_for_a_lock)
            (leader,) = await database.fetch(RELAY)

            await database.fetch("SELECT pg_terminate_backend($1)", leader["pid"])

            await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, page_id, at_least=6))
            assert await database.count("outbox") == 3
        said = await world.listener.all_of(EssaySlotAssignedV1, page_id)
        first, again = [each.envelope.id for each in said[:3]], [each.envelope.id for each in said[3:6]]
        assert len(set(first)) == 3
        assert again == first


async def test_the_events_of_one_key_keep_their_order_with_many_writers_in_two_processes(world: World) -> None:
    one = (await world.run(service, TABLES, relay_page=7)).runtime
    two = (await world.run(service, TABLES, relay_page=7)).runtime
    pages = await open_pages(one, 5)

    async def write(runtime: Runtime) -> None:
        for _ in range(5):
            for page_id in pages:
                await note(runtime, page_id, "a", "b")

    await asyncio.gather(*(write(runtime) for runtime in (one, two) for _ in range(3)))

    await wait_until(lambda: world.is_done(service))
    for page_id in pages:
        # The n-th line of a page is said with n.
        said = await world.listener.said(EssaySlotAssignedV1, page_id)
        assert [event.text_storage_id for event in said] == [str(number) for number in range(1, 61)]


async def test_an_event_written_early_but_committed_while_later_ones_are_sent_is_not_lost(world: World) -> None:
    runtime = (await world.run(service, TABLES)).runtime
    database = await world.database(service)
    early, late = await open_pages(runtime, 2)
    with world.stack.kafka.frozen():
        async with runtime.units.begin() as work:
            work.cause = a_cause()
            work.publish((await work.get(Page, early)).note("position 1"))
            await work.save()
            await note(runtime, late, "position 2")
            await wait_until(lambda: database.fetch(RELAY_IS_SENDING))

    await wait_until(lambda: world.is_done(service))

    assert await heard(world, late) == ["position 2"]
    assert await heard(world, early) == ["position 1"]


async def test_the_relay_never_leaves_behind_what_is_committed_long_after_later_events(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floor, "RISE_SECONDS", 0.0)
    runtime = (await world.run(service, TABLES)).runtime
    early, late = await open_pages(runtime, 2)
    async with runtime.units.begin() as work:
        work.cause = a_cause()
        work.publish((await work.get(Page, early)).note("position 1"))
        await work.save()
        work.outbox.rows.clear()  # They are written; `begin` would write them again.
        texts = [f"position {number}" for number in range(2, 12)]
        for told in range(len(texts)):
            await note(runtime, late, texts[told])
            await wait_until(functools.partial(all_heard, world, late, texts[: told + 1]))
        assert runtime.relay.floor.position <= 1

    assert await wait_until(lambda: heard(world, early)) == ["position 1"]
    # Nobody is at work any more: from now on what was published is not searched.
    await wait_until(lambda: runtime.relay.floor.position == 12)
    await note(runtime, early, "position 12")
    assert await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, early, at_least=2))


async def test_one_of_two_relays_leads_and_a_lost_connection_is_taken_over(world: World) -> None:
    database = await world.database(service, TABLES)
    one, two = (await world.run(service, TABLES)).runtime, (await world.run(service, TABLES)).runtime
    (page_id,) = await open_pages(one)
    await wait_until(lambda: one.relay.leads or two.relay.leads)
    assert not (one.relay.leads and two.relay.leads)
    (leader,) = await database.fetch(RELAY)

    await database.fetch("SELECT pg_terminate_backend($1)", leader["pid"])
    await note(one, page_id, "after the loss")

    assert await wait_until(lambda: heard(world, page_id)) == ["after the loss"]


async def test_a_leader_that_polls_seldom_is_not_taken_for_dead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "SILENT_SECONDS", 0.2)
    database = await world.database(service, TABLES)
    await world.run(service, TABLES, poll_seconds=1)

    assert await wait_until(lambda: database.fetch(RELAY_IS_SILENT))


async def test_a_leading_process_that_ends_gives_up_its_lead_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "SILENT_SECONDS", 60.0)
    async with world.running(service, TABLES) as leading:
        await wait_until(lambda: leading.runtime.relay.leads)
        standby = (await world.run(service, TABLES)).runtime
        (page_id,) = await open_pages(standby)
        await note(standby, page_id, "said by the other")
        assert await wait_until(lambda: heard(world, page_id)) == ["said by the other"]
        assert not standby.relay.leads

    await note(standby, page_id, "said by ourselves")

    await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, page_id, at_least=2))
    assert standby.relay.leads


@pytest.mark.parametrize("statement", [None, relay.PAGE], ids=["between statements", "within a statement"])
async def test_a_leader_that_vanished_without_a_word_is_followed(world: World, statement: str | None) -> None:
    database = await world.database(service, TABLES)
    vanished = await asyncpg.connect(database.url, server_settings=relay.silent_after(poll_seconds=0.1))
    try:
        assert await vanished.fetchval(relay.LEADERSHIP)
        if statement:
            await vanished.prepare(statement)  # It is parsed; PostgreSQL waits for the message that follows.

        standby = (await world.run(service, TABLES)).runtime

        assert await wait_until(lambda: standby.relay.leads, 60)
    finally:
        vanished.terminate()


@pytest.mark.parametrize("writer", ["the leader", "another process"])
async def test_a_commit_wakes_the_relay_long_before_it_would_look_by_itself(world: World, writer: str) -> None:
    leading = (await world.run(service, TABLES, poll_seconds=60)).runtime
    await wait_until(lambda: leading.relay.leads)
    standby = (await world.run(service, TABLES, poll_seconds=60)).runtime
    (page_id,) = await open_pages(leading)

    await note(leading if writer == "the leader" else standby, page_id, "woken")

    assert await wait_until(lambda: heard(world, page_id)) == ["woken"]
    assert leading.relay.leads


async def test_an_event_is_said_even_if_nobody_wakes_the_relay(world: World) -> None:
    await world.run(service, TABLES)
    database, page_id = await world.database(service), uuid4()
    event = Page(page_id=page_id).note("unannounced")[0]
    topic = world.settings(database_url=database.url).topic_prefix + event.topic

    await database.fetch(BY_HAND, uuid4(), topic, str(page_id), event.model_dump_json().encode())

    assert await wait_until(lambda: heard(world, page_id)) == ["unannounced"]


async def test_nothing_is_lost_and_order_is_kept_while_kafka_is_away(world: World) -> None:
    runtime, database = (await world.run(service, TABLES)).runtime, await world.database(service)
    (page_id,) = await open_pages(runtime)
    await note(runtime, page_id, "before")
    await wait_until(lambda: heard(world, page_id))

    async with world.without_kafka():
        for number in range(20):
            await note(runtime, page_id, f"away {number}")
        await wait_until(lambda: database.fetch(RELAY_IS_SENDING))
        assert await database.count("outbox") == 20
    await note(runtime, page_id, "back")
    await world.outside.publish(line(page_id, "heard again"))

    await wait_until(lambda: world.is_done(service), 60)
    everything = ["before", *(f"away {number}" for number in range(20)), "back"]
    said = await heard(world, page_id)
    assert [each for each in said if each != "heard again"] == everything
    assert "heard again" in said


async def test_an_event_lies_in_the_partition_where_javas_client_would_put_it(world: World) -> None:
    runtime = (await world.run(service, TABLES)).runtime
    for page_id in await open_pages(runtime, 10):
        await note(runtime, page_id, "placed")
    await wait_until(lambda: world.is_done(service))

    said = await world.listener.all_of(EssaySlotAssignedV1)

    assert len(said) == 10
    for each in said:
        assert each.record.key == str(each.event.key).encode()
        assert each.record.partition == partition_of(each.record.key, range(2), range(2))
    assert {each.record.partition for each in said} == {0, 1}


async def test_an_event_inherits_the_correlation_of_its_cause_and_names_it(world: World) -> None:
    await world.run(service, TABLES)
    page_id = uuid4()
    await world.outside.publish(opening(page_id))
    event = line(page_id, "one")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    await world.outside.send(
        event.topic,
        event.model_dump_json().encode(),
        key=str(page_id).encode(),
        headers=[
            *[("ce_specversion", b"1.0"), ("ce_id", b"from-outside-7"), ("ce_source", OUTSIDE.encode())],
            *[("ce_type", b"EssayContentProvisionedV1"), ("ce_correlationid", b"a-thing-we-asked-for")],
            *[("ce_traceparent", trace.encode()), ("content-type", b"application/json")],
        ],
    )

    (said,) = await wait_until(lambda: world.listener.all_of(EssaySlotAssignedV1, page_id))

    headers = {name: value.decode() for name, value in said.record.headers}
    assert str(UUID(headers.pop("ce_id"))) == said.envelope.id
    assert headers.pop("ce_time").endswith("Z")
    assert headers == {
        "ce_specversion": "1.0",
        "ce_source": "/notebook",
        "ce_type": "EssaySlotAssignedV1",
        "ce_subject": str(page_id),
        "ce_correlationid": "a-thing-we-asked-for",
        "ce_causationid": "from-outside-7",
        "ce_traceparent": trace,
        "content-type": "application/json",
    }
    assert [name for name, _ in said.record.headers] == list(dict(said.record.headers))


async def test_an_event_caused_by_a_request_carries_the_callers_correlation_and_no_cause(world: World) -> None:
    running = await world.run(orchestrator)
    headers = {**bearer(running.runtime.settings, "a teacher"), "X-Correlation-ID": "the browser's id"}

    answer = await running.http.post(
        "/v1/batches", json={"course_code": "ENG5", "expected_essay_count": 1}, headers=headers
    )

    assert answer.headers["X-Correlation-ID"] == "the browser's id"
    (said,) = await wait_until(lambda: world.listener.all_of(BatchEssaysRegisteredV1))
    assert said.envelope.correlation_id == "the browser's id"
    assert "ce_causationid" not in dict(said.record.headers)
