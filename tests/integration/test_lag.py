"""What a service is behind is the same whichever of its processes is asked, and only operators are told."""

from collections.abc import Awaitable, Callable
from itertools import islice
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.events import EssaySlotAssignedV1, Topic
from service_runtime.auth import Role
from service_runtime.relay import partition_of
from service_runtime.testing import Running, bearer, wait_until

from tests.integration.notebook import TABLES, line, opening, service
from tests.integration.world import World


async def ask(process: Running, role: Role = Role.OPERATOR) -> httpx.Response:
    return await process.http.get("/ops/lag", headers=bearer(process.runtime.settings, "olle", role))


def both_say(processes: list[Running], topic: str, lag: int) -> Callable[[], Awaitable[bool]]:
    async def they_do() -> bool:
        answers = [await ask(process) for process in processes]
        # A slow process may lose its partitions for a moment: then it does not know.
        return all(answer.is_success for answer in answers) and [
            answer.json()["topics"][process.runtime.settings.topic_prefix + topic]
            for answer, process in zip(answers, processes, strict=True)
        ] == [lag, lag]

    return they_do


def each_has_a_part(processes: list[Running], lag: int) -> Callable[[], Awaitable[bool]]:
    async def they_have() -> bool:
        parts = [sum((await process.runtime.consumer.lag()).values()) for process in processes]
        return all(parts) and sum(parts) == lag

    return they_have


def pages_on(partition: int, number: int) -> list[UUID]:
    """So many pages whose messages go to this one of two partitions."""
    found = (page for page in iter(uuid4, None) if partition_of(str(page).encode(), range(2), range(2)) == partition)
    return list(islice(found, number))


async def test_it_is_that_of_all_processes_together(world: World) -> None:
    processes = [await world.run(service, TABLES), await world.run(service, TABLES)]
    await wait_until(lambda: all(not each.runtime.problems() for each in processes), 60)
    pages = [*pages_on(0, 4), *pages_on(1, 4)]  # So in both processes.
    for page in pages:
        await world.outside.publish(opening(page))
    await wait_until(both_say(processes, Topic.UPSTREAM, 0), 60)
    database = await world.database(service, TABLES)

    async with database.holding("SELECT page_id FROM pages FOR UPDATE"):
        for page in pages:
            await world.outside.publish(line(page, "a line"))
        await wait_until(both_say(processes, Topic.FILE_SERVICE, len(pages)), 60)
        await wait_until(each_has_a_part(processes, len(pages)), 60)

    await wait_until(both_say(processes, Topic.FILE_SERVICE, 0), 60)
    assert len(await world.listener.said(EssaySlotAssignedV1)) == len(pages)


async def test_what_another_process_handled_before_it_left_is_not_behind(world: World) -> None:
    first = (await world.run(service, TABLES)).runtime
    pages = [*pages_on(0, 1), *pages_on(1, 1)]

    async def told(text: str) -> None:
        for page in pages:
            await world.outside.publish(line(page, text), topic=Topic.UPSTREAM)
        await wait_until(lambda: world.is_done(service), 60)

    async def is_at_the_end() -> bool:
        behind = await first.consumer.lag()
        return bool(behind) and not any(behind.values())

    for page in pages:
        await world.outside.publish(opening(page), topic=Topic.UPSTREAM)
    await told("to the first")
    async with world.running(service, TABLES) as other:
        await wait_until(lambda: not (first.problems() or other.runtime.problems()), 60)
        await told("to both")

    client = first.consumer._client
    assert client is not None
    await wait_until(lambda: len(client.assignment()) == 4 and not first.problems(), 60)
    await wait_until(is_at_the_end)


@pytest.mark.parametrize("role", [Role.TEACHER, Role.SERVICE])
async def test_only_an_operator_is_told(world: World, role: Role) -> None:
    assert (await ask(await world.run(service, TABLES), role)).status_code == 403


async def test_without_the_broker_it_is_not_known(world: World) -> None:
    process = await world.run(service, TABLES)

    async with world.without_kafka():
        answer = await ask(process)

    assert answer.status_code == 503
    assert "the broker does not say now how far the consumer is" in answer.json()["detail"]
