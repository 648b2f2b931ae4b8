"""A command sent again with its key is carried out once and gets the first answer, whatever happens in between."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.events import BatchEssaysRegisteredV1
from service_runtime.testing import Running, bearer, wait_until

from services.batch_orchestrator_service.service import service
from tests.integration.world import Database, World

BODY = {"course_code": "ENG5", "expected_essay_count": 2}


@pytest.fixture(scope="module")
async def orchestrator(shared_world: World) -> AsyncIterator[Running]:
    async with shared_world.running(service) as running:
        yield running


@pytest.fixture
async def database(shared_world: World) -> Database:
    return await shared_world.database(service)


async def register(
    orchestrator: Running, key: str, body: dict[str, Any] = BODY, *, teacher: str = "berit", path: str = "/v1/batches"
) -> httpx.Response:
    headers = {**bearer(orchestrator.runtime.settings, teacher), "Idempotency-Key": key}
    return await orchestrator.http.post(path, json=body, headers=headers)


async def batches(database: Database, teacher: str) -> list[UUID]:
    return [row["batch_id"] for row in await database.fetch("SELECT * FROM batches WHERE teacher_id = $1", teacher)]


async def test_the_same_key_and_body_give_the_first_answer_and_one_effect(
    orchestrator: Running, database: Database, shared_world: World
) -> None:
    first = await register(orchestrator, "a", teacher="one effect")

    again = [await register(orchestrator, "a", teacher="one effect") for _ in range(3)]

    assert first.status_code == 202
    for answer in again:
        assert (answer.status_code, answer.json()) == (first.status_code, first.json())
        assert answer.headers["Content-Type"] == first.headers["Content-Type"]
    (batch_id,) = await batches(database, "one effect")
    assert str(batch_id) == first.json()["batch_id"]
    await wait_until(lambda: shared_world.is_done(service))
    assert len(await shared_world.listener.said(BatchEssaysRegisteredV1, batch_id)) == 1


async def test_equal_values_in_another_order_are_the_same_body(orchestrator: Running, database: Database) -> None:
    first = await register(orchestrator, "order", teacher="orderly")

    again = await register(orchestrator, "order", dict(reversed(BODY.items())), teacher="orderly")

    assert again.json() == first.json()
    assert len(await batches(database, "orderly")) == 1


async def test_the_same_key_with_another_body_is_refused(orchestrator: Running, database: Database) -> None:
    await register(orchestrator, "reused", teacher="careless")

    other = await register(orchestrator, "reused", {**BODY, "expected_essay_count": 3}, teacher="careless")

    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["detail"]
    assert len(await batches(database, "careless")) == 1


async def test_a_concurrent_repetition_waits_and_gets_the_first_answer(
    orchestrator: Running, database: Database
) -> None:
    answers = await asyncio.gather(*(register(orchestrator, "at once", teacher="impatient") for _ in range(8)))

    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["batch_id"] for answer in answers}) == 1
    assert len(await batches(database, "impatient")) == 1


async def test_a_repetition_waits_for_a_first_that_fails_and_is_then_carried_out_itself(
    orchestrator: Running, database: Database
) -> None:
    batch_id, headers = uuid4(), bearer(orchestrator.runtime.settings, "unlucky")
    body = {**BODY, "batch_id": str(batch_id)}
    async with database.holding("LOCK TABLE batches IN EXCLUSIVE MODE"):
        first = asyncio.create_task(register(orchestrator, "lost", body, teacher="unlucky"))
        await wait_until(database.somebody_waits_for_a_lock)
        second = asyncio.create_task(register(orchestrator, "lost", body, teacher="unlucky"))
        await wait_until(lambda: two_wait(database))

        first.cancel()
        await asyncio.wait([first])

    answer = await second
    assert answer.status_code == 202
    shown = await orchestrator.http.get(f"/v1/batches/{batch_id}", headers=headers)
    assert shown.status_code == 200


async def two_wait(database: Database) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return len(await database.fetch(waiting)) == 2


async def test_an_error_is_not_remembered(orchestrator: Running, database: Database) -> None:
    class_id = str(uuid4())
    refused = await register(orchestrator, "second chance", {**BODY, "class_id": class_id}, teacher="persistent")
    invalid = await register(orchestrator, "second chance", {"course_code": "nonsense"}, teacher="persistent")

    accepted = await register(orchestrator, "second chance", teacher="persistent")

    assert (refused.status_code, invalid.status_code, accepted.status_code) == (422, 422, 202)
    assert len(await batches(database, "persistent")) == 1


async def test_a_key_counts_for_one_caller_and_one_route(orchestrator: Running) -> None:
    mine = await register(orchestrator, "ours", teacher="me")
    theirs = await register(orchestrator, "ours", teacher="you")

    cancelled = await register(
        orchestrator, "ours", {}, teacher="me", path=f"/v1/batches/{mine.json()['batch_id']}/cancel"
    )

    assert mine.json()["batch_id"] != theirs.json()["batch_id"]
    assert cancelled.json()["status"] == "cancelled"


async def test_without_a_key_every_request_is_a_command(orchestrator: Running, database: Database) -> None:
    headers = bearer(orchestrator.runtime.settings, "eager")
    for _ in range(2):
        await orchestrator.http.post("/v1/batches", json=BODY, headers=headers)

    assert len(await batches(database, "eager")) == 2


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_must_have_a_sensible_length(orchestrator: Running, key: str) -> None:
    answer = await register(orchestrator, key)

    assert answer.status_code == 422
    assert "1 to 200 characters" in answer.json()["detail"]
