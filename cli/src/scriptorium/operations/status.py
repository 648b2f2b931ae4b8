"""The system at a glance: services, what waits in them, and batches by state."""

import asyncio
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scriptorium import environment
from scriptorium.display import console
from scriptorium.operations.condition import BatchesInState, Condition, Heap, ServiceCondition, condition
from scriptorium.operations.options import AsJson, EnvFile, print_json
from scriptorium.operations.words import age, printable
from scriptorium.signals import ending_in_order

UNKNOWN = Text("?", style="dim")


def status(
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option(min=0.1, help="With --watch: after so many seconds.")] = 2.0,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Show how the services are, what waits in them, and where batches are; 0 only when all services are ready."""
    if watch and as_json:
        raise typer.BadParameter("--watch is for people, --json is one document: choose one")
    if watch:
        with ending_in_order(status=0):
            asyncio.run(_watch(env_file, every))
    found = asyncio.run(condition(environment.read(env_file)))
    print_json(found) if as_json else console.print(picture(found))
    sys.exit(0 if found["ready"] else 1)


async def _watch(env_file: Path | None, every: float) -> None:
    """One picture that changes, or one after the other where there is no terminal."""
    variables = environment.read(env_file)
    if not console.is_interactive:
        while not console.quiet:  # Until whoever reads along is gone.
            console.print(picture(await condition(variables)))
            await asyncio.sleep(every)
        return
    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            found = picture(await condition(variables))
            live.update(Group(found, Text(f"{time.strftime('%H:%M:%S')}, Ctrl-C ends it", style="dim")), refresh=True)
            await asyncio.sleep(every)


def picture(found: Condition) -> RenderableType:
    """Everything, at most 100 columns wide."""
    table = Table()
    table.add_column("service", no_wrap=True)
    table.add_column("ready", no_wrap=True)
    for name in ("lag", "outbox", "parked", "dead letters", "timers due"):
        table.add_column(name, justify="right")
    for each in found["services"]:
        table.add_row(*_row(each))
    return Group(table, *_problems(found), *_ways_on(found["services"]), _batches(found["batches"]))


def _row(service: ServiceCondition) -> Iterator[RenderableType]:
    yield Text(service["service"])
    yield Text("yes", style="green") if service["ready"] else Text("NO", style="bold red")
    yield UNKNOWN if service["lag"] is None else Text(f"{sum(service['lag'].values()):,}")
    yield _heap(service["outbox"])
    yield _heap(service["parked"])
    yield _heap(service["dead_letters"], style="bold red")
    yield _heap(service["timers_due"])


def _heap(heap: Heap | None, style: str = "yellow") -> Text:
    if heap is None:
        return UNKNOWN
    if not heap["number"]:
        return Text("0")
    return Text(f"{heap['number']:,} ({age(heap['oldest_seconds'])})", style=style)


def _problems(found: Condition) -> Iterator[Text]:
    for each in found["services"]:
        for part, reason in each["problems"].items():
            yield Text.assemble((f"{each['service']}, {part}: ", "bold"), printable(reason))
    # Mostly it is the same for all: a token.
    if unknown := next((each["lag_problem"] for each in found["services"] if each["lag_problem"]), None):
        yield Text.assemble(("lag: ", "bold"), printable(unknown))


def _ways_on(services: list[ServiceCondition]) -> Iterator[Text]:
    """Which command tells more about messages that could not be handled."""
    heaps = [heap for each in services for heap in (each["parked"], each["dead_letters"]) if heap]
    if any(heap["number"] for heap in heaps):
        yield Text("Why messages are parked or dead: scriptorium dead-letters list --state all --group")


def _batches(batches: list[BatchesInState] | None) -> RenderableType:
    if batches is None:
        return Text("Where batches are is not known: the batch orchestrator does not say.")
    table = Table()
    table.add_column("batches", no_wrap=True)
    table.add_column("number", justify="right", no_wrap=True)
    table.add_column("longest there", justify="right", no_wrap=True)
    for each in batches:
        seconds = each["oldest_seconds"]
        table.add_row(each["state"], f"{each['number']:,}", age(seconds) if each["number"] and seconds else "")
    return table
