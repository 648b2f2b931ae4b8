"""An operator's commands: what they ask of which service, what they print, and which way out they name."""

import json
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from scriptorium.environment import SERVICES

from tests.unit.cli.operations.answers import SECRET, Run


def body(request: httpx.Request) -> Any:
    return json.loads(request.content)


def test_a_list_asks_all_five_with_a_token_of_an_operator(run: Run, asked: list[httpx.Request]) -> None:
    result = run("dead-letters", "list", "--reason", "refused", "--since", "2026-03-01")

    assert result.exit_code == 0
    assert {each.url.host for each in asked} == {each.variable.lower() for each in SERVICES}
    assert {each.url.params["reason"] for each in asked} == {"refused"}
    assert {each.url.params["state"] for each in asked} == {"dead"}
    claims = jwt.decode(asked[0].headers["Authorization"].split()[1], SECRET, algorithms=["HS256"])
    assert claims["roles"] == ["operator"]


@pytest.mark.parametrize("arguments", [["list"], ["list", "--group"], ["show", "file-service/42"]])
def test_tables_fit_100_columns(run: Run, arguments: list[str]) -> None:
    result = run("dead-letters", *arguments)

    printed = result.stdout.splitlines()
    assert max(map(len, printed)) <= 100 or arguments[0] == "show"
    assert "BatchContentProvisioningCompletedV1" in result.stdout


def test_a_letter_is_listed_as_it_is_named_afterwards(run: Run) -> None:
    printed = run("dead-letters", "list", "--service", "essay-lifecycle").stdout

    assert "essay-lifecycle/42" in printed
    assert run("dead-letters", "show", "essay-lifecycle/42").exit_code == 0


def test_for_programs_there_is_json(run: Run) -> None:
    found = json.loads(run("dead-letters", "list", "--service", "file-service", "--json").stdout)

    assert [each["letter"] for each in found] == ["file-service/42"]


def test_for_programs_what_was_done_is_json_too(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "right.json"
    file.write_text("{}")
    edited = run("dead-letters", "edit", "file-service/42", "--file", str(file), "--why", "w", "--json")
    both = ["file-service/42", "file-service/43"]
    discarded = run("dead-letters", "discard", *both, "--why", "w", "--json")

    assert json.loads(edited.stdout) == {"edited": "file-service/42"}
    assert json.loads(discarded.stdout) == [{"discarded": each} for each in both]


def test_one_service_that_is_down_does_not_hide_the_others(run: Run, down: set[str]) -> None:
    down.add("file_service")

    result = run("dead-letters", "list")

    assert result.exit_code == 1
    assert "student-matching/42" in result.stdout
    assert "the file service at http://file_service cannot be reached" in str(result.exception)


def test_where_nobody_answers_nobody_says_that_there_are_none(run: Run, down: set[str]) -> None:
    down.add("file_service")

    assert run("dead-letters", "list", "--service", "file-service").stdout == ""


def test_a_list_that_may_be_cut_says_so(run: Run) -> None:
    cut = "There may be more than these 1 of essay-lifecycle"

    assert cut in run("dead-letters", "list", "--service", "essay-lifecycle", "--limit", "1").stdout
    assert cut not in run("dead-letters", "list", "--service", "essay-lifecycle", "--limit", "2").stdout


def test_letters_are_replayed_each_where_it_is(run: Run, asked: list[httpx.Request]) -> None:
    result = run("dead-letters", "replay", "file-service/1", "essay-lifecycle/7", "file-service/3", "--why", "mended")

    assert "6 replayed (3 in essay-lifecycle, 3 in file-service)." in result.stdout
    assert "scriptorium dead-letters list --state all" in result.stdout
    assert {each.url.host: body(each) for each in asked} == {
        "file_service": {"positions": [1, 3], "why": "mended"},
        "essay_lifecycle": {"positions": [7], "why": "mended"},
    }


@pytest.mark.parametrize(("action", "done"), [("replay", "3 replayed"), ("discard", "2 discarded")])
def test_a_group_is_replayed_or_discarded_by_what_its_letters_share(
    run: Run, asked: list[httpx.Request], answers: dict[str, httpx.Response], action: str, done: str
) -> None:
    answers["discard"] = httpx.Response(200, json={"discarded": 2})
    group = ("--type", "X", "--reason", "refused", "--cause", "Refused: seat … is taken")

    result = run("dead-letters", action, "--service", "file-service", *group, "--why", "mended")

    (request,) = asked
    assert request.url.path == f"/ops/dead-letters/{action}"
    shared = {"type": "X", "reason": "refused", "cause": "Refused: seat … is taken"}
    assert body(request) == {**shared, "everything": False, "why": "mended"}
    assert f"{done} (" in result.stdout


def test_a_group_is_listed_by_its_cause(run: Run, asked: list[httpx.Request]) -> None:
    run("dead-letters", "list", "--service", "file-service", "--cause", "RuntimeError: •••")

    assert asked[0].url.params["cause"] == "RuntimeError: •••"


def test_named_letters_are_discarded_one_by_one(run: Run, asked: list[httpx.Request]) -> None:
    result = run("dead-letters", "discard", "file-service/42", "essay-lifecycle/7", "--why", "sent by mistake")

    paths = ["/ops/dead-letters/42/discard", "/ops/dead-letters/7/discard"]
    assert [each.url.path for each in asked] == paths
    assert "essay-lifecycle/7 is discarded; its bytes are in operator_actions." in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["replay", "--why", "w"],
        ["replay", "--all"],
        ["replay", "--service", "file-service", "--why", "w"],
        ["replay", "file-service/1", "--all", "--why", "w"],
        ["replay", "nowhere/1", "--why", "w"],
        ["edit", "file-service/1"],
        ["discard", "file-service/1"],
        ["discard", "--why", "w"],
        ["discard", "file-service/1", "--cause", "c", "--why", "w"],
        ["show", "42"],
        ["show", "file-service/-1"],
        ["list", "--service", "nowhere"],
        ["list", "--limit", "0"],
    ],
)
def test_a_wrong_use_is_status_2_and_asks_nobody(run: Run, asked: list[httpx.Request], arguments: list[str]) -> None:
    assert run("dead-letters", *arguments).exit_code == 2
    assert asked == []


def test_a_correction_comes_from_a_file(run: Run, asked: list[httpx.Request], tmp_path: Path) -> None:
    file = tmp_path / "right.json"
    file.write_text('{"name": "right"}')

    result = run("dead-letters", "edit", "file-service/42", "--file", str(file), "--why", "the name was wrong")

    assert result.exit_code == 0
    assert body(asked[0]) == {"data": {"name": "right"}, "why": "the name was wrong", "type": None}


@pytest.mark.parametrize(
    ("editor", "problem"),
    [
        ("sed -i s/•••/right/", None),
        ("true", "nothing was changed, so nothing was replayed; change the data"),
        ("false", "nothing was changed"),
        ("sed -i s/}//", "the data is not a JSON object"),
        ("no-such-program", "EDITOR names no program; set it, or give the corrected data with --file FILE"),
    ],
)
def test_a_correction_comes_from_an_editor(
    run: Run, asked: list[httpx.Request], monkeypatch: pytest.MonkeyPatch, editor: str, problem: str | None
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)

    result = run("dead-letters", "edit", "file-service/42", "--why", "the name was wrong")

    assert (result.exit_code == 1) == bool(problem)
    assert problem is None or problem in str(result.exception)
    sent = [body(each)["data"] for each in asked if each.method == "POST"]
    assert sent == ([] if problem else [{"name": "right"}])


def test_a_refusal_is_told_in_the_services_words(run: Run, answers: dict[str, httpx.Response]) -> None:
    answers["discard"] = httpx.Response(409, json={"detail": "parked message 42 is waiting, not dead"})

    result = run("dead-letters", "discard", "file-service/42", "--why", "w")

    assert result.exit_code == 1
    assert "the file service refuses POST /ops/dead-letters/42/discard (409); parked message 42" in str(
        result.exception
    )


def test_why_is_one_sentence(run: Run, asked: list[httpx.Request]) -> None:
    result = run("why", "0199a1b2-0000-7000-8000-000000000001")

    assert result.stdout == "It waits for content: 2 of 3 slots are free.\n"
    assert asked[0].url.path == "/ops/batches/0199a1b2-0000-7000-8000-000000000001/why"
