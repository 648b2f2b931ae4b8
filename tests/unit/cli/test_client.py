"""Requests to services that refuse, are away, or have not heard yet."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from common_core.status_enums import CourseCode
from scriptorium import client as module
from scriptorium.client import Client
from scriptorium.errors import Refused, Unreachable

BATCH = uuid4()
VARIABLES = {f"{name}_URL": f"http://{name.lower()}" for name in ("BATCH_ORCHESTRATOR", "FILE_SERVICE")}


@pytest.fixture
def asked() -> list[httpx.Request]:
    return []


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_SECONDS", 0.001)


def a_client(asked: list[httpx.Request], *answers: httpx.Response | Exception) -> Client:
    """A client that gets these answers; the last one again and again."""
    coming: Iterator[httpx.Response | Exception] = iter(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        asked.append(request)
        found = next(coming, answers[-1])
        if isinstance(found, Exception):
            raise found
        return httpx.Response(found.status_code, content=found.content)

    return Client(httpx.AsyncClient(transport=httpx.MockTransport(answer)), VARIABLES)


async def test_a_refusal_is_told_in_the_services_own_words(asked: list[httpx.Request]) -> None:
    client = a_client(asked, httpx.Response(422, json={"detail": "the class is not yours; choose another"}))

    with pytest.raises(Refused, match=r"batch orchestrator refuses .* \(422\); the class is not yours; choose another"):
        await client.register(CourseCode.ENG5, 3, None)


async def test_a_service_that_is_away_for_a_moment_is_asked_again_with_the_same_key(asked: list[httpx.Request]) -> None:
    made = httpx.Response(202, json={"batch_id": str(BATCH)})
    client = a_client(asked, httpx.ConnectError("refused"), httpx.Response(503), made)

    assert await client.register(CourseCode.ENG5, 3, None) == BATCH
    assert len({request.headers["Idempotency-Key"] for request in asked}) == 1
    assert len(asked) == 3


async def test_a_class_that_has_not_been_heard_of_is_waited_for(asked: list[httpx.Request]) -> None:
    unknown = httpx.Response(422, json={"detail": "class is not known here yet"})
    client = a_client(asked, unknown, unknown, httpx.Response(202, json={"batch_id": str(BATCH)}))

    assert await client.register(CourseCode.ENG5, 3, uuid4()) == BATCH


async def test_a_class_that_is_never_heard_of_is_refused(
    asked: list[httpx.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HEARD_WITHIN_SECONDS", 0.05)
    client = a_client(asked, httpx.Response(422, json={"detail": "class is not known here yet"}))

    with pytest.raises(Refused, match="not known here yet"):
        await client.register(CourseCode.ENG5, 3, uuid4())


async def test_a_service_that_stays_away_is_unreachable(
    asked: list[httpx.Request], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.05)
    client = a_client(asked, httpx.ConnectError("refused"))

    with pytest.raises(Unreachable, match=r"file service at http://file_service cannot be reached .*`scriptorium up`"):
        await client.files(BATCH)


async def test_a_file_is_sent_whole_also_the_second_time(asked: list[httpx.Request], tmp_path: Path) -> None:
    essay = tmp_path / "essay.txt"
    essay.write_text("what I did last summer")
    client = a_client(asked, httpx.ReadError("gone"), httpx.Response(202, json=[{}]))

    assert await client.upload(BATCH, [essay])
    assert [b"what I did last summer" in request.content for request in asked] == [True, True]


async def test_what_is_not_known_yet_is_no_error(asked: list[httpx.Request], tmp_path: Path) -> None:
    essay = tmp_path / "essay.txt"
    essay.write_text("what I did last summer")
    client = a_client(asked, httpx.Response(404, json={"detail": "not known here yet"}))

    assert await client.upload(BATCH, [essay]) is None
    assert await client.files(BATCH) == []
