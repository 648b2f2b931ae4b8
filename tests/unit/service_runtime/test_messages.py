"""A record becomes a message with an identity, whatever is in it."""

from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from common_core.events import Event, RegisterBatchV1
from common_core.status_enums import CourseCode
from hypothesis import given
from hypothesis import strategies as st
from service_runtime.cloudevents import Headers, Undecodable
from service_runtime.messages import Message, decode
from service_runtime.testing import binary

EVENT = RegisterBatchV1(batch_id=uuid4(), teacher_id="t", course_code=CourseCode.SV1, expected_essay_count=1)
TYPES: dict[str, type[Event]] = {"RegisterBatchV1": RegisterBatchV1}


@dataclass
class Record:
    """A Kafka record without Kafka."""

    value: bytes | None = field(default_factory=EVENT.model_dump_json().encode)
    headers: Headers = field(default_factory=lambda: binary(EVENT, "id-1", "/outside"))
    key: bytes | None = b"the record's key"
    topic: str = "upstream"
    partition: int = 3
    offset: int = 17


def decoded(record: Record) -> Message:
    message = decode(record, TYPES)
    assert message is not None
    return message


def test_a_good_record_carries_its_event_and_the_events_key() -> None:
    message = decoded(Record())

    assert message.content == EVENT
    assert (message.source, message.id, message.type) == ("/outside", "id-1", "RegisterBatchV1")
    assert message.key == str(EVENT.batch_id)


def test_a_type_nobody_here_handles_is_none_of_our_messages() -> None:
    assert decode(Record(), {}) is None


def test_wrong_data_keep_their_identity_and_say_which_field_is_wrong_but_not_its_value() -> None:
    message = decoded(Record(value=b'{"batch_id": "Berit Andersson"}'))

    assert (message.source, message.id, message.key) == ("/outside", "id-1", "the record's key")
    assert isinstance(message.content, Undecodable)
    assert "batch_id" in str(message.content)
    assert "Berit" not in str(message.content)


def test_unreadable_records_are_known_by_their_place_and_bytes() -> None:
    one, same = decoded(Record(headers=[])), decoded(Record(headers=[]))
    others = [Record(headers=[], offset=18), Record(headers=[], partition=4), Record(headers=[], value=b"other")]

    assert (one.source, one.type) == ("kafka:upstream", "unreadable")
    assert one.id == same.id
    assert one.id not in {decoded(other).id for other in others}


@pytest.mark.parametrize(
    ("raw", "key"),
    [(None, ""), (b"\xff\x00", "\\xff\\x00"), (b"x" * 300, "x" * 200), ("å".encode(), "å")],
)
def test_any_record_key_becomes_text_that_postgresql_can_store(raw: bytes | None, key: str) -> None:
    assert decoded(Record(headers=[], key=raw)).key == key


@given(
    st.one_of(st.none(), st.binary(max_size=60), st.text(max_size=60).map(str.encode)),
    st.one_of(st.none(), st.binary(max_size=20)),
    st.booleans(),
)
def test_no_record_whatsoever_raises(value: bytes | None, key: bytes | None, with_headers: bool) -> None:
    record = Record(value=value, key=key) if with_headers else Record(value=value, key=key, headers=[])

    message = decoded(record)

    assert isinstance(message.content, Undecodable)
    assert "\x00" not in message.key + message.id + message.source
