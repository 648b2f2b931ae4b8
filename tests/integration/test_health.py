"""`/readyz` names the part that does not work, and a process that is asked to stop finishes or gives it back."""

import os
import signal
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

from common_core.events import EssaySlotAssignedV1
from service_runtime import SetTimer
from service_runtime.testing import Running, a_cause, wait_until
from service_runtime.unit_of_work import database_time

from services.batch_orchestrator_service.service import service as orchestrator_service
from tests.integration.notebook import TABLES, Page, Press, line, service
from tests.integration.world import Database, World

MODULE = "tests.integration.notebook"
LOCK_PAGES = "SELECT page_id FROM pages FOR UPDATE"


async def problems(of: Running) -> dict[str, str]:
    """The reasons by part."""
    answer = await of.http.get("/readyz")
    found: dict[str, str] = answer.json()["problems"]
    assert answer.status_code == (503 if found else 200)
    return found


def says(of: Running, part: str, words: str) -> Callable[[], Awaitable[bool]]:
    """Whether a part, and nothing else, is said to be in trouble."""

    async def said() -> bool:
        found = await problems(of)
        return list(found) == [part] and words in found[part]

    return said


async def open_page(of: Running) -> UUID:
    async with of.runtime.units.begin() as work:
        return work.add(Page(page_id=uuid4())).page_id


# Reasons


async def test_a_database_behind_the_code_is_not_ready_and_one_ahead_of_it_is(world: World) -> None:
    orchestrator = await world.run(orchestrator_service)
    database = await world.database(orchestrator_service)
    (at_head,) = await database.fetch("SELECT version_num FROM alembic_version")
    assert not await problems(orchestrator)

    await database.fetch("UPDATE alembic_version SET version_num = '0001'")
    assert await says(orchestrator, "migrations", f"at migration 0001, this version needs {at_head['version_num']}")()

    await database.fetch("UPDATE alembic_version SET version_num = '9999'")
    assert not await problems(orchestrator)

    await database.fetch("DELETE FROM alembic_version")
    assert await says(orchestrator, "migrations", "run `scriptorium migrate`")()


async def test_a_consumer_that_is_at_one_micro_batch_for_too_long(world: World, database: Database) -> None:
    notebook = await world.run(service, TABLES, stalled_seconds=0.5)
    page_id = await open_page(notebook)
    async with database.holding(LOCK_PAGES):
        await world.outside.publish(line(page_id, "held"))

        await wait_until(says(notebook, "consumer", "stalled: at one micro-batch for"))

    await wait_until(lambda: nothing(notebook))


async def test_a_relay_that_is_at_one_page_for_too_long(world: World, database: Database) -> None:
    notebook = await world.run(service, TABLES, stalled_seconds=0.5)
    async with database.holding("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE"):
        await wait_until(says(notebook, "relay", "stalled: at one page of the outbox for"))

    await wait_until(lambda: nothing(notebook))


async def test_a_relay_that_cannot_become_the_leader(world: World) -> None:
    notebook = await world.run(service, TABLES)
    world.stack.postgres.stop("immediate")
    try:
        await wait_until(lambda: names(notebook, "relay", "the relay cannot work"))
    finally:
        world.stack.postgres.start()

    await wait_until(lambda: nothing(notebook), 30)


async def test_a_relay_beside_one_that_leads_is_ready(world: World) -> None:
    first, second = await world.run(service, TABLES), await world.run(service, TABLES)

    assert [first.runtime.relay.leads, second.runtime.relay.leads] == [True, False]
    await wait_until(lambda: nothing(second))


async def test_a_loop_that_has_stopped(world: World) -> None:
    notebook = await world.run(service, TABLES)

    notebook.runtime._tasks["retries"].cancel()

    await wait_until(says(notebook, "retries", "stopped"))


async def names(of: Running, part: str, words: str) -> bool:
    return words in (await problems(of)).get(part, "")


async def nothing(of: Running) -> bool:
    return not await problems(of)


# The end


async def test_a_process_that_hangs_in_a_micro_batch_ends_in_time_and_gives_it_back(
    world: World, database: Database
) -> None:
    async with world.running(service, TABLES) as notebook:
        page_id = await open_page(notebook)
    process = await world.process(service, MODULE, TABLES)
    async with database.holding(LOCK_PAGES):
        await world.outside.publish(line(page_id, "held"))
        await wait_until(database.somebody_waits_for_a_lock, 30)

        os.kill(process.pid, signal.SIGTERM)

        await wait_until(lambda: not process.running, 25)

    await world.run(service, TABLES)
    assert await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, page_id))


async def test_a_job_at_work_is_given_back_at_once(world: World) -> None:
    async with world.running(service, TABLES, job_lease_seconds=600) as notebook:
        press = notebook.runtime.clock._tools
        assert isinstance(press, Press)
        press.may_go_on.clear()
        page_id = await open_page(notebook)
        async with notebook.runtime.units.begin() as work:
            work.cause = a_cause()
            work.publish([SetTimer("print", page_id, await database_time(work.session))])
        await wait_until(lambda: press.began)

    await world.run(service, TABLES, job_lease_seconds=600)

    assert await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, page_id))
