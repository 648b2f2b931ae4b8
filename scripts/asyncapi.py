"""Makes docs/asyncapi.json, the catalogue of events for programs, as an AsyncAPI 3 document."""

import inspect
from collections.abc import Sequence
from typing import Any

from common_core.events import Event, Topic

type Schema = dict[str, Any]


def document(events: Sequence[type[Event]], schemas: dict[str, Schema]) -> Schema:
    """The catalogue of events, with the JSON schemas of their data."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Scriptorium",
            "version": "1",
            "description": "What the services say to each other on Kafka.",
        },
        "defaultContentType": "application/json",
        "channels": {
            topic.value: {
                "address": topic.value,
                "messages": {e.__name__: ref("messages", e.__name__) for e in events if topic in e.topics},
            }
            for topic in Topic
        },
        "operations": {
            f"{action}-{topic.value}": {"action": action, "channel": {"$ref": f"#/channels/{topic.value}"}}
            for topic in Topic
            for action in ["receive" if topic is Topic.UPSTREAM else "send"]
        },
        "components": {
            "messages": {event.__name__: message(event) for event in events},
            "messageTraits": {"cloudEvent": {"headers": envelope()}},
            "schemas": schemas,
        },
    }


def message(event: type[Event]) -> Schema:
    """One event with its payload and its Kafka key."""
    return {
        "name": event.__name__,
        "summary": sentence(event),
        "payload": ref("schemas", event.__name__),
        "traits": [ref("messageTraits", "cloudEvent")],
        "bindings": {"kafka": {"key": {"type": "string", "format": "uuid", "description": f"the {event.key_field}"}}},
    }


def envelope() -> Schema:
    """The CloudEvents attributes, as headers in binary mode."""
    required = ["ce_specversion", "ce_id", "ce_source", "ce_type"]
    optional = ["ce_subject", "ce_time", "ce_correlationid", "ce_causationid", "ce_traceparent"]
    properties = {name: {"type": "string"} for name in (*required, *optional)}
    return {"type": "object", "required": required, "properties": properties}


def ref(kind: str, name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/{kind}/{name}"}


def sentence(thing: object) -> str:
    """A docstring in one line."""
    return " ".join((inspect.getdoc(thing) or "").split())
