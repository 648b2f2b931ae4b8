"""What is said is kept in order, each event under an id of its own, and only if the broker would take it."""

from uuid import uuid4

import pytest
from common_core.events import BatchContentIngestionFailedV1
from service_runtime.outbox import MAX_BYTES, EventTooLarge, Outbox
from service_runtime.testing import a_cause


def event(reason: str = "none was readable") -> BatchContentIngestionFailedV1:
    return BatchContentIngestionFailedV1(batch_id=uuid4(), teacher_id="t", reason=reason)


def test_events_keep_their_order_and_their_cause() -> None:
    outbox, cause, said = Outbox("test."), a_cause(), [event() for _ in range(5)]

    for each in said:
        outbox.add(each, cause)

    assert [row[3] for row in outbox.rows] == [str(each.batch_id) for each in said]
    assert {row[1:3] for row in outbox.rows} == {("BatchContentIngestionFailedV1", "test.batch-orchestrator")}
    assert {row[4:7] for row in outbox.rows} == {(cause.correlation_id, cause.event_id, cause.traceparent)}
    assert len({row[0] for row in outbox.rows}) == 5


def test_an_event_too_large_for_the_broker_is_refused_before_it_is_said() -> None:
    outbox = Outbox("")

    with pytest.raises(EventTooLarge, match=f"{MAX_BYTES} are allowed"):
        outbox.add(event("å" * (MAX_BYTES // 2)), a_cause())

    assert outbox.rows == []
