"""The parts of pages that are read off the services (state diagrams, messages, tables, settings, metrics), and figures.

A page asks for a part with the comment `<!-- generated: NAME -->`; everything from there to the comment
`<!-- end of generated -->` is replaced.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from asyncapi import sentence
from common_core.events import Event
from common_core.state_machine import DEFER, StateMachine, Verdict
from measured import figures
from prometheus_client import Counter, Gauge, Histogram
from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from scriptorium import main
from service_runtime import RuntimeSettings, Service, metrics
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- generated: (?P<name>\S+) -->\n).*?(<!-- end of generated -->)", re.DOTALL)

type Machine = StateMachine[StrEnum, StrEnum]
type Parts = Mapping[str, Callable[[], list[str]]]


def filled_in(page: str, known: Parts) -> str:
    """A page with every part it asks for."""

    def part(marked: re.Match[str]) -> str:
        if marked["name"] not in known:
            raise SystemExit(
                f"A page asks for {marked['name']}; there are only {', '.join(known)}. Correct its marker."
            )
        return "\n".join([marked[1], *known[marked["name"]](), "", marked[3]])

    return MARKED.sub(part, page)


def parts() -> Parts:
    """Every part a page may ask for, by its name."""
    found: dict[str, Callable[[], list[str]]] = {
        "service_runtime.settings": partial(settings, RuntimeSettings),
        "service_runtime.metrics": partial(measured, metrics),
        "scriptorium.commands": partial(commands, get_command(main.app)),
        **figures(ROOT / "docs" / "performance"),
    }
    for folder, module in modules("service"):
        found[f"{folder}.messages"] = partial(messages, module.service)
        found[f"{folder}.settings"] = partial(settings, module.service.settings)
    for folder, module in modules("metrics"):
        found[f"{folder}.metrics"] = partial(measured, module)
    for folder, module in modules("models"):
        found[f"{folder}.tables"] = partial(tables, module)
    for folder, module in modules("state_machine"):
        machines = {name: each for name, each in vars(module).items() if isinstance(each, StateMachine)}
        found |= {f"{folder}.{name}": partial(states, machine) for name, machine in machines.items()}
    return found


def modules(name: str) -> Iterator[tuple[str, ModuleType]]:
    """The module of this name in every service that has one."""
    for folder in sorted(path.parent.name for path in ROOT.glob("services/*/__main__.py")):
        if (ROOT / "services" / folder / f"{name}.py").exists() or (ROOT / "services" / folder / name).is_dir():
            yield folder, importlib.import_module(f"services.{folder}.{name}")


def table(*head: str, rows: Sequence[tuple[str, ...]]) -> list[str]:
    """A Markdown table."""
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


# What a service hears and says, keeps, and is told by its surroundings.


def messages(service: Service) -> list[str]:
    """What a service hears, which timers wake it, and what it says."""
    heard = [
        (event_link(event), " or ".join(f"`{topic}`" for topic in event.topics), f"`{function.__name__}`")
        for event, function in service.handlers.handled.items()
    ]
    heard += [
        (f"timer `{name}`", "itself", f"`{each.handler.function.__name__}`" + prepared_by(each.prepare))
        for name, each in service.handlers.timers.items()
    ]
    said = [(event_link(event), sentence(event)) for event in Event.types.values() if event.topic == service.name]
    says = ["", *table("says", "that", rows=said)] if said else []
    return [*table("hears", "from", "decided by", rows=heard), *says]


def prepared_by(prepare: Callable[..., object] | None) -> str:
    """The slow part of a timer, if it has one."""
    return f", after `{prepare.__name__}`" if prepare else ""


def event_link(event: type[Event]) -> str:
    """A link to an event from a service's page."""
    return f"[{event.__name__}](../../docs/events.md#{event.__name__.lower()})"


def tables(models: ModuleType) -> list[str]:
    """The tables of a service's own, with what a row is."""
    mapped = {mapper.local_table.name: mapper.class_ for mapper in models.Base.registry.mappers}
    return table("table", "one row is", rows=[(f"`{name}`", sentence(mapped[name])) for name in sorted(mapped)])


def settings(kind: type[RuntimeSettings]) -> list[str]:
    """The settings a class adds, as environment variables."""
    own = docstrings(kind)
    rows = [(f"`{variable(name)}`", default(kind.model_fields[name]), own[name]) for name in own]
    return table("variable", "default", "meaning", rows=rows)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    field = RuntimeSettings.model_fields.get(name)
    if field and isinstance(field.validation_alias, AliasChoices):
        return str(field.validation_alias.choices[0])
    return f"{RuntimeSettings.model_config['env_prefix']}{name}".upper()


def default(field: FieldInfo) -> str:
    """What counts when the variable is not set."""
    if field.is_required():
        return "must be set"
    return f"`{field.default}`" if field.default != "" else "empty"


def docstrings(kind: type[RuntimeSettings]) -> dict[str, str]:
    """The settings that stand in this class, each with the sentence below it."""
    (definition,) = ast.parse(inspect.getsource(kind)).body
    body = definition.body if isinstance(definition, ast.ClassDef) else []
    found: dict[str, str] = {}
    for statement, below in pairwise(body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            found[statement.target.id] = ast.literal_eval(below.value) if isinstance(below, ast.Expr) else ""
    return found


def measured(module: ModuleType) -> list[str]:
    """What a module counts and measures."""
    collectors = [each for each in vars(module).values() if isinstance(each, Counter | Gauge | Histogram)]
    counted = [family for collector in collectors for family in collector.collect()]
    rows = [(f"`{each.name}{'_total' * (each.type == 'counter')}`", each.documentation) for each in counted]
    return table("metric", "what it tells", rows=rows)


def commands(command: Any, name: str = "scriptorium") -> list[str]:
    """What the command line can do: every command with its first paragraph."""
    return table("command", "does", rows=list(leaves(command, name)))


def leaves(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """The commands that do something, in their order."""
    for inner in getattr(command, "commands", {}).values():
        yield from leaves(inner, f"{name} {inner.name}")
    if not hasattr(command, "commands"):
        yield f"`{name}`", " ".join(command.help.split("\n\n")[0].split())


# State diagrams


def states(machine: Machine) -> list[str]:
    """The diagram and the complete table of one machine."""
    triggers = list(machine.table[machine.initial])
    rows = [(f"`{s}`", *(cell_text(row[t]) for t in triggers)) for s, row in reachable(machine).items()]
    return [*mermaid(machine), "", *table("state", *(f"`{t}`" for t in triggers), rows=rows)]


def mermaid(machine: Machine) -> Iterator[str]:
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


def reachable(machine: Machine) -> dict[StrEnum, dict[StrEnum, StrEnum | Verdict]]:
    """The rows of the states a machine can come to, in the table's order."""
    found, new = set(), {machine.initial}
    while new:
        found |= new
        new = {cell for state in new for cell in machine.table[state].values() if not isinstance(cell, Verdict)} - found
    return {state: row for state, row in machine.table.items() if state in found}


def cell_text(cell: StrEnum | Verdict) -> str:
    """A next state as code, a verdict as a plain word."""
    return cell.value if isinstance(cell, Verdict) else f"`{cell}`"
