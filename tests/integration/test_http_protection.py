"""What keeps one caller, or their browser, from doing harm: headers, limits, and no connection for who is slow."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import pytest
from service_runtime.auth import Role
from service_runtime.security_headers import HEADERS
from service_runtime.testing import Running, bearer

from services.batch_orchestrator_service.service import service as orchestrator_service
from tests.integration.meter import Meter
from tests.integration.sockets import app_of, served
from tests.integration.world import World

MORE_THAN_CONNECTIONS = 30


@pytest.fixture(scope="module")
async def orchestrator(shared_world: World) -> AsyncIterator[Running]:
    async with shared_world.running(orchestrator_service) as started:
        yield started


ANSWERS = {
    "good": ("GET", "/v1/batches", 200),
    "not known": ("GET", "/nowhere", 404),
    "not taken": ("DELETE", "/v1/batches", 405),
    "too large": ("POST", "/v1/batches", 413),
    "not valid": ("GET", "/v1/batches?limit=0", 422),
    "our fault": ("GET", "/v1/batches", 500),
    "open": ("GET", "/healthz", 200),
    "the page of the routes": ("GET", "/docs", 200),
}


@pytest.mark.parametrize("kind", ANSWERS)
async def test_every_answer_has_the_security_headers_and_the_correlation_id_and_is_counted(
    orchestrator: Running, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    method, path, status = ANSWERS[kind]
    if status == 500:
        monkeypatch.setitem(app_of(orchestrator).state._state, "units", None)  # type: ignore[attr-defined]
    content = b" " * 6_000_000 if status == 413 else None
    headers = {**bearer(orchestrator.runtime.settings, "berit"), "X-Correlation-ID": "mine"}
    route = "unknown" if path in ("/nowhere", "/docs") else path.partition("?")[0]
    counted = await Meter(orchestrator).growth(
        "http_request_seconds_count", method=method, route=route, status=str(status)
    )

    answer = await orchestrator.http.request(method, path, headers=headers, content=content)

    assert answer.status_code == status
    assert answer.headers["X-Correlation-ID"] == "mine"
    assert await counted() == 1
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; frame-ancestors 'none'")
    assert ("script-src" in policy) == (path == "/docs")


async def test_a_bugs_line_in_the_log_has_the_correlation_id(
    orchestrator: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(app_of(orchestrator).state._state, "units", None)  # type: ignore[attr-defined]
    headers = {**bearer(orchestrator.runtime.settings, "berit"), "X-Correlation-ID": "mine"}

    answer = await orchestrator.http.get("/v1/batches", headers=headers)

    assert "quote correlation id mine" in answer.json()["detail"]
    (line,) = (each.msg for each in caplog.records if "request_failed" in str(each.msg))
    assert isinstance(line, dict)
    assert line["correlation_id"] == "mine"


async def test_who_asks_too_often_is_told_when_to_come_again(shared_world: World) -> None:
    async with shared_world.running(orchestrator_service, requests_per_minute=2) as started:

        async def statuses(sub: str, role: Role = Role.TEACHER) -> list[int]:
            headers = bearer(started.runtime.settings, sub, role)
            return [(await started.http.get("/v1/batches", headers=headers)).status_code for _ in range(3)]

        assert await statuses("berit") == [200, 200, 429]
        assert await statuses("carl") == [200, 200, 429]
        assert await statuses("student-matching", Role.SERVICE) == [403, 403, 403]
        answer = await started.http.get("/v1/batches", headers=bearer(started.runtime.settings, "berit"))

    assert answer.headers["Content-Type"] == "application/problem+json"
    assert 0 < int(answer.headers["Retry-After"]) <= 30


async def finish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send the rest of a request and read the answer."""
    writer.write(b" " * 99)
    assert b"422" in await reader.readline()
    writer.close()


async def test_who_sends_slowly_holds_no_connection_to_the_database(orchestrator: Running) -> None:
    headers = bearer(orchestrator.runtime.settings, "berit")
    begun = (
        f"POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: {headers['Authorization']}\r\nConnection: close\r\n"
    )
    begun += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    async with served(app_of(orchestrator)) as url, AsyncExitStack() as slow:
        for _ in range(MORE_THAN_CONNECTIONS):
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            slow.push_async_callback(finish, reader, writer)
            writer.write(begun.encode())
            await writer.drain()

        async with asyncio.timeout(25):
            answer = await orchestrator.http.get("/v1/batches", headers=headers)

        assert answer.status_code == 200
