"""A topic as it is declared beside what the broker has."""

import pytest
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
    inbox_days=30,
)


def beside(size: Size | None, kept: int | None) -> Compared:
    return compare(declared(SETTINGS)[0], size, kept, SETTINGS)


def test_as_declared_is_well() -> None:
    assert beside(Size(12, 3), 14 * DAY).problems == []


def test_more_is_welcome() -> None:
    assert beside(Size(24, 5), 14 * DAY).problems == []


def test_everything_that_is_smaller_is_named_with_the_way_out() -> None:
    partitions, replicas, retention = beside(Size(6, 1), DAY // 2).problems

    assert partitions.endswith("add some (kafka-topics.sh --alter) or set SCRIPTORIUM_PARTITIONS=6")
    assert replicas.endswith("(kafka-reassign-partitions.sh) or set SCRIPTORIUM_REPLICATION_FACTOR=1")
    assert "keeps its messages 0.5 days, 14 days are declared: kafka-configs.sh --alter" in retention
    assert f"--entity-name batch-orchestrator --add-config retention.ms={14 * DAY}, or set SCRIPTORIUM_RET" in retention


def test_a_missing_topic_is_only_missing() -> None:
    assert beside(None, None).problems == ["topic batch-orchestrator is missing: run `scriptorium migrate`"]


@pytest.mark.parametrize(("kept", "dangerous"), [(30 * DAY, False), (31 * DAY, True), (-1, True)])
def test_a_longer_retention_keeps_names_and_is_a_danger_when_the_inbox_forgets_sooner(
    kept: int, dangerous: bool
) -> None:
    (problem,) = beside(Size(12, 3), kept).problems

    assert "has the names of students who were erased" in problem
    assert ("SCRIPTORIUM_INBOX_DAYS" in problem) == dangerous


@pytest.mark.parametrize(("retention_days", "segment_days"), [(14, 1), (0.5, 0.5)])
def test_a_message_is_gone_a_day_after_its_retention_at_the_latest(retention_days: float, segment_days: float) -> None:
    for topic in declared(SETTINGS.model_copy(update={"retention_days": retention_days})):
        assert float(topic.topic_configs["segment.ms"]) == segment_days * DAY


def test_what_the_broker_does_not_say_is_no_difference() -> None:
    assert beside(Size(12, 3), None).problems == []
