"""Writes what can be read off the code: docs/events.md, docs/asyncapi.json and the generated parts of other pages.

`python scripts/docs.py` writes, `python scripts/docs.py --check` fails when something written no longer fits the code,
or when a link between our files leads nowhere.
"""

import argparse
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import common_core.events
from asyncapi import Schema, document, sentence
from common_core.events import Event, Topic
from pydantic.json_schema import models_json_schema
from sections import ROOT, filled_in, modules, parts, table

EVENTS = [event for event in Event.types.values() if event.__module__.startswith(common_core.events.__name__)]
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")

type HandledBy = dict[type[Event], list[Callable[..., Any]]]


def main() -> int:
    """Write every page, or with --check only say which of them is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a page is stale")
    check = parser.parse_args().check
    stale = {path: text for path, text in pages() if not path.exists() or path.read_text(encoding="utf-8") != text}
    if check and stale:
        names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
        sys.stderr.write(f"No longer what the code says: {names}. Run scripts/docs.py and commit the result.\n")
        return 1
    if check and (broken := broken_links()):
        sys.stderr.write("Links to files that are not there:\n" + "".join(f"  {link}\n" for link in broken))
        return 1
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated file with the text it should have."""
    _, schemas = models_json_schema([(e, "validation") for e in EVENTS], ref_template="#/components/schemas/{model}")
    yield ROOT / "docs" / "events.md", events_page(schemas["$defs"], handled_by())
    asyncapi = json.dumps(document(EVENTS, schemas["$defs"]), indent=1, ensure_ascii=False)
    yield ROOT / "docs" / "asyncapi.json", asyncapi + "\n"
    known = parts()
    for page in written_pages():
        if page.name != "events.md":
            yield page, filled_in(page.read_text(encoding="utf-8"), known)


def written_pages() -> list[Path]:
    """All pages, in whatever folder."""
    folders = (ROOT, ROOT / "docs", ROOT / "docs" / "decisions", *ROOT.glob("services/*"), *ROOT.glob("libs/*"))
    return sorted(page for folder in folders for page in folder.glob("*.md"))


def broken_links() -> list[str]:
    """The links between our files that lead nowhere."""
    return [
        f"{page.relative_to(ROOT)} -> {target}"
        for page in written_pages()
        for target in LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]


# docs/events.md


def handled_by() -> HandledBy:
    """The functions that decide about each event, in all services."""
    found: HandledBy = {}
    for _, module in modules("handlers"):
        handled: Mapping[type[Event], Callable[..., Any]] = module.handlers.handled
        for event, function in handled.items():
            found.setdefault(event, []).append(function)
    return found


def events_page(schemas: dict[str, Schema], handlers: HandledBy) -> str:
    """The catalogue of all events."""
    lines = [
        "# Events",
        "",
        "Written by `scripts/docs.py` from the classes in `libs/common_core/src/common_core/events`; change those.",
        "A field marked *optional* may be missing or `null`, which mean the same; we always write it. Unknown fields",
        "are ignored. Ids are UUID strings, times are RFC 3339 with a zone.",
        "",
        *table(
            "event",
            "topic",
            "what it says",
            rows=[(link(e.__name__), " or ".join(e.topics), sentence(e)) for e in EVENTS],
        ),
    ]
    for topic in Topic:
        module = importlib.import_module(f"common_core.events.{topic.replace('-', '_')}")
        lines += ["", f"## Topic `{topic}`", "", sentence(module)]
        for event in (e for e in EVENTS if e.topic is topic):
            deciders = [f"[`{f.__module__.split('.')[1]}.{f.__name__}`]({source(f)})" for f in handlers.get(event, [])]
            lines += ["", f"### {event.__name__}", "", sentence(event), ""]
            lines += [f"Key: `{event.key_field}`. Handled by: {', '.join(deciders) or 'systems outside'}.", ""]
            lines += ["May also come from outside, on topic `upstream`.", ""] if len(event.topics) > 1 else []
            lines += fields(schemas[event.__name__], schemas)
    parts = {name: schema for name, schema in sorted(schemas.items()) if name not in Event.types}
    lines += ["", "## Parts of events"]
    for name, schema in parts.items():
        lines += ["", f"### {name}", "", schema["description"], ""]
        lines += fields(schema, schemas) if "properties" in schema else [", ".join(f"`{v}`" for v in schema["enum"])]
    return "\n".join(lines) + "\n"


def fields(schema: Schema, schemas: dict[str, Schema]) -> list[str]:
    """The table of an object's fields."""
    required = schema["required"]
    return table(
        "field",
        "type",
        "meaning",
        rows=[
            (f"`{name}`", wire_type(field) + ("" if name in required else ", optional"), meaning(field, schemas))
            for name, field in schema["properties"].items()
        ],
    )


def wire_type(field: Schema) -> str:
    """The type of a field in words, with a link where it has a section of its own."""
    if "anyOf" in field:
        return wire_type(field["anyOf"][0])
    if "$ref" in field:
        return link(field["$ref"].rsplit("/", 1)[1])
    if field["type"] == "array":
        return f"list of {wire_type(field['items'])}"
    if field["type"] == "integer" and field["maximum"] < 2**31 - 1:
        return f"integer, {field['minimum']} to {field['maximum']}"
    words = {"uuid": "UUID", "date-time": "time"}
    return words.get(field.get("format", ""), str(field["type"]))


def meaning(field: Schema, schemas: dict[str, Schema]) -> str:
    """What a field means: its own words, else those of its type."""
    inner = field["anyOf"][0] if "anyOf" in field else field
    named = schemas[inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else {}
    for place in (field, inner, named):
        if "description" in place:
            return str(place["description"])
    return ""


def link(name: str) -> str:
    """A link to the section of this name on the same page."""
    return f"[{name}](#{name.lower()})"


def source(function: Callable[..., Any]) -> str:
    """The file of a function, as seen from docs/."""
    return f"../{function.__module__.replace('.', '/')}.py"


if __name__ == "__main__":
    raise SystemExit(main())
