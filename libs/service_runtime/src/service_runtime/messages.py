"""One Kafka record as delivery sees it: decoded, or with the reason why not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from common_core.events.base import Event
from pydantic import ValidationError

from service_runtime import cloudevents
from service_runtime.cloudevents import Headers, Undecodable
from service_runtime.handlers import Cause


class Record(Protocol):
    """What we read of a record: aiokafka's and a parked row look alike."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One record, its identity (`source`, `id`), and the event in it or why there is none."""

    record: Record
    source: str
    id: str
    type: str
    correlation_id: str
    traceparent: str | None
    key: str
    content: Event | Undecodable

    def cause(self, at: datetime) -> Cause:
        """This message as the cause of what is done in a transaction of this time."""
        return Cause(self.id, self.correlation_id, self.traceparent, at)


def decode(record: Record, types: Mapping[str, type[Event]]) -> Message | None:
    """Decode a record; None when its type is none of ours."""
    try:
        envelope = cloudevents.parse(record.headers, record.value)
    except Undecodable as error:
        source = f"kafka:{record.topic}"
        unreadable = cloudevents.identity(record.partition, record.offset, record.value)
        return Message(record, source, unreadable, "unreadable", unreadable, None, _key(record), error)
    if envelope.type not in types:
        return None
    content: Event | Undecodable
    try:
        content = types[envelope.type].model_validate_json(envelope.data)
        key = str(content.key)
    except ValidationError as error:
        content = Undecodable(f"{envelope.type}: {cloudevents.problem(error)}")
        key = _key(record)
    return Message(
        record, envelope.source, envelope.id, envelope.type, envelope.correlation_id, envelope.traceparent, key, content
    )


def micro_batches[P, R](fetched: Mapping[P, Sequence[R]], most: int) -> Iterator[Mapping[P, Sequence[R]]]:
    """What was fetched from each partition, in its order, at most so many records at a time."""
    taken: dict[P, Sequence[R]] = {}
    room = most
    for partition, records in fetched.items():
        start = 0
        while start < len(records):
            taken[partition] = records[start : start + room]
            start, room = start + len(taken[partition]), room - len(taken[partition])
            if room == 0:
                yield taken
                taken, room = {}, most
    if taken:
        yield taken


def _key(record: Record) -> str:
    """The record's key as text that PostgreSQL can store."""
    return (record.key or b"").decode(errors="backslashreplace").replace("\x00", "\\x00")[:200]
