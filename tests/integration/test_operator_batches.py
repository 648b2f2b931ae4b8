"""Where batches are and for how long, as an operator asks: everybody's, page by page, and nothing about anybody."""

from typing import Any
from uuid import UUID

import pytest
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer

from services.batch_orchestrator_service.service import service as orchestrator
from tests.integration.classroom import COURSE, Person, other_teacher
from tests.integration.world import World

CANCELLED, CONTENT = "cancelled", "awaiting_content_validation"


@pytest.fixture
async def batches(world: World) -> Running:
    return await world.run(orchestrator)


async def register(person: Person) -> UUID:
    body = {"course_code": COURSE, "expected_essay_count": 2}
    return UUID((await person.post("/batches", body)).raise_for_status().json()["batch_id"])


async def standing(batches: Running, **asked: Any) -> list[dict[str, Any]]:
    """The batches of all pages."""
    found: list[dict[str, Any]] = []
    headers = bearer(batches.runtime.settings, "olle", Role.OPERATOR)
    while True:
        page = (await batches.http.get("/ops/batches", params=asked, headers=headers)).raise_for_status().json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        asked["cursor"] = page["next_cursor"]


def ids(found: list[dict[str, Any]]) -> list[UUID]:
    return [UUID(each["batch_id"]) for each in found]


async def test_open_batches_of_everybody_come_page_by_page_the_longest_in_their_state_first(
    world: World, batches: Running
) -> None:
    berit, carl = Person(batches), other_teacher(batches)
    registered = [await register(person) for person in (berit, carl, berit)]
    ended = await register(carl)
    (await carl.post(f"/batches/{ended}/cancel")).raise_for_status()
    # The last is now the oldest, and the two others are equally old.
    database = await world.database(orchestrator)
    await database.fetch(
        "UPDATE batches SET registered_at = '2026-01-02T03:04:05.678901Z' WHERE batch_id = $1", registered[0]
    )
    await database.fetch(
        "UPDATE batches SET registered_at = '2026-01-02T03:04:05.678901Z' WHERE batch_id = $1", registered[1]
    )
    await database.fetch("UPDATE batches SET registered_at = '2026-01-01T00:00:00Z' WHERE batch_id = $1", registered[2])
    longest_first = [registered[2], registered[0], registered[1]]

    assert ids(await standing(batches, limit=1)) == longest_first
    assert ids(await standing(batches, limit=2)) == longest_first
    assert ids(await standing(batches, status=[CANCELLED])) == [ended]
    assert ids(await standing(batches, status=[CANCELLED, CONTENT])) == [*longest_first, ended]


@pytest.mark.parametrize("cursor", ["", "x", "1", f"1~{'g' * 36}", f"-1~{UUID(int=0)}", f"{'9' * 18}~{UUID(int=0)}"])
async def test_a_cursor_of_somebody_elses_making_is_refused(batches: Running, cursor: str) -> None:
    headers = bearer(batches.runtime.settings, "olle", Role.OPERATOR)

    assert (await batches.http.get("/ops/batches", params={"cursor": cursor}, headers=headers)).status_code == 422
    far = {"cursor": f"{'9' * 17}~{UUID(int=0)}"}
    assert (await batches.http.get("/ops/batches", params=far, headers=headers)).json()["items"] == []


async def test_a_batch_is_as_old_as_its_last_move(world: World, batches: Running) -> None:
    berit = Person(batches)
    waiting, moved = await register(berit), await register(berit)
    database = await world.database(orchestrator)
    await database.fetch("UPDATE batches SET registered_at = now() - interval '2 hours'")
    (await berit.post(f"/batches/{moved}/cancel")).raise_for_status()
    both = [CONTENT, CANCELLED]

    assert ids(await standing(batches, status=both, seconds_in_state=3_600)) == [waiting]
    old, new = await standing(batches, status=both)
    assert 7_200 <= old["seconds_in_state"] < 8_000
    assert 0 <= new["seconds_in_state"] < 800
    assert new["since"] > old["since"] == old["registered_at"]


async def test_nothing_is_told_about_anybody(batches: Running) -> None:
    await register(Person(batches))

    (found,) = await standing(batches)

    assert set(found) == {
        "batch_id",
        "status",
        "since",
        "seconds_in_state",
        "registered_at",
        "expected_essay_count",
        "course_code",
        "class_id",
    }


@pytest.mark.parametrize("role", [Role.TEACHER, Role.SERVICE])
async def test_only_an_operator_sees_them(batches: Running, role: Role) -> None:
    headers = bearer(batches.runtime.settings, "berit", role)

    assert (await batches.http.get("/ops/batches", headers=headers)).status_code == 403
    assert (await batches.http.get("/ops/batches")).status_code == 401
