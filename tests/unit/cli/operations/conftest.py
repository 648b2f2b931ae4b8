"""An operator's commands, run against services that give chosen answers."""

import httpx
import pytest
from scriptorium import client, main
from scriptorium.operations import client as operator_client
from typer.testing import CliRunner

from tests.unit.cli.operations.answers import BATCH, GROUP, LETTER, PAGE, SECRET, VARIABLES, Run


@pytest.fixture
def asked() -> list[httpx.Request]:
    return []


@pytest.fixture
def down() -> set[str]:
    """The services that cannot be reached."""
    return set()


@pytest.fixture
def answers() -> dict[str, httpx.Response]:
    """What the services answer, by the end of the path."""
    return {
        "dead-letters": httpx.Response(200, json=PAGE),
        "groups": httpx.Response(200, json=[GROUP]),
        "replay": httpx.Response(200, json={"replayed": 3}),
        "42": httpx.Response(200, json={**LETTER, "data": {"name": "•••"}}),
        "edit": httpx.Response(200, json={"replayed": 1}),
        "discard": httpx.Response(200, json={"discarded": 1}),
        "batches": httpx.Response(200, json={"items": [BATCH], "next_cursor": None}),
        "lag": httpx.Response(200, json={"topics": {"file-service": 1200, "upstream": 34}}),
        "why": httpx.Response(200, json={"why": "It waits for content: 2 of 3 slots are free."}),
    }


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, asked: list[httpx.Request], answers: dict[str, httpx.Response], down: set[str]
) -> Run:
    """Run a command against services that give these answers."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if request.url.host in down:
            raise httpx.ConnectError("refused")
        found = answers[request.url.path.rsplit("/", 1)[-1]]
        return httpx.Response(found.status_code, content=found.content)

    real = httpx.AsyncClient
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(
        operator_client.httpx, "AsyncClient", lambda **kept: real(**kept, transport=httpx.MockTransport(answer))
    )
    environment = {**VARIABLES, "SCRIPTORIUM_JWT_SECRET": SECRET, "SCRIPTORIUM_TOKEN": ""}
    return lambda *arguments, **more: CliRunner().invoke(main.app, arguments, env={**environment, **more})
