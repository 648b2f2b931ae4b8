"""Writes what can be read off the code: docs/events.md, docs/asyncapi.json and the state diagrams.

`python scripts/docs.py` writes, `python scripts/docs.py --check` fails when something written no longer fits the code.
"""

import argparse
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import Any

import common_core.events
from asyncapi import Schema, document, sentence
from common_core.events import Event, Topic
from common_core.state_machine import DEFER, StateMachine, Verdict
from pydantic.json_schema import models_json_schema

ROOT = Path(__file__).resolve().parents[1]
EVENTS = [event for event in Event.types.values() if event.__module__.startswith(common_core.events.__name__)]
SECTION = re.compile(r"(<!-- generated: (?P<name>\S+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)

type Machines = dict[str, StateMachine[StrEnum, StrEnum]]
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
    known = machines()
    for page in (ROOT / "docs" / "architecture.md", *sorted(ROOT.glob("services/*/README.md"))):
        if page.exists() and SECTION.search(text := page.read_text(encoding="utf-8")):
            yield page, SECTION.sub(lambda section: section[1] + states(section["name"], known) + section[3], text)


# What the services contribute: handler tables and state machines, found by their file names.


def modules(file_name: str) -> Iterator[tuple[str, ModuleType]]:
    """The module of this name in every service that has one."""
    for path in sorted(ROOT.glob(f"services/*/{file_name}.py")):
        yield path.parent.name, importlib.import_module(f"services.{path.parent.name}.{file_name}")


def handled_by() -> HandledBy:
    """The functions that decide about each event, in all services."""
    found: HandledBy = {}
    for _, module in modules("handlers"):
        handled: Mapping[type[Event], Callable[..., Any]] = module.handlers.handled
        for event, function in handled.items():
            found.setdefault(event, []).append(function)
    return found


def machines() -> Machines:
    """Every state machine as `service.NAME`."""
    return {
        f"{service}.{name}": machine
        for service, module in modules("state_machine")
        for name, machine in vars(module).items()
        if isinstance(machine, StateMachine)
    }


# docs/events.md


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


def table(*head: str, rows: list[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


# State diagrams


def states(name: str, known: Machines) -> str:
    """The diagram and the complete table of one machine."""
    if name not in known:
        raise SystemExit(
            f"A page asks for the states of {name}; there are only {', '.join(known)}. Correct its marker."
        )
    machine = known[name]
    triggers = list(machine.table[machine.initial])
    rows = [(f"`{s}`", *(cell_text(row[t]) for t in triggers)) for s, row in reachable(machine).items()]
    return "\n".join(["", *mermaid(machine), "", *table("state", *(f"`{t}`" for t in triggers), rows=rows), "", ""])


def mermaid(machine: StateMachine[StrEnum, StrEnum]) -> Iterator[str]:
    """The moves as a diagram; what is ignored or refused stands only in the table."""
    yield from ("```mermaid", "stateDiagram-v2", f"    [*] --> {machine.initial}")
    for state, row in reachable(machine).items():
        moves = [(trigger, cell) for trigger, cell in row.items() if not isinstance(cell, Verdict)]
        yield from (f"    {state} --> {cell}: {trigger}" for trigger, cell in moves)
        if not moves:
            yield f"    {state} --> [*]"
        if deferred := [trigger for trigger, cell in row.items() if cell is DEFER]:
            yield from (f"    note right of {state}", f"        defers {', '.join(deferred)}", "    end note")
    yield "```"


def reachable(machine: StateMachine[StrEnum, StrEnum]) -> dict[StrEnum, dict[StrEnum, StrEnum | Verdict]]:
    """The rows of the states a machine can come to, in the table's order."""
    found, new = set(), {machine.initial}
    while new:
        found |= new
        new = {cell for state in new for cell in machine.table[state].values() if not isinstance(cell, Verdict)} - found
    return {state: row for state, row in machine.table.items() if state in found}


def cell_text(cell: StrEnum | Verdict) -> str:
    """A next state as code, a verdict as a plain word."""
    return cell.value if isinstance(cell, Verdict) else f"`{cell}`"


if __name__ == "__main__":
    raise SystemExit(main())
