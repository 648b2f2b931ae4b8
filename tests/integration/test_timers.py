"""A timer fires once, at the database's time, whatever restarts; slow work is prepared outside, decided upon once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from common_core.errors import NotYet
from common_core.events import EssaySlotAssignedV1
from service_runtime import CancelTimer, RuntimeSettings, Service, SetTimer
from service_runtime.service import Runtime
from service_runtime.testing import Running, a_cause, wait_until
from service_runtime.unit_of_work import database_time

from tests.integration.notebook import TABLES, Page, Press, lines, service, trouble
from tests.integration.world import Database, World

TIMERS = "SELECT *, now() > due_at AS is_due FROM timers"
EXPIRE_LEASES = "UPDATE timers SET due_at = now()"


async def open_page(runtime: Runtime) -> UUID:
    async with runtime.units.begin() as work:
        return work.add(Page(page_id=uuid4())).page_id


async def set_timer(runtime: Runtime, name: str, page_id: UUID, seconds: float = 0.0) -> str | None:
    """Set a timer as a handler would; the id of the message that did."""
    async with runtime.units.begin() as work:
        work.cause = a_cause()
        await work.get(Page, page_id)
        at = await database_time(work.session)
        work.publish([SetTimer(name, page_id, at + timedelta(seconds=seconds))])
        return work.cause.event_id


async def test_a_timer_fires_once_and_not_before_its_time(notebook: Running, database: Database, world: World) -> None:
    page_id = await open_page(notebook.runtime)
    event_id = await set_timer(notebook.runtime, "ring", page_id, 0.5)
    (before,) = await database.fetch(TIMERS)

    await wait_until(lambda: lines(database, page_id))

    (now,) = await database.fetch("SELECT now() AS at")
    assert now["at"] > before["due_at"]
    assert await lines(database, page_id) == [f"rang because of {event_id}"]
    assert await database.count("timers") == 0
    (said,) = await wait_until(lambda: world.listener.all_of(EssaySlotAssignedV1, page_id))
    assert said.envelope.causation_id == event_id


async def test_a_timer_wakes_the_process_long_before_it_would_look_by_itself(world: World, database: Database) -> None:
    notebook = await world.run(service, TABLES, poll_seconds=60)
    page_id = await open_page(notebook.runtime)

    await set_timer(notebook.runtime, "ring", page_id, 0.3)

    assert await wait_until(lambda: lines(database, page_id))


async def test_a_cancelled_timer_does_not_fire(notebook: Running, database: Database) -> None:
    cancelled, kept = await open_page(notebook.runtime), await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "ring", cancelled, 0.3)
    await set_timer(notebook.runtime, "ring", kept, 0.4)
    async with notebook.runtime.units.begin() as work:
        work.cause = a_cause()
        work.publish([CancelTimer("ring", cancelled), CancelTimer("ring", uuid4())])

    await wait_until(lambda: lines(database, kept))

    assert await lines(database, cancelled) == []
    assert await database.count("timers") == 0


async def test_a_timer_set_again_fires_once_at_its_new_time_because_of_its_new_cause(
    notebook: Running, database: Database
) -> None:
    page_id = await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "ring", page_id, 3600)

    second = await set_timer(notebook.runtime, "ring", page_id, 0.1)

    await wait_until(lambda: lines(database, page_id))
    assert await lines(database, page_id) == [f"rang because of {second}"]
    assert await database.count("timers") == 0


async def test_the_last_word_about_a_timer_in_one_transaction_counts(notebook: Running, database: Database) -> None:
    page_id = await open_page(notebook.runtime)
    async with notebook.runtime.units.begin() as work:
        work.cause = a_cause()
        at = await database_time(work.session)
        work.publish([SetTimer("ring", page_id, at), CancelTimer("ring", page_id), SetTimer("print", page_id, at)])

    assert await wait_until(lambda: lines(database, page_id)) == ["printed by the press"]
    assert await database.count("timers") == 0


async def test_a_timer_of_a_rolled_back_transaction_was_never_set(notebook: Running, database: Database) -> None:
    page_id = await open_page(notebook.runtime)

    async def fail_after_the_decision() -> None:
        async with notebook.runtime.units.begin() as work:
            work.cause = a_cause()
            work.publish([SetTimer("ring", page_id, await database_time(work.session))])
            await work.save()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail_after_the_decision()

    assert await database.count("timers") == 0


async def test_a_timer_due_while_nobody_ran_fires_after_the_restart(world: World, database: Database) -> None:
    async with world.running(service, TABLES) as first:
        page_id = await open_page(first.runtime)
        event_id = await set_timer(first.runtime, "ring", page_id, 3600)
    await database.fetch("UPDATE timers SET due_at = now() - interval '1 day'")

    await world.run(service, TABLES)

    assert await wait_until(lambda: lines(database, page_id)) == [f"rang because of {event_id}"]


async def test_many_timers_fire_once_each_even_if_two_instances_look(world: World, database: Database) -> None:
    one, _ = await world.run(service, TABLES), await world.run(service, TABLES)
    pages = [await open_page(one.runtime) for _ in range(30)]
    async with one.runtime.units.begin() as work:
        work.cause = a_cause()
        at = await database_time(work.session) + timedelta(seconds=0.3)
        work.publish([SetTimer("ring", page_id, at) for page_id in pages])

    await wait_until(lambda: all_rang(database))

    for page_id in pages:
        assert len(await lines(database, page_id)) == 1


async def test_an_instance_that_is_held_up_keeps_no_timer_from_another(world: World, database: Database) -> None:
    one, _ = await world.run(service, TABLES), await world.run(service, TABLES)
    held, free = await open_page(one.runtime), await open_page(one.runtime)
    await set_timer(one.runtime, "ring", held, 3600)
    async with database.holding("SELECT 1 FROM pages WHERE page_id = $1 FOR UPDATE", held):
        await database.fetch("UPDATE timers SET due_at = now()")
        await wait_until(database.somebody_waits_for_a_lock)

        await set_timer(one.runtime, "ring", free)

        await wait_until(lambda: lines(database, free))
    await wait_until(lambda: all_rang(database))
    assert len(await lines(database, held)) == 1


async def all_rang(database: Database) -> bool:
    return await database.count("timers") == 0


async def test_a_failing_timer_is_tried_again_later_and_stops_no_other(notebook: Running, database: Database) -> None:
    trouble["ring"] = RuntimeError("our fault")
    failing, printing = await open_page(notebook.runtime), await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "ring", failing)
    await wait_until(lambda: database.fetch("SELECT 1 FROM timers WHERE attempts > 2"))

    await set_timer(notebook.runtime, "print", printing)
    await wait_until(lambda: lines(database, printing))
    (timer,) = await database.fetch(TIMERS)
    assert timer["last_error"] == "RuntimeError: our fault"
    trouble.clear()

    assert await wait_until(lambda: lines(database, failing))
    assert len(await lines(database, failing)) == 1
    assert await database.count("timers") == 0


async def test_a_timer_of_nothing_is_forgotten(notebook: Running, database: Database) -> None:
    async with notebook.runtime.units.begin() as work:
        work.cause = a_cause()
        at = await database_time(work.session)
        work.publish([SetTimer("ring", uuid4(), at), SetTimer("print", uuid4(), at)])

    await wait_until(lambda: all_rang(database))


# Prepared timers: durable jobs


def with_press(press: Press) -> Service:
    """The notebook as an instance with this press."""

    @asynccontextmanager
    async def tools(_: RuntimeSettings) -> AsyncIterator[Press]:
        yield press

    return replace(service, tools=tools)


async def test_a_job_is_prepared_outside_a_transaction_and_decided_in_one(world: World, database: Database) -> None:
    press = Press()
    notebook = await world.run(with_press(press), TABLES)
    page_id = await open_page(notebook.runtime)

    await set_timer(notebook.runtime, "print", page_id)
    await wait_until(lambda: press.began)
    in_transaction = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    await wait_until(lambda: nothing(database, in_transaction))
    # Others can change the page meanwhile.
    async with notebook.runtime.units.begin() as work:
        (await work.get(Page, page_id)).note("meanwhile")
    press.may_go_on.set()

    await wait_until(lambda: all_rang(database))
    assert await lines(database, page_id) == ["meanwhile", "printed by the press"]


async def nothing(database: Database, query: str) -> bool:
    return not await database.fetch(query)


async def test_a_job_that_two_instances_prepared_is_decided_once(world: World, database: Database) -> None:
    slow, quick = Press("the slow one"), Press("the quick one")
    quick.may_go_on.set()
    first = await world.run(with_press(slow), TABLES, job_lease_seconds=3600, jobs_at_once=1)
    page_id = await open_page(first.runtime)
    await set_timer(first.runtime, "print", page_id)
    await wait_until(lambda: slow.began)
    await world.run(with_press(quick), TABLES)

    await database.fetch(EXPIRE_LEASES)
    await wait_until(lambda: lines(database, page_id))
    slow.may_go_on.set()
    await wait_until(lambda: not first.runtime.clock._jobs)

    assert slow.began == quick.began == [page_id]
    assert await lines(database, page_id) == ["printed by the quick one"]


async def test_a_process_whose_lease_ran_out_does_not_begin_its_own_job_twice(world: World, database: Database) -> None:
    press = Press()
    notebook = await world.run(with_press(press), TABLES, job_lease_seconds=3600)
    page_id = await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "print", page_id)
    await wait_until(lambda: press.began)

    await database.fetch(EXPIRE_LEASES)
    await wait_until(lambda: database.fetch("SELECT 1 FROM timers WHERE due_at > now() + interval '1 h' * 0.9"))
    press.may_go_on.set()

    assert await wait_until(lambda: lines(database, page_id)) == ["printed by the press"]
    assert press.began == [page_id]


async def test_a_job_at_work_keeps_its_lease(world: World, database: Database) -> None:
    slow, other = Press(), Press()
    # Without room for another, it could not lease its own job again.
    first = await world.run(with_press(slow), TABLES, job_lease_seconds=2, jobs_at_once=1)
    page_id = await open_page(first.runtime)
    await set_timer(first.runtime, "print", page_id)
    await wait_until(lambda: slow.began)
    await world.run(with_press(other), TABLES)
    (leased,) = await database.fetch(TIMERS)

    renewed = "SELECT 1 FROM timers WHERE due_at > $1::timestamptz + interval '2 s'"
    await wait_until(lambda: database.fetch(renewed, leased["due_at"]))

    assert slow.began == [page_id]
    assert other.began == []


async def test_a_job_of_a_process_that_ended_is_taken_over(world: World, database: Database) -> None:
    stuck, fresh = Press("stuck"), Press("fresh")
    fresh.may_go_on.set()
    async with world.running(with_press(stuck), TABLES, job_lease_seconds=1) as first:
        page_id = await open_page(first.runtime)
        await set_timer(first.runtime, "print", page_id)
        await wait_until(lambda: stuck.began)

    await world.run(with_press(fresh), TABLES)

    assert await wait_until(lambda: lines(database, page_id)) == ["printed by fresh"]


async def test_a_job_that_cannot_be_prepared_yet_is_tried_again(notebook: Running, database: Database) -> None:
    trouble["print"] = NotYet("ink", "black")
    page_id = await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "print", page_id)
    await wait_until(lambda: database.fetch("SELECT 1 FROM timers WHERE attempts > 1"))
    assert await lines(database, page_id) == []

    trouble.clear()

    assert await wait_until(lambda: lines(database, page_id)) == ["printed by the press"]


async def test_a_job_set_again_while_at_work_runs_again_and_only_the_new_one_counts(
    world: World, database: Database
) -> None:
    press = Press()
    notebook = await world.run(with_press(press), TABLES)
    page_id = await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "print", page_id)
    await wait_until(lambda: press.began)

    await set_timer(notebook.runtime, "print", page_id)
    await wait_until(lambda: len(press.began) == 2)
    press.may_go_on.set()

    await wait_until(lambda: all_rang(database))
    await wait_until(lambda: not notebook.runtime.clock._jobs)
    assert await lines(database, page_id) == ["printed by the press"]


async def test_a_job_cancelled_while_at_work_has_no_effect(world: World, database: Database) -> None:
    press = Press()
    notebook = await world.run(with_press(press), TABLES)
    page_id = await open_page(notebook.runtime)
    await set_timer(notebook.runtime, "print", page_id)
    await wait_until(lambda: press.began)
    async with notebook.runtime.units.begin() as work:
        work.cause = a_cause()
        await work.get(Page, page_id)
        work.publish([CancelTimer("print", page_id)])

    press.may_go_on.set()

    await wait_until(lambda: not notebook.runtime.clock._jobs)
    assert await lines(database, page_id) == []
    assert await database.count("timers") == 0
