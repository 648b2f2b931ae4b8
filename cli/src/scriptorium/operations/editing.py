"""A dead letter's data in the operator's editor."""

import asyncio
import json
import os
import shlex
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scriptorium.errors import CommandFailed
from scriptorium.operations.client import Letter, Operator


class NothingEdited(CommandFailed):
    """There is no corrected data."""

    def __init__(self) -> None:
        super().__init__("nothing was changed, so nothing was replayed", "change the data, or use `replay`")


class NoEditor(CommandFailed):
    """There is nothing to correct the data with."""

    def __init__(self) -> None:
        super().__init__("EDITOR names no program", "set it, or give the corrected data with --file FILE")


class NotData(CommandFailed):
    """What should be an event's data is no JSON object."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the data is not a JSON object ({reason})", "correct it and try again")


async def in_editor(operator: Operator, letter: Letter) -> dict[str, Any]:
    """A dead letter's data as somebody corrected it; raises NoEditor, NothingEdited or NotData."""
    editor = _editor()
    before = json.dumps((await operator.show(letter, reveal=True))["data"], indent=2, ensure_ascii=False)
    # The folder is its owner's alone: the data is personal.
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"{letter.service}-{letter.position}.json"
        await asyncio.to_thread(file.write_text, before)
        process = await asyncio.create_subprocess_exec(*editor, file)
        await process.wait()
        after = await asyncio.to_thread(file.read_text)
    if process.returncode or after.strip() == before.strip():
        raise NothingEdited
    return parsed(after)


def _editor() -> list[str]:
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    if not command or not shutil.which(command[0]):
        raise NoEditor
    return command


def parsed(text: str) -> dict[str, Any]:
    """Data out of JSON; raises NotData."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise NotData(str(error)) from error
    if not isinstance(data, dict):
        raise NotData(f"it is a {type(data).__name__}")
    return data
