"""Whose a resource is: on every route with an id, what is another teacher's does not exist."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.events import EssayRef
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer, wait_until

from services.class_management_service.service import service as class_management
from services.file_service.service import service as file_service
from tests.integration.classroom import BERIT, COURSE, Person, match, matching_requested, suggested
from tests.integration.sockets import app_of, served
from tests.integration.world import World
from tests.routes import ROUTES, SERVICES, Route

NEW_DEADLINE = "2100-01-01T00:00:00Z"
STUDENTS = {"students": [{"first_name": "Bo", "last_name": "Ek"}]}
FILES = {"files": [("files", ("essay.txt", b"A good essay says one thing well, and then it stops." * 2))]}

# What the owner asks, in an order in which all of it makes sense: the resource must be there for the others.
OWNED: dict[str, dict[str, Any]] = {
    "batch-orchestrator GET /v1/batches/{batch_id}": {},
    "class-management GET /v1/classes/{class_id}": {},
    "class-management GET /v1/batches/{batch_id}/student-associations": {},
    "class-management GET /v1/classes/{class_id}/students/{student_id}/data": {},
    "essay-lifecycle GET /v1/batches/{batch_id}/essays": {},
    "file-service GET /v1/batches/{batch_id}/files": {},
    "file-service GET /v1/batches/{batch_id}/files/{file_upload_id}/original": {},
    "file-service GET /v1/content/{text_storage_id}": {},
    "class-management PUT /v1/batches/{batch_id}/student-associations/deadline": {"json": {"deadline": NEW_DEADLINE}},
    "class-management PUT /v1/batches/{batch_id}/student-associations/{essay_id}": {"json": {"student_id": None}},
    "class-management POST /v1/batches/{batch_id}/student-associations/confirm": {"json": {}},
    "class-management DELETE /v1/classes/{class_id}/students/{student_id}": {},
    "class-management GET /v1/classes/{class_id}/students/{student_id}/erasure": {},
    "class-management PUT /v1/classes/{class_id}/roster": {"json": STUDENTS},
    "file-service POST /v1/batches/{batch_id}/files": FILES,
    "essay-lifecycle POST /v1/batches/{batch_id}/close": {},
    "batch-orchestrator POST /v1/batches/{batch_id}/cancel": {},
}


def with_an_id(prefix: str) -> list[Route]:
    return [route for route in ROUTES if route.path.startswith(prefix) and "{" in route.path]


@dataclass(frozen=True)
class House:
    """The five services, and what one teacher has there."""

    services: dict[str, Running]
    ids: dict[str, str]

    async def ask(self, route: Route, who: dict[str, str], ids: dict[str, str]) -> httpx.Response:
        """The answer of a route about these ids."""
        content = OWNED.get(str(route), {})
        http = self.services[route.service.name].http
        return await http.request(route.method, route.path.format(**ids), headers=who, **content)

    def caller(self, sub: str, *roles: Role) -> dict[str, str]:
        """The header of a caller, the same for all services."""
        return bearer(next(iter(self.services.values())).runtime.settings, sub, *roles)


async def once_heard(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The answer of a service that has heard what another one said."""

    async def accepted() -> httpx.Response | None:
        answer = await ask()
        return answer if answer.is_success else None

    return await wait_until(accepted)


async def what_berit_has(world: World, services: dict[str, Running]) -> dict[str, str]:
    """The ids of a class, a batch, an essay in it, and its text; the teacher is asked who wrote it."""
    berit = {name: Person(service) for name, service in services.items()}
    class_id, students = await berit["class-management"].make_class("Astrid")
    body = {"course_code": COURSE, "expected_essay_count": 2, "class_id": str(class_id)}
    registered = await once_heard(lambda: berit["batch-orchestrator"].post("/batches", body))
    batch_id = registered.json()["batch_id"]
    await once_heard(lambda: berit["file-service"].ask("POST", f"/batches/{batch_id}/files", **FILES))

    async def assigned() -> dict[str, str] | None:
        slots = (await berit["essay-lifecycle"].get(f"/batches/{batch_id}/essays")).json().get("slots", [])
        return next((slot for slot in slots if slot["state"] == "assigned"), None)

    slot = await wait_until(assigned)
    essay = EssayRef(
        essay_id=UUID(slot["essay_id"]), text_storage_id=slot["text_storage_id"], original_file_name="essay.txt"
    )
    await world.outside.publish(matching_requested(UUID(batch_id), class_id, [essay]))
    await world.outside.publish(suggested(UUID(batch_id), class_id, match(essay, students["Astrid"])))

    async def asked() -> bool:
        return (await berit["class-management"].get(f"/batches/{batch_id}/student-associations")).is_success

    await wait_until(asked)
    of_slot = {name: slot[name] for name in ("essay_id", "text_storage_id", "file_upload_id")}
    return {"class_id": str(class_id), "student_id": str(students["Astrid"]), "batch_id": batch_id, **of_slot}


@pytest.fixture(scope="module")
async def house(shared_world: World) -> AsyncIterator[House]:
    files = await shared_world.run(file_service)
    async with served(app_of(files)) as url:
        services = {file_service.name: files}
        for service in (each for each in SERVICES if each is not file_service):
            asks = {"file_service_url": url} if service is class_management else {}
            services[service.name] = await shared_world.run(service, **asks)
        yield House(services, await what_berit_has(shared_world, services))


def test_no_route_with_an_id_is_forgotten() -> None:
    assert {str(route) for route in with_an_id("/v1/")} == set(OWNED)


@pytest.mark.parametrize("route", with_an_id("/v1/"), ids=str)
async def test_what_is_another_teachers_is_answered_like_what_does_not_exist(house: House, route: Route) -> None:
    nobodys = {name: "text-" + "0" * 64 if name == "text_storage_id" else str(uuid4()) for name in house.ids}

    both = [house.ask(route, house.caller("carl"), ids) for ids in (house.ids, nobodys)]
    others, unknown = await asyncio.gather(*both)

    assert (others.status_code, unknown.status_code) == (404, 404)
    said = others.text
    for name, theirs in house.ids.items():
        said = said.replace(theirs, nobodys[name])
    assert said == unknown.text


async def test_the_owner_meets_all_of_it_there(house: House) -> None:
    by_name = {str(route): route for route in with_an_id("/v1/")}

    answers = {name: await house.ask(by_name[name], house.caller(BERIT), house.ids) for name in OWNED}

    assert not {name: answer.text for name, answer in answers.items() if not (answer.is_success or refused(answer))}


def refused(answer: httpx.Response) -> bool:
    """What is there may be in a state that refuses the command."""
    return answer.status_code == 409


LISTS = [each for each in ROUTES if each.method == "GET" and each.path in ("/v1/batches", "/v1/classes")]


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_a_list_has_nothing_of_another_teacher(house: House, route: Route) -> None:
    others = await house.ask(route, house.caller("carl"), house.ids)
    own = await house.ask(route, house.caller(BERIT), house.ids)

    assert not any(theirs in others.text for theirs in house.ids.values())
    assert any(theirs in own.text for theirs in house.ids.values())


ANYTHING = {"class_id": str(uuid4()), "batch_id": str(uuid4()), "essay_id": str(uuid4()), "text_storage_id": "text"}
ANYTHING |= {"position": "1", "key": str(uuid4()), "student_id": str(uuid4()), "file_upload_id": str(uuid4())}


@pytest.mark.parametrize("route", [each for each in ROUTES if each.declared], ids=str)
async def test_a_role_that_a_route_does_not_name_is_refused_and_so_is_nobody(house: House, route: Route) -> None:
    (allowed,) = route.declared
    others = [role for role in Role if role not in allowed]

    nobody = await house.ask(route, {}, ANYTHING)
    answers = [await house.ask(route, house.caller("dora", role), ANYTHING) for role in others]

    assert nobody.status_code == 401
    assert [answer.status_code for answer in answers] == [403] * len(answers)
