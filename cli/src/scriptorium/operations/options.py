"""What an operator's commands have in common: options, whom they ask, and JSON for programs."""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from scriptorium import environment
from scriptorium.operations.client import Operator, acting

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION = re.compile(r"(\d{1,9})([smhd])")

type Act = Callable[[Operator], Awaitable[None]]


def seconds(text: str) -> int:
    """A span of time as an operator writes it: 90s, 15m, 2h, 3d."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise typer.BadParameter(f"{text} is not a number and s, m, h or d, such as 90s, 15m, 2h or 3d")
    return int(found[1]) * UNITS[found[2]]


EnvFile = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="What `scriptorium up` or `make up` wrote; else the environment."),
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def run(act: Act, env_file: Path | None) -> None:
    """Do this as an operator of the system that the variables name."""

    async def acted() -> None:
        async with acting(environment.read(env_file)) as operator:
            await act(operator)

    asyncio.run(acted())


def print_json(found: object) -> None:
    """One document."""
    sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
