"""Logs are JSON for programs and text for people, each line with its service and what it belongs to."""

import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog
from pydantic import SecretStr
from service_runtime import RuntimeSettings
from service_runtime.cloudevents import Undecodable
from service_runtime.delivery import log_parked
from service_runtime.logging import configure, where_it_failed
from service_runtime.messages import Message
from service_runtime.parked import ParkedRecord, judge

NAME = "Åsa"
SETTINGS = RuntimeSettings(
    database_url="postgresql://nowhere/none", kafka_bootstrap_servers="nowhere:1", jwt_secret=SecretStr("s" * 32)
)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_without_a_terminal_each_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure("notebook", "info")
    with structlog.contextvars.bound_contextvars(correlation_id="c"):
        structlog.get_logger().info("happened", count=2)
        logging.getLogger("some.library").warning("said %s", "so")

    ours, theirs = map(json.loads, capsys.readouterr().err.splitlines())

    assert (ours["event"], ours["count"], ours["level"]) == ("happened", 2, "info")
    assert theirs["event"] == "said so"
    for each in (ours, theirs):
        assert each["service"] == "notebook"
        assert each["correlation_id"] == "c"
        assert each["timestamp"].endswith("Z")


def fail(name: str) -> None:
    try:
        {}[name]
    except KeyError as error:
        raise ExceptionGroup(name, [ValueError(name)]) from error


def test_an_error_is_one_line_with_its_traceback_and_without_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    configure("notebook", "info")
    try:
        fail(NAME)
    except ExceptionGroup:
        structlog.get_logger().exception("failed")

    (line,) = capsys.readouterr().err.splitlines()

    said = json.loads(line)["exception"]
    assert [kind for kind in said.splitlines() if not kind.startswith(("Traceback", " "))] == [
        "KeyError",
        "ValueError",
        "ExceptionGroup",
    ]
    assert "in fail" in said
    assert NAME not in said


def test_what_an_error_hides_on_purpose_is_not_logged() -> None:
    def fail_otherwise() -> None:
        try:
            {}[NAME]
        except KeyError:
            raise ValueError(NAME) from None

    with pytest.raises(ValueError, match=NAME) as failed:
        fail_otherwise()

    assert "KeyError" not in where_it_failed(failed.value)


def test_a_message_that_meets_a_bug_is_logged_without_what_the_bug_says(capsys: pytest.CaptureFixture[str]) -> None:
    configure("notebook", "info")
    error = ValueError(f"{NAME} is wrong")
    record = ParkedRecord("topic", 0, 0, None, None, [])
    message = Message(record, "source", "id", "Type", "correlation", None, "key", Undecodable(""))

    log_parked(message, judge(error, 1, 0.0, SETTINGS), error)

    line = capsys.readouterr().err
    assert json.loads(line)["error"] == "ValueError"
    assert json.loads(line)["correlation_id"] == "correlation"
    assert NAME not in json.dumps(json.loads(line), ensure_ascii=False)


def test_at_a_terminal_a_line_is_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    configure("notebook", "info")

    structlog.get_logger().info("happened", count=2)

    line = capsys.readouterr().err
    assert "happened" in line
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(line)


def test_what_is_below_the_level_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    configure("notebook", "warning")

    structlog.get_logger().info("happened")

    assert capsys.readouterr().err == ""
