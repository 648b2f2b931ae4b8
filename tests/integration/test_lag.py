"""What a service is behind is the same whichever of its processes is asked, and only operators are told."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx
import pytest
from common_core.events import EssaySlotAssignedV1, Topic
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer, wait_until

from tests.integration.notebook import TABLES, line, opening, service
from tests.integration.world import World


async def ask(process: Running, role: Role = Role.OPERATOR) -> httpx.Response:
    return await process.http.get("/ops/lag", headers=bearer(process.runtime.settings, "olle", role))


def both_say(processes: list[Running], topic: str, lag: int) -> Callable[[], Awaitable[bool]]:
    async def they_do() -> bool:
        answers = [(await ask(process)).raise_for_status().json()["topics"] for process in processes]
        return [
            answer[process.runtime.settings.topic_prefix + topic]
            for answer, process in zip(answers, processes, strict=True)
        ] == [lag, lag]

    return they_do


async def test_it_is_that_of_all_processes_together(world: World) -> None:
    processes = [await world.run(service, TABLES), await world.run(service, TABLES)]
    await wait_until(lambda: all(not each.runtime.problems() for each in processes), 60)
    pages = [uuid4() for _ in range(8)]  # On both partitions, so in both processes.
    for page in pages:
        await world.outside.publish(opening(page))
    await wait_until(both_say(processes, Topic.UPSTREAM, 0), 60)
    database = await world.database(service, TABLES)

    async with database.holding("SELECT page_id FROM pages FOR UPDATE"):
        for page in pages:
            await world.outside.publish(line(page, "a line"))
        await wait_until(both_say(processes, Topic.FILE_SERVICE, len(pages)), 60)
        parts = [sum((await each.runtime.consumer.lag()).values()) for each in processes]
        assert sum(parts) == len(pages)
        assert all(parts), "each process has a part of it"

    await wait_until(both_say(processes, Topic.FILE_SERVICE, 0), 60)
    assert len(await world.listener.said(EssaySlotAssignedV1)) == len(pages)


@pytest.mark.parametrize("role", [Role.TEACHER, Role.SERVICE])
async def test_only_an_operator_is_told(world: World, role: Role) -> None:
    assert (await ask(await world.run(service, TABLES), role)).status_code == 403


async def test_without_the_broker_it_is_not_known(world: World) -> None:
    process = await world.run(service, TABLES)

    async with world.without_kafka():
        answer = await ask(process)

    assert answer.status_code == 503
    assert "the broker does not say now how far the consumer is" in answer.json()["detail"]
