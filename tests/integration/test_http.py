"""What every service answers: problem documents with a way out, who may do what, and whether it can work."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from common_core.events import BatchEssaysRegisteredV1, ClassRosterChangedV1
from common_core.status_enums import CourseCode
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer, running, wait_until

from services.batch_orchestrator_service.service import service as orchestrator_service
from services.essay_lifecycle_service.service import service as lifecycle_service
from tests.integration.sockets import app_of
from tests.integration.world import SECRET, World

END_CONNECTIONS = """
    SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = $1
"""
BODY = {"course_code": "SV1", "expected_essay_count": 1}


@pytest.fixture(scope="module")
async def orchestrator(shared_world: World) -> AsyncIterator[Running]:
    async with shared_world.running(orchestrator_service, known_within_seconds=60) as started:
        yield started


@pytest.fixture(scope="module")
async def lifecycle(shared_world: World) -> AsyncIterator[Running]:
    async with shared_world.running(lifecycle_service, known_within_seconds=60) as started:
        yield started


def caller(of: Running, sub: str = "berit", *roles: Role) -> dict[str, str]:
    return bearer(of.runtime.settings, sub, *roles)


def roster(class_id: UUID, teacher: str) -> ClassRosterChangedV1:
    return ClassRosterChangedV1(
        class_id=class_id,
        class_name="9B",
        course_code=CourseCode.SV1,
        teacher_id=teacher,
        roster_version=1,
        students=(),
    )


def assert_problem(answer: httpx.Response, status: int, detail: str) -> None:
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert problem["status"] == status
    assert problem["title"]
    assert detail in problem["detail"]


# Who calls


def signed(**claims: object) -> str:
    return jwt.encode({"sub": "berit", "roles": ["teacher"], "exp": time.time() + 60, **claims}, SECRET, "HS256")


NOBODY = {
    "no header": {},
    "another scheme": {"Authorization": "Basic YTpi"},
    "no token": {"Authorization": "Bearer "},
    "not a token": {"Authorization": "Bearer nonsense"},
    "expired": {"Authorization": f"Bearer {signed(exp=time.time() - 60)}"},
    "signed by somebody else": {"Authorization": f"Bearer {jwt.encode({'sub': 'x', 'exp': 9e9}, 'x' * 40, 'HS256')}"},
    "not signed": {"Authorization": f"Bearer {jwt.encode({'sub': 'berit', 'exp': 9e9}, None, 'none')}"},
    "no subject": {"Authorization": f"Bearer {jwt.encode({'exp': time.time() + 60}, SECRET, 'HS256')}"},
    "roles are a word": {"Authorization": f"Bearer {signed(roles='teacher')}"},
}


@pytest.mark.parametrize("who", NOBODY)
async def test_nobody_gets_in_without_a_valid_token(orchestrator: Running, who: str) -> None:
    answer = await orchestrator.http.get("/v1/batches", headers=NOBODY[who])

    assert_problem(answer, 401, "")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_caller_without_the_role_is_told_which_one_is_needed(orchestrator: Running) -> None:
    answer = await orchestrator.http.post("/v1/batches", json=BODY, headers=caller(orchestrator, "op", Role.OPERATOR))

    assert_problem(answer, 403, "teacher")


async def test_a_teacher_sees_only_what_is_theirs_and_an_operator_everything(orchestrator: Running) -> None:
    made = await orchestrator.http.post("/v1/batches", json=BODY, headers=caller(orchestrator, "mine"))
    path = f"/v1/batches/{made.json()['batch_id']}"

    mine = await orchestrator.http.get(path, headers=caller(orchestrator, "mine"))
    others = await orchestrator.http.get(path, headers=caller(orchestrator, "other"))
    operators = await orchestrator.http.get(path, headers=caller(orchestrator, "op", Role.OPERATOR))
    services = await orchestrator.http.get(path, headers=caller(orchestrator, "svc", Role.SERVICE))

    assert (mine.status_code, operators.status_code, services.status_code) == (200, 200, 403)
    assert_problem(others, 404, "does not exist or is not yours")


# Errors


async def test_a_wrong_field_is_named(orchestrator: Running) -> None:
    body = {**BODY, "expected_essay_count": 501}

    answer = await orchestrator.http.post("/v1/batches", json=body, headers=caller(orchestrator))

    assert_problem(answer, 422, "expected_essay_count")
    assert answer.json()["errors"][0]["field"] == "body.expected_essay_count"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"course_code": "\\ud800"}'])
async def test_a_body_that_is_no_command_is_refused(orchestrator: Running, body: bytes) -> None:
    headers = {**caller(orchestrator), "Content-Type": "application/json"}

    answer = await orchestrator.http.post("/v1/batches", content=body, headers=headers)

    assert_problem(answer, 422, "body")


async def test_a_body_that_is_nested_too_deep_is_refused_not_a_fault_of_ours(orchestrator: Running) -> None:
    headers = {**caller(orchestrator), "Content-Type": "application/json"}

    answer = await orchestrator.http.post("/v1/batches", content=b"[" * 100_000 + b"]" * 100_000, headers=headers)

    assert_problem(answer, 400, "parsing the body")


async def test_a_body_that_is_no_json_is_refused_with_the_place_where_it_breaks(orchestrator: Running) -> None:
    headers = {**caller(orchestrator), "Content-Type": "application/json"}

    answer = await orchestrator.http.post("/v1/batches", content=b'{"course_code": SV1}', headers=headers)

    assert_problem(answer, 422, "body: Invalid JSON: Expecting value at character 17")
    assert answer.json()["errors"][0]["field"] == "body"


async def test_nul_in_a_text_is_refused_not_a_fault_of_ours(orchestrator: Running) -> None:
    body = {**BODY, "assignment": "a\x00b"}

    answer = await orchestrator.http.post("/v1/batches", json=body, headers=caller(orchestrator))

    assert_problem(answer, 422, "assignment")


async def test_a_path_nobody_knows_is_a_problem_document_too(orchestrator: Running) -> None:
    assert_problem(await orchestrator.http.get("/nowhere"), 404, "Not Found")
    assert_problem(await orchestrator.http.get("/v1/batches/no-uuid", headers=caller(orchestrator)), 422, "batch_id")
    assert_problem(await orchestrator.http.delete("/v1/batches", headers=caller(orchestrator)), 405, "Method")


async def test_a_refused_command_is_answered_with_the_reason(orchestrator: Running) -> None:
    batch_id = str(uuid4())
    await orchestrator.http.post("/v1/batches", json={**BODY, "batch_id": batch_id}, headers=caller(orchestrator))

    other = {**BODY, "batch_id": batch_id, "course_code": "SV2"}
    answer = await orchestrator.http.post("/v1/batches", json=other, headers=caller(orchestrator))

    assert_problem(answer, 409, "already registered with other fields")


async def test_a_command_too_large_for_an_event_is_refused(orchestrator: Running) -> None:
    body = {**BODY, "assignment": "long " * 200_000}

    answer = await orchestrator.http.post("/v1/batches", json=body, headers=caller(orchestrator))

    assert_problem(answer, 409, "900000 are allowed")


async def test_a_body_larger_than_any_command_is_not_read(orchestrator: Running) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield b" " * 1_000_000

    for body in (b" " * 6_000_000, in_pieces()):
        answer = await orchestrator.http.post("/v1/batches", content=body, headers=caller(orchestrator))
        assert_problem(answer, 413, "send less")


# What was made a moment ago


async def test_a_class_announced_during_the_request_is_waited_for(orchestrator: Running, shared_world: World) -> None:
    class_id = uuid4()
    body = {**BODY, "class_id": str(class_id)}
    request = asyncio.create_task(orchestrator.http.post("/v1/batches", json=body, headers=caller(orchestrator)))
    await asyncio.wait([request], timeout=0.2)
    assert not request.done()

    await shared_world.outside.publish(roster(class_id, "berit"))

    assert (await request).status_code == 202


async def test_a_batch_registered_during_the_request_is_waited_for(lifecycle: Running, shared_world: World) -> None:
    batch_id = uuid4()
    path = f"/v1/batches/{batch_id}/essays"
    request = asyncio.create_task(lifecycle.http.get(path, headers=caller(lifecycle)))
    await asyncio.wait([request], timeout=0.2)
    assert not request.done()

    essay_ids = (uuid4(),)
    announced = BatchEssaysRegisteredV1(
        batch_id=batch_id,
        teacher_id="berit",
        course_code=CourseCode.SV1,
        expected_essay_count=1,
        essay_ids=essay_ids,
    )
    await shared_world.outside.publish(announced)

    assert [slot["essay_id"] for slot in (await request).json()["slots"]] == [str(essay_ids[0])]


async def test_what_nobody_announces_is_unknown_after_the_wait(
    orchestrator: Running, lifecycle: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    for each in (orchestrator, lifecycle):
        soon = each.runtime.settings.model_copy(update={"known_within_seconds": 1.0})
        monkeypatch.setitem(app_of(each).state._state, "settings", soon)  # type: ignore[attr-defined]
    body = {**BODY, "class_id": str(uuid4())}
    started = time.monotonic()

    unknown_class = await orchestrator.http.post("/v1/batches", json=body, headers=caller(orchestrator))
    unknown_batch = await lifecycle.http.get(f"/v1/batches/{uuid4()}/essays", headers=caller(lifecycle))

    assert_problem(unknown_class, 422, "not known here yet")
    assert_problem(unknown_batch, 404, "not known here yet")
    assert time.monotonic() - started > 2  # Each waited one second here.


async def test_a_class_of_another_teacher_is_refused_without_waiting(
    orchestrator: Running, shared_world: World
) -> None:
    class_id = uuid4()
    await shared_world.outside.publish(roster(class_id, "another"))
    await wait_until(lambda: shared_world.is_done(orchestrator_service))
    body = {**BODY, "class_id": str(class_id)}

    async with asyncio.timeout(30):
        answer = await orchestrator.http.post("/v1/batches", json=body, headers=caller(orchestrator))

    assert_problem(answer, 422, "class_id")


# Correlation


async def test_every_answer_carries_a_correlation_id_the_callers_where_there_is_one(orchestrator: Running) -> None:
    given = await orchestrator.http.get("/healthz", headers={"X-Correlation-ID": "mine"})
    made = await orchestrator.http.get("/nowhere")

    assert given.headers["X-Correlation-ID"] == "mine"
    assert UUID(made.headers["X-Correlation-ID"])


# Operations


async def test_the_operations_routes_are_open(orchestrator: Running) -> None:
    assert (await orchestrator.http.get("/healthz")).json() == {"status": "ok"}
    assert (await orchestrator.http.get("/readyz")).json() == {"status": "ready", "problems": {}}
    assert (await orchestrator.http.get("/docs")).status_code == 200
    metrics = (await orchestrator.http.get("/metrics")).text
    assert 'scriptorium_http_request_seconds_count{method="GET",route="/healthz"' in metrics
    assert "scriptorium_messages_handled_total" in metrics


async def test_a_service_without_its_broker_says_so_and_lives(world: World) -> None:
    database = await world.database(orchestrator_service)
    settings = world.settings(database_url=database.url, kafka_bootstrap_servers="127.0.0.1:1")
    async with running(orchestrator_service, settings) as started:

        async def without_broker() -> httpx.Response | None:
            answer = await started.http.get("/readyz")
            return answer if "broker" in answer.json()["problems"] else None

        ready = await wait_until(without_broker)

        assert ready.status_code == 503
        assert set(ready.json()["problems"]) == {"broker", "consumer", "relay"}
        assert "cannot be reached" in ready.json()["problems"]["broker"]
        assert (await started.http.get("/healthz")).status_code == 200


async def test_a_service_whose_broker_goes_away_says_so_until_it_is_back(world: World) -> None:
    started = await world.run(orchestrator_service)

    async def problems() -> set[str]:
        return set((await started.http.get("/readyz")).json()["problems"])

    with world.stack.kafka.frozen():
        assert "broker" in await problems()
    async with world.without_kafka():
        assert "broker" in await problems()

    await wait_until(lambda: no(problems), 30)


async def no(problems: Callable[[], Awaitable[set[str]]]) -> bool:
    return not await problems()


async def test_a_service_without_its_database_says_so_and_answers_again_when_it_is_back(world: World) -> None:
    started = await world.run(orchestrator_service)
    world.stack.postgres.stop("immediate")
    try:
        ready = await started.http.get("/readyz")
        answer = await started.http.get("/v1/batches", headers=caller(started))
    finally:
        world.stack.postgres.start()

    assert ready.status_code == 503
    assert "database" in ready.json()["problems"]
    assert_problem(answer, 503, "try again")
    assert answer.headers["Retry-After"]
    await started.ready()
    assert (await started.http.get("/v1/batches", headers=caller(started))).status_code == 200


async def test_connections_that_the_database_has_ended_are_replaced_before_a_request_gets_one(world: World) -> None:
    # Polling seldom, or a loop meets the ended connections first and has all of them replaced.
    started = await world.run(orchestrator_service, poll_seconds=60.0)
    database = await world.database(orchestrator_service)

    async def ask_five_times() -> list[int]:
        asked = [started.http.get("/v1/batches", headers=caller(started)) for _ in range(5)]
        return [answer.status_code for answer in await asyncio.gather(*asked)]

    assert await ask_five_times() == [200] * 5
    (ended,) = await database.fetch(END_CONNECTIONS, orchestrator_service.name)
    assert ended["count"]

    assert await ask_five_times() == [200] * 5


async def test_a_database_that_was_never_migrated_is_not_ready(world: World) -> None:
    settings = world.settings(database_url=world.stack.postgres_url("postgres"))
    async with running(orchestrator_service, settings) as started:
        ready = await started.http.get("/readyz")

    assert ready.status_code == 503
    assert "migrated" in ready.json()["problems"]["database"]
