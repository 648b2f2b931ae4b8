"""Why a batch waits: one sentence from what all services say, with the services that matter running."""

import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.events import EssayRef, RegisterBatchV1, Topic
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer, binary, wait_until

from services.batch_orchestrator_service.service import service as orchestrator
from services.class_management_service.service import service as class_management
from services.essay_lifecycle_service.service import service as essay_lifecycle
from services.file_service.service import service as file_service
from services.student_matching_service.service import service as student_matching
from tests.integration.classroom import COURSE, Person, content, match, suggested
from tests.integration.sockets import app_of, served
from tests.integration.world import World

NOBODY = "http://127.0.0.1:9"
PATIENT = {"known_within_seconds": 30}
"""On a busy machine the orchestrator hears late of a class; a registration waits for it."""
MATCHER_DOWN = "; the student matcher does not answer."


@dataclass(frozen=True)
class School:
    """All services but the student matcher, which is down."""

    world: World
    batches: Running
    teacher: Person
    """At the orchestrator."""
    classes: Person
    """The same teacher at class management."""

    async def why(self, batch_id: UUID, role: Role = Role.OPERATOR) -> httpx.Response:
        headers = bearer(self.batches.runtime.settings, "olle", role)
        return await self.batches.http.get(f"/ops/batches/{batch_id}/why", headers=headers)

    async def sentence(self, batch_id: UUID, *words: str) -> str:
        """The sentence, as soon as it has these words in it."""
        said = ""

        async def says_so() -> bool:
            nonlocal said
            said = (await self.why(batch_id)).json().get("why", "")
            return all(each in said for each in words)

        try:
            await wait_until(says_so)
        except AssertionError:
            pytest.fail(f"{words} are not all in: {said}")
        return said

    async def register(self, essays: int, class_id: UUID | None = None) -> UUID:
        body = {"course_code": COURSE, "expected_essay_count": essays, "class_id": class_id and str(class_id)}
        return UUID((await self.teacher.post("/batches", body)).raise_for_status().json()["batch_id"])


@pytest.fixture(scope="module")
async def school(shared_world: World) -> AsyncIterator[School]:
    async with AsyncExitStack() as stack:
        addresses: dict[str, Any] = {"student_matching_url": NOBODY}
        running: dict[str, Running] = {}
        for name, each in (
            ("essay_lifecycle", essay_lifecycle),
            ("class_management", class_management),
            ("file_service", file_service),
        ):
            running[name] = await shared_world.run(each)
            addresses[f"{name}_url"] = await stack.enter_async_context(served(app_of(running[name])))
        batches = await shared_world.run(orchestrator, **PATIENT, **addresses)
        yield School(shared_world, batches, Person(batches), Person(running["class_management"]))


async def test_a_batch_waits_for_content_with_so_many_slots_free(school: School) -> None:
    batch_id = await school.register(3)

    await school.world.outside.publish(content(batch_id, "a.txt"))

    # Content that came before its batch is parked for a moment, which is said as well.
    said = await school.sentence(batch_id, "2 of 3 slots are free", f" UTC{MATCHER_DOWN}")
    assert said.startswith("It waits for content: 2 of 3 slots are free, since 20")
    assert said.endswith(MATCHER_DOWN)


async def test_a_batch_waits_for_its_teacher_until_the_deadline(school: School) -> None:
    class_id, students = await school.classes.make_class("Anna", "Bo")
    batch_id = await school.register(2, class_id)
    for name in ("a.txt", "b.txt"):
        await school.world.outside.publish(content(batch_id, name))
    await school.sentence(batch_id, "no suggestions have come yet, so the teacher has not been asked")
    batch = (await school.teacher.get(f"/batches/{batch_id}")).json()
    essays = [EssayRef.model_validate(each) for each in batch["essays"]]

    results = [match(essay, students["Anna"]) for essay in essays]
    await school.world.outside.publish(suggested(batch_id, class_id, *results), topic=Topic.UPSTREAM)

    said = await school.sentence(batch_id, "2 of 2 essays are not decided; the teacher decides until ")
    path = f"/batches/{batch_id}/student-associations"
    deadline = datetime.fromisoformat((await school.classes.get(path)).json()["deadline"])
    assert f"until {deadline:%Y-%m-%d %H:%M:%S} UTC, since 20" in said
    chosen = {"student_id": str(students["Bo"])}
    (await school.classes.put(f"{path}/{essays[0].essay_id}", chosen)).raise_for_status()
    await school.sentence(batch_id, "1 of 2 essays are not decided")

    (await school.classes.post(f"{path}/confirm", {"accept_suggestions": True})).raise_for_status()
    await school.sentence(batch_id, "It waits for nothing: it is ready_for_pipeline_execution")


async def test_a_dead_letter_is_named_with_the_service_that_has_it(school: School) -> None:
    batch_id = await school.register(1)
    event = content(batch_id, "a.txt")
    headers = binary(event, str(uuid4()))

    await school.world.outside.send(Topic.FILE_SERVICE, b"{}", key=str(batch_id).encode(), headers=headers)

    said = await school.sentence(batch_id, "the essay lifecycle has parked EssayContentProvisionedV1 since 20")
    assert re.search(r"\(dead letter essay-lifecycle/\d+: \w+: batch_id: Field required", said)


async def test_a_batch_whose_class_is_unknown_waits_to_be_registered(school: School) -> None:
    command = RegisterBatchV1(
        batch_id=uuid4(), teacher_id="berit", course_code=COURSE, expected_essay_count=1, class_id=uuid4()
    )
    assert (await school.why(command.batch_id)).status_code == 404

    await school.world.outside.publish(command)

    said = await school.sentence(command.batch_id, "It waits to be registered")
    assert said.startswith(f"It waits to be registered, and class {command.class_id} does not exist, since 20")
    assert "the batch orchestrator has parked RegisterBatchV1 since 20" in said
    assert f"class {command.class_id} is not known here yet" in said


async def test_a_batch_that_waits_for_names_says_that_its_class_has_none(school: School) -> None:
    class_id, _ = await school.classes.make_class()
    batch_id = await school.register(1, class_id)

    await school.world.outside.publish(content(batch_id, "a.txt"))

    await school.sentence(batch_id, "no suggestions have come yet", f"and class {class_id} has no students yet, since")


async def test_the_facts_come_with_the_sentence(school: School) -> None:
    batch_id = await school.register(1)

    answer = (await school.why(batch_id)).json()

    assert (answer["batch_id"], answer["status"]) == (str(batch_id), "awaiting_content_validation")
    assert answer["waiting"]["student matcher"] is None
    assert answer["waiting"]["batch orchestrator"] == {"parked": [], "timers": []}


async def test_services_that_hang_do_not_hold_up_the_answer(school: School) -> None:
    batch_id = await school.register(1)
    silent = socket.create_server(("127.0.0.1", 0))  # It never accepts, so nobody ever answers.
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    everywhere = dict.fromkeys(
        ("essay_lifecycle_url", "class_management_url", "student_matching_url", "file_service_url"), url
    )

    async with school.world.running(orchestrator, why_seconds=0.3, **everywhere) as batches:
        with silent:
            answer = await School(school.world, batches, school.teacher, school.classes).why(batch_id)

    said = answer.json()["why"]
    assert said.startswith("It waits for content: how many slots are free is unknown, since ")
    assert said.count("does not answer") == 4


async def test_why_is_for_operators(school: School) -> None:
    batch_id = await school.register(1)

    assert (await school.why(batch_id, Role.TEACHER)).status_code == 403
    assert (await school.why(uuid4())).status_code == 404


async def test_the_matcher_waits_for_texts_and_says_so(school: School) -> None:
    matcher = await school.world.run(student_matching, file_service_url=NOBODY)
    class_id, _ = await school.classes.make_class("Anna")
    async with served(app_of(matcher)) as url:
        addresses = {"student_matching_url": url, "essay_lifecycle_url": NOBODY, "class_management_url": NOBODY}
        async with school.world.running(orchestrator, **PATIENT, **addresses) as batches:
            all_running = School(school.world, batches, Person(batches), school.classes)
            batch_id = await all_running.register(1, class_id)
            await school.world.outside.publish(content(batch_id, "a.txt"))
            await all_running.sentence(batch_id, "the student matcher's match is tried again")
