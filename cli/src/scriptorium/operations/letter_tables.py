"""Dead letters as an operator sees them; everything fits 100 columns."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from scriptorium.display import console, say
from scriptorium.operations.client import Letter
from scriptorium.operations.words import time_of


def listed(items: Sequence[Mapping[str, Any]], limit: int) -> None:
    """Print where parked messages are, what they are and why they wait; at most `limit` of each service."""
    if not items:
        say("There are none.")
        return
    table = Table(show_lines=True)
    table.add_column("letter", no_wrap=True)
    table.add_column("message", no_wrap=True)
    table.add_column("why", overflow="fold")
    for each in items:
        where = f"{each['letter']}\n{time_of(each['parked_at'])}"
        table.add_row(Text(where), Text(f"{each['type']}\n{each['key']}"), Text(_why(each)))
    console.print(table)
    if cut := [service for service, number in Counter(map(_service, items)).items() if number == limit]:
        say(f"There may be more than these {limit} of {', '.join(cut)}: --limit shows them, --group counts all.")


def groups(items: Sequence[Mapping[str, Any]]) -> None:
    """Print how many share a cause."""
    if not items:
        say("There are none.")
        return
    table = Table(show_lines=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("service, type", no_wrap=True)
    table.add_column("first, last", no_wrap=True)
    table.add_column("cause", overflow="fold")
    for each in items:
        times = f"{time_of(each['first'])}\n{time_of(each['last'])}"
        cause = f"{each['state']}, {each['reason']}: {each['cause']}\nthe first is {each['service']}/{each['example']}"
        table.add_row(str(each["count"]), Text(f"{each['service']}\n{each['type']}"), Text(times), Text(cause))
    console.print(table)


def one(letter: Letter, found: Mapping[str, Any]) -> None:
    """Print everything about a parked message."""
    for name, value in found.items():
        if name != "data" and value is not None:
            say(f"  {name:<12}{time_of(value) if name.endswith('_at') else value}")
    say(f"{letter} says:")
    say(json.dumps(found["data"], indent=2, ensure_ascii=False))


def counted(items: Sequence[Mapping[str, Any]], done: str) -> None:
    """Print how many were `replayed` or `discarded`."""
    total = sum(each[done] for each in items)
    by_service = ", ".join(f"{each[done]} in {each['service']}" for each in items if each[done])
    if not total:
        say(f"None {done}: no dead letter is like that (any more).")
        return
    say(f"{total} {done} ({by_service}).")
    if done == "replayed":
        say("Any that cannot be handled is soon parked again: `scriptorium dead-letters list --state all` shows it.")


def _why(message: Mapping[str, Any]) -> str:
    if message["behind"] is not None:
        return f"waits behind {_service(message)}/{message['behind']}"
    return f"{message['state']}, {message['reason']}: {message['error']}"


def _service(message: Mapping[str, Any]) -> str:
    service: str = message["letter"].split("/")[0]
    return service
