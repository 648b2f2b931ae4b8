"""Batches as an operator lists them, and what is said when the services do not answer as they should."""

import json

import httpx
import pytest

from tests.unit.cli.operations.answers import BATCH, Run


def test_the_table_fits_100_columns_and_tells_state_and_age(run: Run) -> None:
    printed = run("batches").stdout

    assert max(map(len, printed.splitlines())) <= 100
    for word in (BATCH["batch_id"], BATCH["status"], "1d 3h", "500"):
        assert str(word) in printed


def test_the_service_is_asked_for_what_the_options_say(run: Run, asked: list[httpx.Request]) -> None:
    run("batches", "--state", "cancelled", "--state", "awaiting_content_validation", "--older-than", "2h")

    assert asked[0].url.path == "/ops/batches"
    assert asked[0].url.params.get_list("status") == ["cancelled", "awaiting_content_validation"]
    assert asked[0].url.params["seconds_in_state"] == "7200"


def test_pages_are_put_together_up_to_the_limit(
    run: Run, asked: list[httpx.Request], answers: dict[str, httpx.Response]
) -> None:
    answers["batches"] = httpx.Response(200, json={"items": [BATCH] * 200, "next_cursor": BATCH["batch_id"]})

    found = json.loads(run("batches", "--limit", "450", "--json").stdout)

    assert len(found) == 600  # These services give more than they are asked for.
    assert [each.url.params["limit"] for each in asked] == ["200", "200", "50"]
    assert [each.url.params.get("cursor") for each in asked] == [None, BATCH["batch_id"], BATCH["batch_id"]]


def test_that_there_may_be_more_is_said(run: Run) -> None:
    assert "There may be more than these 1: --limit" in run("batches", "--limit", "1").stdout
    assert "There may be more" not in run("batches", "--limit", "2").stdout


def test_for_programs_there_is_json(run: Run) -> None:
    assert json.loads(run("batches", "--json").stdout) == [BATCH]


def test_none_are_none(run: Run, answers: dict[str, httpx.Response]) -> None:
    answers["batches"] = httpx.Response(200, json={"items": [], "next_cursor": None})

    assert run("batches").stdout == "There are none.\n"
    assert json.loads(run("batches", "--json").stdout) == []


@pytest.mark.parametrize("arguments", [["--older-than", "2"], ["--older-than", "-2h"], ["--state", "lost"]])
def test_a_wrong_use_is_status_2_and_asks_nobody(run: Run, asked: list[httpx.Request], arguments: list[str]) -> None:
    assert run("batches", *arguments).exit_code == 2
    assert asked == []


FORBIDDEN = httpx.Response(403, json={"detail": "this needs the role operator"})
EXPIRED = httpx.Response(401, json={"detail": "the token has expired; ask for a new one"})
A_WEB_PAGE = httpx.Response(200, content=b"<html>")
ANOTHER_SERVICE = httpx.Response(404, json={"detail": "Not Found"})
SOMEBODY_ELSE = httpx.Response(404, content=b"<html>")


@pytest.mark.parametrize(
    ("answer", "variables", "way_out"),
    [
        (
            FORBIDDEN,
            {"SCRIPTORIUM_TOKEN": "t"},
            "this needs the role operator: ask for a token with it, and set SCRIPT",
        ),
        (EXPIRED, {"SCRIPTORIUM_TOKEN": "t"}, "has expired; ask for a new one, and set SCRIPTORIUM_TOKEN to it"),
        (
            EXPIRED,
            {},
            "SCRIPTORIUM_JWT_SECRET and, where set, SCRIPTORIUM_JWT_AUDIENCE and .* must be the services' own",
        ),
        (A_WEB_PAGE, {}, "http://batch_orchestrator is not the batch orchestrator .*; correct BATCH_ORCHESTRATOR_URL$"),
        (ANOTHER_SERVICE, {}, "is not the batch orchestrator .*404 Not Found.*; correct BATCH_ORCHESTRATOR_URL$"),
        (SOMEBODY_ELSE, {}, "is not the batch orchestrator .*404 Not Found.*; correct BATCH_ORCHESTRATOR_URL$"),
        (httpx.Response(503), {}, "the batch orchestrator refuses GET /ops/batches .503.; Service Unavailable$"),
        (
            None,
            {"BATCH_ORCHESTRATOR_URL": "127.0.0.1:8001"},
            "BATCH_ORCHESTRATOR_URL is no address like http://127.0.0.1:8001; set it",
        ),
        (None, {"BATCH_ORCHESTRATOR_URL": ""}, "BATCH_ORCHESTRATOR_URL is not set; set it"),
        (None, {"SCRIPTORIUM_JWT_SECRET": ""}, "neither SCRIPTORIUM_TOKEN nor SCRIPTORIUM_JWT_SECRET is set; set the"),
    ],
)
def test_what_goes_wrong_names_the_way_out(
    run: Run,
    answers: dict[str, httpx.Response],
    answer: httpx.Response | None,
    variables: dict[str, str],
    way_out: str,
) -> None:
    answers["batches"] = answer or answers["batches"]

    result = run("batches", **variables)

    assert result.exit_code == 1
    with pytest.raises(Exception, match=way_out):
        raise result.exception or AssertionError("nothing went wrong")
