"""The `scriptorium` command, run as a program of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = Path(sys.executable).with_name("scriptorium")


@dataclass(frozen=True)
class Ended:
    """How the command ended, and what it printed."""

    status: int
    printed: str
    errors: str


async def started(variables: Mapping[str, str], *arguments: str) -> Process:
    """The command at work, with these variables."""
    environment = {**os.environ, **variables}
    return await asyncio.create_subprocess_exec(COMMAND, *arguments, env=environment, stdout=PIPE, stderr=PIPE)


async def ended(variables: Mapping[str, str], *arguments: str) -> Ended:
    """The command, once it has ended within a minute."""
    process = await started(variables, *arguments)
    async with asyncio.timeout(60):
        printed, errors = await process.communicate()
    return Ended(process.returncode or 0, printed.decode(), errors.decode())


async def scriptorium(variables: Mapping[str, str], *arguments: str) -> str:
    """What the command prints; an error fails the test."""
    found = await ended(variables, *arguments)
    assert found.status == 0, found.errors
    return found.printed
