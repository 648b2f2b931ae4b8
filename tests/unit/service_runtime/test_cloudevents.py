"""The envelope: written as the binding says, read in both modes, and never a reason to stop for."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from service_runtime import cloudevents
from service_runtime.cloudevents import Headers, Undecodable

AT = datetime(2026, 3, 2, 12, 0, 0, 123000, UTC)
EVENT = UUID("01890000-0000-7000-8000-000000000001")
GOOD = dict(cloudevents.headers("/here", EVENT, "ThingHappenedV1", "key", AT, {}))


def headers(**changes: bytes | None) -> Headers:
    """Good headers with some changed, or left out where None."""
    named = {**GOOD, **{f"ce_{name}": value for name, value in changes.items()}}
    return [(name, value) for name, value in named.items() if value is not None]


def structured(document: object) -> tuple[Headers, bytes]:
    return [("content-type", b"application/cloudevents+json")], json.dumps(document).encode()


DOCUMENT = {"specversion": "1.0", "id": "1", "source": "/there", "type": "ThingHappenedV1"}


def test_the_headers_of_an_event_in_binary_mode() -> None:
    extensions = {"correlationid": "c", "causationid": None, "traceparent": "00-1-2-01"}

    assert cloudevents.headers("/here", EVENT, "ThingHappenedV1", "key", AT, extensions) == [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(EVENT).encode()),
        ("ce_source", b"/here"),
        ("ce_type", b"ThingHappenedV1"),
        ("ce_subject", b"key"),
        ("ce_time", b"2026-03-02T12:00:00.123000Z"),
        ("ce_correlationid", b"c"),
        ("ce_traceparent", b"00-1-2-01"),
        ("content-type", b"application/json"),
    ]


def test_what_is_written_is_read_again() -> None:
    written = cloudevents.headers("/here", EVENT, "T", "key", AT, {"correlationid": "c", "causationid": "a"})

    envelope = cloudevents.parse(written, b"{}")

    assert (envelope.id, envelope.source, envelope.type) == (str(EVENT), "/here", "T")
    assert (envelope.correlation_id, envelope.causation_id, envelope.traceparent) == ("c", "a", None)
    assert envelope.data == b"{}"


def test_the_names_of_headers_are_read_in_any_case() -> None:
    shouted = [(name.upper(), value) for name, value in headers()]

    assert cloudevents.parse(shouted, b"{}").id == str(EVENT)

    written, value = structured({**DOCUMENT, "data": {}})
    assert cloudevents.parse([(name.title(), each) for name, each in written], value).id == "1"


def test_a_missing_correlation_is_made_and_is_the_same_for_the_same_message() -> None:
    first, again = cloudevents.parse(headers(), b"{}"), cloudevents.parse(headers(), b"{}")
    other = cloudevents.parse(headers(id=b"another"), b"{}")

    assert UUID(first.correlation_id)
    assert first.correlation_id == again.correlation_id != other.correlation_id


def test_a_correlation_is_kept_as_given_up_to_100_characters() -> None:
    assert cloudevents.parse(headers(correlationid=b"x" * 101), b"").correlation_id == "x" * 100


@pytest.mark.parametrize("data", [{"data": {"a": 1}}, {"data_base64": base64.b64encode(b'{"a":1}').decode()}])
def test_a_structured_event_is_read(data: dict[str, object]) -> None:
    envelope = cloudevents.parse(*structured({**DOCUMENT, **data, "correlationid": "c"}))

    assert (envelope.id, envelope.source, envelope.correlation_id) == ("1", "/there", "c")
    assert envelope.data == b'{"a":1}'


def test_ids_from_outside_may_have_200_characters() -> None:
    assert cloudevents.parse(headers(id="å".encode() * 200), b"{}").id == "å" * 200


UNREADABLE: dict[str, tuple[Headers, bytes | None, str]] = {
    "nothing": ([], None, "specversion"),
    "an old version": (headers(specversion=b"0.3"), b"{}", "specversion"),
    "no id": (headers(id=None), b"{}", "id"),
    "no source": (headers(source=None), b"{}", "source"),
    "no type": (headers(type=b""), b"{}", "type"),
    "an id of 201 characters": (headers(id=b"x" * 201), b"{}", "200 characters"),
    "NUL": (headers(subject=b"a\x00"), b"{}", "NUL"),
    "not UTF-8": (headers(id=b"\xff"), b"{}", "not UTF-8"),
    "no JSON": ([("content-type", b"application/cloudevents+json")], b"{", "not valid JSON"),
    "no object": (*structured([]), "not a JSON object"),
    "bad base64": (*structured({**DOCUMENT, "data_base64": "!"}), "base64"),
    "base64 beyond ASCII": (*structured({**DOCUMENT, "data_base64": "å"}), "base64"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_is_named(what: str) -> None:
    written, value, named = UNREADABLE[what]

    with pytest.raises(Undecodable, match=named):
        cloudevents.parse(written, value)


names = st.one_of(st.text(max_size=8), st.sampled_from([*GOOD, "CE_ID", "ce_correlationid"]))
words = st.one_of(st.none(), st.binary(max_size=20), st.sampled_from([b"1.0", b"application/cloudevents+json"]))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


@given(st.lists(st.tuples(names, words), max_size=6), st.one_of(st.none(), st.binary(max_size=50)))
def test_no_bytes_whatsoever_cause_another_error_than_undecodable(written: Headers, value: bytes | None) -> None:
    for given_headers in (written, [*headers(), *written]):
        try:
            cloudevents.parse(given_headers, value)
        except Undecodable:
            continue


@given(st.dictionaries(st.sampled_from([*DOCUMENT, "data", "data_base64", "datacontenttype"]), anything))
def test_no_structured_document_causes_another_error_than_undecodable(changes: dict[str, object]) -> None:
    try:
        cloudevents.parse(*structured({**DOCUMENT, **changes}))
    except Undecodable:
        return
