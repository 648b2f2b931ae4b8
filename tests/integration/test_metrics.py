"""Each number at `/metrics` moves when it should, and goes back where it should."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from common_core.events import Topic
from prometheus_client import generate_latest
from service_runtime import SetTimer, unit_of_work
from service_runtime.testing import Running, a_cause, wait_until
from service_runtime.unit_of_work import database_time

from services.batch_orchestrator_service import metrics
from services.batch_orchestrator_service.service import service as orchestrator_service
from services.batch_orchestrator_service.state_machine import ENDS, OPEN
from tests.integration.classroom import Person
from tests.integration.meter import Meter
from tests.integration.notebook import TABLES, Page, Press, line, opening, service, trouble
from tests.integration.world import Database, World

LOCK_PAGES = "SELECT page_id FROM pages FOR UPDATE"
CONTENT, OPENING = "EssayContentProvisionedV1", "RegisterBatchV1"


@pytest.fixture
async def meter(notebook: Running) -> Meter:
    return Meter(notebook)


@pytest.fixture
async def page(notebook: Running) -> UUID:
    async with notebook.runtime.units.begin() as work:
        return work.add(Page(page_id=uuid4())).page_id


async def set_timer(notebook: Running, name: str, page_id: UUID, late: float = 0.0) -> None:
    """Set a timer that was due so many seconds ago."""
    async with notebook.runtime.units.begin() as work:
        work.cause = a_cause()
        at = await database_time(work.session)
        work.publish([SetTimer(name, page_id, at - timedelta(seconds=late))])


async def grows(read: Callable[[], Awaitable[float | None]]) -> None:
    """Wait until a number is above 0 and then above that."""
    first = await wait_until(read)
    await wait_until(lambda: is_above(read, first or 0))


async def is_above(read: Callable[[], Awaitable[float | None]], limit: float) -> bool:
    number = await read()
    return number is not None and number > limit


# Messages


async def test_messages_that_are_read_handled_and_seen_again(meter: Meter, world: World, page: UUID) -> None:
    topic = world.settings(database_url="postgresql://nowhere/none").topic_prefix + Topic.UPSTREAM
    consumed = await meter.growth("messages_consumed_total", topic=topic)
    handled = await meter.growth("messages_handled_total", type=CONTENT)
    seconds = await meter.growth("handler_seconds_count", handler=CONTENT)
    batches = await meter.growth("delivery_seconds_count")
    duplicates = await meter.growth("messages_duplicate_total")

    for event_id in ("a", "b", "a"):
        await world.outside.publish(line(page, event_id), event_id=event_id, topic=Topic.UPSTREAM)
    await wait_until(lambda: world.is_done(service))

    assert (await consumed(), await handled(), await seconds(), await duplicates()) == (3, 2, 2, 1)
    assert await batches() >= 1


async def test_the_lag_is_what_is_not_handled_yet(meter: Meter, world: World, database: Database, page: UUID) -> None:
    topic = world.settings(database_url="postgresql://nowhere/none").topic_prefix + Topic.FILE_SERVICE
    async with database.holding(LOCK_PAGES):
        for number in range(3):
            await world.outside.publish(line(page, str(number)))

        await wait_until(lambda: meter.is_at(3, "consumer_lag_messages", topic=topic))

    await wait_until(lambda: meter.is_at(0, "consumer_lag_messages", topic=topic))


async def test_a_message_that_waits_is_counted_until_it_is_handled(meter: Meter, world: World) -> None:
    parked = await meter.growth("messages_parked_total", reason="not_yet")
    retried = await meter.growth("messages_retried_total", reason="not_yet")
    page_id = uuid4()
    await world.outside.publish(line(page_id, "early"))

    await wait_until(lambda: meter.is_at(1, "parked_messages", reason="not_yet"))
    await grows(lambda: meter.value("parked_oldest_seconds", reason="not_yet"))
    await wait_until(retried)
    assert await parked() == 1
    assert await meter.is_at(0, "dead_letters", reason="waited_too_long")

    await world.outside.publish(opening(page_id))
    await wait_until(lambda: meter.is_at(0, "parked_messages", reason="not_yet"))
    assert await meter.is_at(0, "parked_oldest_seconds", reason="not_yet")


async def test_a_dead_letter_is_counted_until_somebody_deals_with_it(
    meter: Meter, world: World, database: Database, page: UUID
) -> None:
    parked = await meter.growth("messages_parked_total", reason="bug")
    retried = await meter.growth("messages_retried_total", reason="bug")
    trouble["bad"] = RuntimeError("a bug")
    await world.outside.publish(line(page, "bad"))

    await wait_until(lambda: meter.is_at(1, "dead_letters", reason="bug"))
    await grows(lambda: meter.value("dead_letters_oldest_seconds", reason="bug"))
    assert await parked() == 1
    assert await retried() == 2
    assert await meter.is_at(0, "parked_messages", reason="bug")

    await database.fetch("DELETE FROM parked_messages")
    assert await meter.is_at(0, "dead_letters", reason="bug")


# Outbox and relay


async def test_the_outbox_grows_older_without_a_broker_and_is_empty_afterwards(
    meter: Meter, world: World, notebook: Running, page: UUID
) -> None:
    published = await meter.growth("outbox_published_total")
    pages = await meter.growth("relay_seconds_count")
    assert await meter.is_at(1, "relay_leader")
    async with world.without_kafka():
        async with notebook.runtime.units.begin() as work:
            work.cause = a_cause()
            work.publish((await work.get(Page, page)).note("said") + (await work.get(Page, page)).note("again"))

        assert await meter.is_at(2, "outbox_events")
        await grows(lambda: meter.value("outbox_oldest_seconds"))
        assert await meter.value("consumer_lag_messages") is None

    await wait_until(lambda: meter.is_at(0, "outbox_events"), 60)
    assert await meter.is_at(0, "outbox_oldest_seconds")
    assert await published() == 2
    assert await pages() >= 1


async def test_a_relay_that_stopped_does_not_lead(world: World) -> None:
    async with world.running(service, TABLES):
        assert b"scriptorium_relay_leader 1.0" in generate_latest()

    assert b"scriptorium_relay_leader 0.0" in generate_latest()


# Timers


async def test_timers_that_are_due_late_and_fired(
    meter: Meter, notebook: Running, database: Database, page: UUID
) -> None:
    fired = await meter.growth("timers_fired_total", name="ring")
    late = await meter.growth("timer_lateness_seconds_sum", name="ring")
    seconds = await meter.growth("handler_seconds_count", handler="ring")
    async with database.holding(LOCK_PAGES):
        await set_timer(notebook, "ring", page, late=100)

        assert await meter.is_at(1, "timers_due", name="ring")
        assert 100 <= (await meter.value("timers_oldest_due_seconds", name="ring") or 0) < 160

    await wait_until(fired)
    assert (await fired(), await seconds()) == (1, 1)
    assert 100 <= await late() < 160
    assert await meter.is_at(0, "timers_due", name="ring")
    assert await meter.is_at(0, "timers_oldest_due_seconds", name="ring")


async def test_a_timer_is_counted_when_its_effects_are_committed(
    meter: Meter, notebook: Running, page: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired = await meter.growth("timers_fired_total", name="ring")
    late = await meter.growth("timer_lateness_seconds_count", name="ring")
    lost: list[str] = []

    def lose_the_connection_once(place: str) -> None:
        task = asyncio.current_task()
        if place == "unit_of_work.before_commit" and task and task.get_name() == "timers" and not lost:
            lost.append(place)
            raise ConnectionResetError("the database went away")

    monkeypatch.setattr(unit_of_work, "failpoint", lose_the_connection_once)
    await set_timer(notebook, "ring", page, late=1)

    await wait_until(lambda: meter.is_at(0, "timers_due", name="ring"))
    await wait_until(fired)
    assert (await fired(), await late(), len(lost)) == (1, 1, 1)


async def test_timers_that_fail_and_work_outside_a_transaction(meter: Meter, notebook: Running, page: UUID) -> None:
    failed = await meter.growth("timers_failed_total", name="ring")
    jobs = await meter.growth("job_seconds_count", name="print")
    trouble["ring"] = RuntimeError("a bug")

    await set_timer(notebook, "ring", page)
    await set_timer(notebook, "print", page)

    await wait_until(failed)
    assert await wait_until(jobs) == 1


async def test_a_job_at_work_is_not_due(meter: Meter, notebook: Running, page: UUID) -> None:
    press = notebook.runtime.clock._tools
    assert isinstance(press, Press)
    press.may_go_on.clear()

    await set_timer(notebook, "print", page)

    await wait_until(lambda: press.began)
    assert await meter.is_at(0, "timers_due", name="print")
    press.may_go_on.set()


# HTTP


async def test_requests_are_counted_by_route_and_never_by_what_a_caller_invents(world: World) -> None:
    orchestrator = await world.run(orchestrator_service)
    meter, teacher = Meter(orchestrator), Person(orchestrator)
    by_route = {"method": "GET", "route": "/v1/batches/{batch_id}", "status": "404"}
    known = await meter.growth("http_request_seconds_count", **by_route)
    nowhere = await meter.growth("http_request_seconds_count", method="other", route="unknown", status="404")

    await teacher.get(f"/batches/{uuid4()}")
    await orchestrator.http.request("INVENTED", "/nowhere/42")

    assert (await known(), await nowhere()) == (1, 1)
    assert "/nowhere/42" not in str(await meter.read())


# Batches


async def test_batches_by_state_and_how_long_they_have_been_there(world: World) -> None:
    orchestrator = await world.run(orchestrator_service)
    meter, teacher = Meter(orchestrator), Person(orchestrator)
    waiting = {"state": "awaiting_content_validation"}
    assert await meter.is_at(0, "batches", **waiting)
    assert await meter.is_at(0, "batch_oldest_seconds", **waiting)

    made = await teacher.post("/batches", {"course_code": "SV1", "expected_essay_count": 1}, key="one")
    await teacher.post("/batches", {"course_code": "SV1", "expected_essay_count": 1}, key="two")
    assert await meter.is_at(2, "batches", **waiting)
    await grows(lambda: meter.value("batch_oldest_seconds", **waiting))

    await teacher.post(f"/batches/{made.json()['batch_id']}/cancel")
    assert await meter.is_at(1, "batches", **waiting)
    assert await meter.is_at(1, "batches", state="cancelled")
    assert await meter.value("batch_oldest_seconds", state="cancelled") is None


async def test_the_time_in_a_state_counts_from_the_last_move(world: World) -> None:
    orchestrator = await world.run(orchestrator_service)
    database = await world.database(orchestrator_service)
    batch = (await Person(orchestrator).post("/batches", {"course_code": "SV1", "expected_essay_count": 1})).json()
    await database.fetch("""
        UPDATE batches SET status = 'awaiting_student_validation', registered_at = now() - interval '1 day',
            history = jsonb_build_array(jsonb_build_object('at', now() - interval '2 hours'),
                                        jsonb_build_object('at', now() - interval '1 hour'))""")

    seconds = await Meter(orchestrator).value("batch_oldest_seconds", state="awaiting_student_validation")

    assert batch["batch_id"]
    assert seconds is not None
    assert 3_600 <= seconds < 3_700


BATCHES = """
    INSERT INTO batches (batch_id, teacher_id, course_code, expected_essay_count, registered_at, status, deferred,
        essays, students, history)
    SELECT gen_random_uuid(), 't', 'SV1', 1, now(), $1, '[]', '[]', '{}', '[]' FROM generate_series(1, $2)
"""


async def test_batches_that_have_ended_cost_little_however_many(world: World) -> None:
    database = await world.database(orchestrator_service)
    for status, number in (("ready_for_pipeline_execution", 20_000), ("awaiting_student_validation", 10)):
        await database.fetch(BATCHES, status, number)
    await database.fetch("VACUUM ANALYZE batches")
    query = str(metrics.QUERY).replace(":open", "$1").replace(":ends", "$2").replace(":most", "$3")

    plan = [line for (line,) in await database.fetch(f"EXPLAIN {query}", list(OPEN), list(ENDS), metrics.MOST)]
    counted = {row["status"]: row["number"] for row in await database.fetch(query, list(OPEN), list(ENDS), 100)}

    assert not any("Seq Scan on batches" in line for line in plan), plan
    assert counted["ready_for_pipeline_execution"] == 100
    assert counted["awaiting_student_validation"] == 10


# Without a database


async def test_without_a_database_there_are_no_old_numbers(meter: Meter, world: World, page: UUID) -> None:
    assert page
    assert await meter.is_at(0, "dead_letters", reason="bug")
    world.stack.postgres.stop("immediate")
    try:
        assert await meter.value("dead_letters", reason="bug") is None
        assert await meter.value("timers_due", name="ring") is None
        assert math.isnan(await meter.value("outbox_events") or 0)
    finally:
        world.stack.postgres.start()

    await wait_until(lambda: meter.is_at(0, "dead_letters", reason="bug"))
