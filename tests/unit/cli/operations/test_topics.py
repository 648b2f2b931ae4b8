"""The topics beside what is declared: only what is equal is called so."""

import pytest
from scriptorium.operations.topics import _print
from service_runtime import RuntimeSettings
from service_runtime.topics import Compared, Size, compare, declared

DAY = 86_400_000
SETTINGS = RuntimeSettings(
    database_url="postgresql://nowhere/none",
    kafka_bootstrap_servers="nowhere",
    jwt_secret="s" * 32,  # type: ignore[arg-type]
    partitions=12,
    replication_factor=3,
    retention_days=14,
)
ALL_WELL = "All topics are as they are declared."
MORE = "More partitions or replicas than declared, which is fine: upstream."


def said(capsys: pytest.CaptureFixture[str], upstream: Size | None, kept: int | None = 14 * DAY) -> list[str]:
    """What is printed below the table, when all other topics are as declared."""
    *others, last = declared(SETTINGS)
    found: list[Compared] = [compare(topic, Size(12, 3), 14 * DAY, SETTINGS) for topic in others]
    _print([*found, compare(last, upstream, kept, SETTINGS)])
    return capsys.readouterr().out.rpartition("┘\n")[2].splitlines()


def test_as_declared_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, Size(12, 3)) == [ALL_WELL]


@pytest.mark.parametrize("size", [Size(24, 3), Size(12, 5)], ids=["partitions", "replicas"])
def test_more_is_fine_and_not_called_as_declared(capsys: pytest.CaptureFixture[str], size: Size) -> None:
    assert said(capsys, size) == [MORE]


def test_what_the_broker_does_not_say_is_not_called_as_declared(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, Size(12, 3), None) == ["The broker does not say how long it keeps the messages of upstream."]


def test_what_is_missing_is_all_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, None, None) == ["topic upstream is missing: run `scriptorium migrate`"]


def test_what_has_to_be_mended_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    smaller, more = said(capsys, Size(24, 1))

    assert smaller.startswith("topic upstream is on 1 brokers, 3 are declared")
    assert more == MORE
