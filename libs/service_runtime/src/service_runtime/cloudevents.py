"""CloudEvents 1.0 over Kafka: binary mode out, binary and structured mode in.

Source of the format: the CloudEvents Kafka protocol binding 1.0.2.
"""

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pydantic_core
from common_core.errors import DomainError
from pydantic import ValidationError

type Headers = Sequence[tuple[str, bytes]]

STRUCTURED = "application/cloudevents+json"
MAX_ID = 200
MAX_SOURCE = 500
MAX_CORRELATION = 100


class Undecodable(DomainError):
    """These bytes are not an event we understand; correct the producer, edit the message, then replay it."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """The attributes around an event's data."""

    id: str
    source: str
    type: str
    correlation_id: str
    causation_id: str | None
    traceparent: str | None
    data: bytes


def parse(headers: Headers, value: bytes | None) -> Envelope:
    """Read the envelope of one Kafka record; raises Undecodable, naming the attribute that is wrong."""
    named = {name.lower(): raw for name, raw in headers}
    content_type = _text(named.get("content-type", b""), "content-type")
    if content_type.lower().startswith(STRUCTURED):
        return _structured(value or b"")
    attributes = {name[3:]: _text(raw, name) for name, raw in named.items() if name.startswith("ce_")}
    return _envelope(attributes, value or b"")


def identity(partition: int, offset: int, value: bytes | None) -> str:
    """An id for a record without a readable one; the checksum tells apart what a recreated topic put there."""
    return f"{partition}/{offset}/{zlib.crc32(value or b''):08x}"


def problem(error: ValidationError) -> str:
    """What is wrong with which field, without the values: they may be personal data."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, each['loc'])) or 'data'}: {each['msg']}" for each in found)


def headers(
    source: str, event_id: UUID | str, kind: str, key: str, at: datetime, extensions: Mapping[str, str | None]
) -> list[tuple[str, bytes]]:
    """The headers of one event in binary mode; extensions without a value are left out."""
    attributes = {"specversion": "1.0", "id": str(event_id), "source": source, "type": kind, "subject": key}
    attributes["time"] = at.isoformat().replace("+00:00", "Z")
    attributes |= {name: value for name, value in extensions.items() if value is not None}
    written = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return [*written, ("content-type", b"application/json")]


def _structured(value: bytes) -> Envelope:
    try:
        document = pydantic_core.from_json(value)
    except ValueError as error:
        raise Undecodable("the structured event is not valid JSON") from error
    if not isinstance(document, dict):
        raise Undecodable("the structured event is not a JSON object")
    data = _structured_data(document)
    return _envelope({name: each for name, each in document.items() if isinstance(each, str)}, data)


def _structured_data(document: dict[str, Any]) -> bytes:
    if "data" in document:
        return pydantic_core.to_json(document["data"])
    try:
        return base64.b64decode(document.get("data_base64", ""), validate=True)
    except (ValueError, TypeError) as error:
        raise Undecodable("data_base64 is not base64") from error


def _envelope(attributes: Mapping[str, str], data: bytes) -> Envelope:
    if attributes.get("specversion") != "1.0":
        raise Undecodable("the attribute specversion must be 1.0; is this a CloudEvent with ce_ headers?")
    for name, most in (("id", MAX_ID), ("source", MAX_SOURCE), ("type", MAX_ID)):
        if not 0 < len(attributes.get(name, "")) <= most:
            raise Undecodable(f"the attribute {name} must have 1 to {most} characters")
    if "\x00" in "".join(attributes.values()):
        raise Undecodable("an attribute contains the NUL character")
    return Envelope(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        correlation_id=attributes.get("correlationid", "")[:MAX_CORRELATION]
        or str(uuid5(NAMESPACE_URL, f"{attributes['source']} {attributes['id']}")),
        causation_id=attributes.get("causationid"),
        traceparent=attributes.get("traceparent"),
        data=data,
    )


def _text(raw: bytes | None, name: str) -> str:
    try:
        return (raw or b"").decode()
    except UnicodeDecodeError as error:
        raise Undecodable(f"the header {name} is not UTF-8") from error
