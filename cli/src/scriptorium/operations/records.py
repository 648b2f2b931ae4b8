"""Kafka's records as an operator sees them: decoded as the services do, masked, and never a crash."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypedDict

from common_core.events import Event
from service_runtime import cloudevents
from service_runtime.cloudevents import Undecodable
from service_runtime.masking import shown
from service_runtime.messages import Record, decode

UNREADABLE = "unreadable"
"""The type of what has no readable envelope, as in dead letters."""


class RecordView(TypedDict):
    """One record; `problem` says why services would not understand it, or is None."""

    topic: str
    partition: int
    offset: int
    at: str | None
    """When it was written, RFC 3339."""
    type: str
    key: str
    source: str | None
    id: str | None
    correlation_id: str | None
    causation_id: str | None
    problem: str | None
    data: object


def view(record: Record, timestamp_ms: int, types: Mapping[str, type[Event]], *, reveal: bool) -> RecordView:
    """What is in a record; without its envelope, or its data, where they cannot be read."""
    message = decode(record, types)
    problem = str(message.content) if message and isinstance(message.content, Undecodable) else None
    try:
        envelope = cloudevents.parse(record.headers, record.value)
    except Undecodable:
        envelope = None
    at = datetime.fromtimestamp(timestamp_ms / 1_000, UTC).isoformat(timespec="milliseconds")
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "at": at if timestamp_ms >= 0 else None,
        "type": envelope.type if envelope else UNREADABLE,
        "key": (record.key or b"").decode(errors="backslashreplace"),
        "source": envelope.source if envelope else None,
        "id": envelope.id if envelope else None,
        "correlation_id": envelope.correlation_id if envelope else None,
        "causation_id": envelope.causation_id if envelope else None,
        "problem": problem,
        "data": shown(envelope.data if envelope else record.value or b"", reveal=reveal),
    }
