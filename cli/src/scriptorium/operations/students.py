"""One student's data: find the student, save a copy of all of it, erase it everywhere."""

import asyncio
import json
import time
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from scriptorium.display import console, say
from scriptorium.errors import NotErasedYet
from scriptorium.operations.client import Operator
from scriptorium.operations.options import AsJson, EnvFile, print_json, run
from scriptorium.operations.words import printable

PAUSE_SECONDS = 0.25
LONGEST_NAME = 60
"""Characters of a file's name that are kept: in UTF-8, no more bytes than a file system takes."""

students = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Find a student, save a copy of their data, erase them."
)

ClassId = Annotated[UUID, typer.Argument(help="The class, as `find` shows it.")]
StudentId = Annotated[UUID, typer.Argument(help="The student, as `find` shows them.")]


@students.command()
def find(
    text: Annotated[str, typer.Argument(help="A part of the name or the e-mail.")],
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Show who is in a class under this name or e-mail; who has left a class is known by id only."""

    async def act(operator: Operator) -> None:
        found = [
            {"class_id": each["class_id"], "class": each["name"], **student}
            for each in await operator.classes()
            for student in each["students"]
            if text.casefold() in " ".join(filter(None, (_name(student), student["email"]))).casefold()
        ]
        print_json(found) if as_json else _table(found)

    run(act, env_file)


@students.command()
def export(
    class_id: ClassId,
    student_id: StudentId,
    to: Annotated[Path | None, typer.Option(help="A new folder; else student-STUDENT_ID here.")] = None,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Save a copy of all that is kept about a student: `data.json`, and the files as they were uploaded."""
    folder = to or Path(f"student-{student_id}")
    if folder.exists():
        raise typer.BadParameter(f"{folder} is there already; name a new folder with --to")

    async def act(operator: Operator) -> None:
        data = await operator.student_data(class_id, student_id)
        folder.mkdir(mode=0o700, parents=True)
        (folder / "data.json").write_text(json.dumps(data, indent=2, ensure_ascii=False), encoding="utf-8")
        saved, missing = ["data.json"], []
        for number, (batch_id, file) in enumerate(_files(data), 1):
            content = await operator.original(batch_id, file["file_upload_id"])
            name = _safe(number, file["original_file_name"])
            if content is None:
                missing.append(name)
            else:
                (folder / name).write_bytes(content)
                saved.append(name)
        if as_json:
            print_json({"folder": str(folder), "saved": saved, "missing": missing})
            return
        for name in missing:
            say(f"{name} is not kept any more.")
        say(f"{len(saved)} files are in {folder}.")

    run(act, env_file)


@students.command()
def erase(
    class_id: ClassId,
    student_id: StudentId,
    *,
    why: Annotated[str, typer.Option(help="Why you do this; it is recorded.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="How many seconds the services may take.")] = 60,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Erase a student from all services, for ever; asks first; 0 only when every service has done so."""

    async def act(operator: Operator) -> None:
        if not yes:
            who = _who(await operator.school_class(class_id), student_id)
            typer.confirm(f"Erase {who} from all services? There is no way back.", abort=True, err=True)
        erasure = await operator.erase_student(class_id, student_id, why)
        erasure = await _followed(operator, erasure, timeout, quiet=as_json)
        if as_json:
            print_json(erasure)
        if not erasure["complete"]:
            raise NotErasedYet(erasure["erasure_id"], erasure["waits_for"])

    run(act, env_file)


async def _followed(operator: Operator, erasure: dict[str, Any], seconds: float, *, quiet: bool) -> dict[str, Any]:
    """The erasure when it is complete, or as it is after so many seconds; each answer is told as it comes."""
    until = time.monotonic() + seconds
    told: set[str] = set()
    while True:
        for service, number in erasure["erased"].items():
            if service not in told and not quiet:
                say(f"{service} has erased the student: {number} essays or files.")
            told.add(service)
        if erasure["complete"] or time.monotonic() > until:
            break
        await asyncio.sleep(PAUSE_SECONDS)
        erasure = await operator.erasure(UUID(erasure["class_id"]), UUID(erasure["student_id"]))
    if erasure["complete"] and not quiet:
        say("The student is erased from all services. What is left to do is in docs/operations.md, A student's data.")
    return erasure


def _who(school_class: dict[str, Any], student_id: UUID) -> str:
    for each in school_class["students"]:
        if each["student_id"] == str(student_id):
            return printable(f"{_name(each)} ({each['email'] or 'no e-mail'}) of class {school_class['name']}")
    return printable(f"student {student_id}, who is not in class {school_class['name']} any more,")


def _name(student: dict[str, Any]) -> str:
    names = f"{student['first_name']} {student['last_name']}".strip()
    legal = student["legal_full_name"]
    return f"{names} ({legal})" if legal else names


def _files(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(essay["batch_id"], file) for essay in data["essays"] for file in essay["files"]]


def _safe(number: int, name: str) -> str:
    """A name that is one file of the folder, whatever somebody called it."""
    return f"{number:02}-{printable(PurePosixPath(name).name)[-LONGEST_NAME:]}"


def _table(found: list[dict[str, Any]]) -> None:
    if not found:
        say("There is nobody.")
        return
    table = Table()
    for name in ("class", "student"):
        table.add_column(name, no_wrap=True)
    table.add_column("who", overflow="fold")
    for each in found:
        who = [_name(each), each["email"], f"class {each['class']}"]
        table.add_row(each["class_id"], each["student_id"], printable(", ".join(filter(None, who))))
    console.print(table)
