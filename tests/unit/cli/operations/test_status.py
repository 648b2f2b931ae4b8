"""The system at a glance: what each service says of itself, and what is not known."""

import json

import httpx
import pytest
from scriptorium.environment import SERVICES
from scriptorium.operations import status
from scriptorium.operations.condition import Condition

from tests.unit.cli.operations.answers import Run

MEASURED = """
# HELP scriptorium_outbox_events Events that are not published yet
# TYPE scriptorium_outbox_events gauge
scriptorium_outbox_events 7.0
# TYPE scriptorium_outbox_oldest_seconds gauge
scriptorium_outbox_oldest_seconds 75.5
# TYPE scriptorium_parked_messages gauge
scriptorium_parked_messages{reason="not_yet"} 2.0
scriptorium_parked_messages{reason="behind"} 40.0
# TYPE scriptorium_parked_oldest_seconds gauge
scriptorium_parked_oldest_seconds{reason="not_yet"} 7300.0
scriptorium_parked_oldest_seconds{reason="behind"} 3.0
# TYPE scriptorium_dead_letters gauge
scriptorium_dead_letters{reason="refused"} 0.0
# TYPE scriptorium_dead_letters_oldest_seconds gauge
scriptorium_dead_letters_oldest_seconds{reason="refused"} 0.0
# TYPE scriptorium_batches gauge
scriptorium_batches{state="awaiting_content_validation"} 3.0
scriptorium_batches{state="cancelled"} 12345.0
# TYPE scriptorium_batch_oldest_seconds gauge
scriptorium_batch_oldest_seconds{state="awaiting_content_validation"} 200000.0
"""
WITHOUT_DATABASE = "scriptorium_outbox_events NaN\nscriptorium_outbox_oldest_seconds NaN\n"
NOT_READY = {"status": "not ready", "problems": {"database": "the database cannot be used, is it migrated?"}}


@pytest.fixture
def answers(answers: dict[str, httpx.Response]) -> dict[str, httpx.Response]:
    ready = httpx.Response(200, json={"status": "ready", "problems": {}})
    return {**answers, "readyz": ready, "metrics": httpx.Response(200, text=MEASURED)}


def found(run: Run) -> Condition:
    document: Condition = json.loads(run("status", "--json").stdout)
    return document


def test_all_is_told_at_100_columns(run: Run) -> None:
    result = run("status")

    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 100
    row = next(line for line in result.stdout.splitlines() if "essay-lifecycle" in line)
    assert row.replace("│", "").split() == [
        "essay-lifecycle",
        "yes",
        "1,234",
        "7",
        "(1m",
        "15s)",
        "42",
        "(2h",
        "1m)",
        "0",
        "0",
    ]
    assert "12,345" in result.stdout
    assert "2d 7h" in result.stdout


def test_the_command_that_says_why_is_named_only_when_something_could_not_be_handled(
    run: Run, answers: dict[str, httpx.Response]
) -> None:
    way_on = "scriptorium dead-letters list --state all --group"
    assert way_on in run("status").stdout

    answers["metrics"] = httpx.Response(200, text=MEASURED.replace('"} 2.0', '"} 0.0').replace('"} 40.0', '"} 0.0'))
    assert way_on not in run("status").stdout

    answers["metrics"] = httpx.Response(200, text='scriptorium_dead_letters{reason="refused"} 1.0')
    assert way_on in run("status").stdout


def test_for_programs_there_is_one_document(run: Run) -> None:
    document = found(run)

    assert document["ready"]
    assert [each["service"] for each in document["services"]] == [each.title.replace(" ", "-") for each in SERVICES]
    assert document["services"][1] == {
        "service": "essay-lifecycle",
        "url": "http://essay_lifecycle",
        "ready": True,
        "problems": {},
        "lag": {"file-service": 1200, "upstream": 34},
        "lag_problem": None,
        "outbox": {"number": 7, "oldest_seconds": 75.5},
        "parked": {"number": 42, "oldest_seconds": 7300.0},
        "dead_letters": {"number": 0, "oldest_seconds": 0.0},
        "timers_due": {"number": 0, "oldest_seconds": 0.0},
    }
    assert document["batches"] == [
        {"state": "awaiting_content_validation", "number": 3, "oldest_seconds": 200_000.0},
        {"state": "cancelled", "number": 12_345, "oldest_seconds": None},
    ]


def test_a_service_that_is_not_ready_is_named_with_its_reasons(run: Run, answers: dict[str, httpx.Response]) -> None:
    answers["readyz"] = httpx.Response(503, json=NOT_READY)
    answers["metrics"] = httpx.Response(200, text=WITHOUT_DATABASE)

    result = run("status")

    assert result.exit_code == 1
    assert "NO" in result.stdout
    assert "file-service, database: the database cannot be used, is it migrated?" in result.stdout
    assert "Where batches are is not known" in result.stdout
    (first, *_) = found(run)["services"]
    assert not first["ready"]
    assert [first[name] for name in ("lag", "outbox", "parked", "dead_letters", "timers_due")] == [None] * 5  # type: ignore[literal-required]


def test_a_service_that_is_away_does_not_hide_the_others(run: Run, down: set[str]) -> None:
    down.add("file_service")

    result = run("status")

    assert result.exit_code == 1
    said = " ".join(result.stdout.split())
    assert "file-service, address: nothing answers at http://file_service (refused);" in said
    assert "start it, or correct FILE_SERVICE_URL" in said
    assert [each["service"] for each in found(run)["services"] if not each["ready"]] == ["file-service"]


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(404, json=[])])
def test_something_else_at_the_address_is_no_service(
    run: Run, answers: dict[str, httpx.Response], answer: httpx.Response
) -> None:
    answers["readyz"] = answers["metrics"] = answer

    (first, *_) = found(run)["services"]

    assert "is no service of ours" in first["problems"]["address"]
    assert first["problems"]["address"].endswith("; correct BATCH_ORCHESTRATOR_URL")


def test_what_a_stranger_answers_does_not_command_the_terminal(run: Run, answers: dict[str, httpx.Response]) -> None:
    answers["readyz"] = httpx.Response(503, json={"problems": {"broker": "\x1b[2J\x9b"}})

    assert "\\x1b[2J\\x9b" in run("status").stdout


def test_without_a_token_only_the_lag_is_unknown(run: Run) -> None:
    result = run("status", SCRIPTORIUM_JWT_SECRET="")

    assert result.exit_code == 0
    assert "lag: neither SCRIPTORIUM_TOKEN nor SCRIPTORIUM_JWT_SECRET is set; set the" in result.stdout
    (first, *_) = json.loads(run("status", "--json", SCRIPTORIUM_JWT_SECRET="").stdout)["services"]
    assert (first["lag"], first["lag_problem"][:7], first["outbox"]["number"]) == (None, "neither", 7)


def test_a_refused_token_leaves_the_rest_to_be_seen(run: Run, answers: dict[str, httpx.Response]) -> None:
    answers["lag"] = httpx.Response(403, json={"detail": "this needs the role operator"})

    result = run("status", SCRIPTORIUM_TOKEN="a-teachers")

    assert result.exit_code == 0
    assert "this needs the role operator: ask for a token with it" in " ".join(result.stdout.split())


def test_a_missing_address_is_named(run: Run) -> None:
    assert "FILE_SERVICE_URL is not set; set it" in str(run("status", FILE_SERVICE_URL="").exception)


def test_watching_is_not_for_programs(run: Run) -> None:
    assert run("status", "--watch", "--json").exit_code == 2


def test_without_a_terminal_one_picture_follows_the_other(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []

    async def twice(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            raise SystemExit(0)

    monkeypatch.setattr(status.asyncio, "sleep", twice)

    assert run("status", "--watch", "--every", "5").stdout.count("dead letters") == 2
    assert looks == [5.0, 5.0]
