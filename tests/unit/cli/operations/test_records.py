"""Records as an operator sees them: whatever stands in a topic, never a crash and nothing personal."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import pytest
from common_core.events import Event, ExcessContentProvisionedV1
from scriptorium.operations.records import RecordView, view
from service_runtime.cloudevents import Headers, headers

BATCH = UUID("0199a1b2-0000-7000-8000-000000000001")
KIND = ExcessContentProvisionedV1.__name__
DATA = {
    "batch_id": str(BATCH),
    "file_upload_id": str(BATCH),
    "text_storage_id": "text-1",
    "original_file_name": "Anna Ek.txt",
    "reason": "batch_closed",
}
AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
BINARY = headers("/essay-lifecycle", "an-id", KIND, str(BATCH), AT, {"correlationid": "c", "causationid": "before"})
STRUCTURED = [("content-type", b"application/cloudevents+json; charset=utf-8")]


@dataclass
class ARecord:
    """What aiokafka gives."""

    value: bytes | None
    headers: Headers = ()
    key: bytes | None = str(BATCH).encode()
    topic: str = "essay-lifecycle"
    partition: int = 3
    offset: int = 42


def seen(record: ARecord, *, reveal: bool = False) -> RecordView:
    return view(record, int(AT.timestamp() * 1_000), Event.types, reveal=reveal)


def in_one_document(**attributes: object) -> bytes:
    common = {"specversion": "1.0", "id": "an-id", "source": "/registry", "type": KIND}
    return json.dumps({**common, "data": DATA, **attributes}).encode()


def test_everything_is_told_and_what_may_be_personal_is_masked() -> None:
    assert seen(ARecord(json.dumps(DATA).encode(), BINARY)) == {
        "topic": "essay-lifecycle",
        "partition": 3,
        "offset": 42,
        "at": "2026-03-01T08:00:00.000+00:00",
        "type": KIND,
        "key": str(BATCH),
        "source": "/essay-lifecycle",
        "id": "an-id",
        "correlation_id": "c",
        "causation_id": "before",
        "problem": None,
        "data": {**DATA, "original_file_name": "•••"},
    }


def test_a_structured_event_reads_the_same() -> None:
    found = seen(ARecord(in_one_document(), STRUCTURED))

    assert (found["type"], found["source"], found["problem"]) == (KIND, "/registry", None)
    assert found["data"] == {**DATA, "original_file_name": "•••"}


def test_revealed_it_is_as_it_came() -> None:
    assert seen(ARecord(in_one_document(), STRUCTURED), reveal=True)["data"] == DATA


def test_an_event_of_somebody_else_is_shown_masked_too() -> None:
    found = seen(ARecord(in_one_document(type="PupilMoved", data={"pupil": "Anna", "school_id": "s"}), STRUCTURED))

    assert (found["type"], found["problem"]) == ("PupilMoved", None)
    assert found["data"] == {"pupil": "•••", "school_id": "s"}


def test_data_that_services_would_not_take_say_why() -> None:
    found = seen(ARecord(in_one_document(data={"batch_id": "Anna"}), STRUCTURED))

    assert found["type"] == KIND
    assert "file_upload_id: Field required" in (found["problem"] or "")
    assert "Anna" not in (found["problem"] or "")


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (ARecord(b"Anna Ek"), "the attribute specversion must be 1.0"),
        (ARecord(None), "the attribute specversion must be 1.0"),
        (ARecord(b"\xff\xfe Anna", key=b"\xff\x00"), "the attribute specversion must be 1.0"),
        (ARecord(b"{}", [("ce_type", b"\xff")]), "the header ce_type is not UTF-8"),
        (ARecord(b"{Anna", STRUCTURED), "the structured event is not valid JSON"),
        (ARecord(b"[" * 100_000, STRUCTURED), "the structured event is not valid JSON"),
        (ARecord(b"[]", STRUCTURED), "the structured event is not a JSON object"),
        (ARecord(b'{"data_base64": "?"}', STRUCTURED), "data_base64 is not base64"),
    ],
)
def test_what_has_no_envelope_is_shown_with_the_reason(record: ARecord, problem: str) -> None:
    found = seen(record)

    assert problem in (found["problem"] or "")
    assert (found["type"], found["source"], found["id"]) == ("unreadable", None, None)
    assert "Anna" not in json.dumps(found)


def test_bytes_that_are_no_json_are_revealed_as_hex() -> None:
    assert seen(ARecord(b"\xffAnna"), reveal=True)["data"] == "ff416e6e61"
    assert seen(ARecord(b"\xffAnna"))["data"] == "•••"


def test_data_nested_too_deeply_are_no_crash() -> None:
    found = seen(ARecord(b"[" * 100_000, BINARY))

    assert found["data"] == "•••"
    assert found["problem"]
