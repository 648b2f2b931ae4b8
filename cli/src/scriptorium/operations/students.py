"""One student's data: find the student, save a copy of all of it, erase it everywhere."""

import asyncio
import json
import time
import unicodedata
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Any
from uuid import UUID

import typer

from scriptorium.display import say
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
    """Show who is in a class under this name or e-mail.

    Accents do not matter. Who has left a class is known by id only.
    """

    async def act(operator: Operator) -> None:
        found = [
            {"class_id": each["class_id"], "class": each["name"], "teacher_id": each["teacher_id"], **student}
            for each in await operator.classes()
            for student in each["students"]
            if _folded(text) in _folded(_person(student))
        ]
        print_json(found) if as_json else _tell(found, text)

    run(act, env_file)


@students.command()
def export(
    class_id: ClassId,
    student_id: StudentId,
    to: Annotated[Path | None, typer.Option(help="A new folder; else student-STUDENT_ID here.")] = None,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Save a copy of all that is kept about a student.

    The folder gets `data.json`, and the files as they were uploaded.
    """
    folder = to or Path(f"student-{student_id}")
    if folder.exists():
        raise typer.BadParameter(f"{folder} is there already; name a new folder with --to")

    async def act(operator: Operator) -> None:
        data = await operator.student_data(class_id, student_id)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Half a copy would pass for a whole one, and be in the way of the next.
        with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
            whole = Path(name) / folder.name
            whole.mkdir(mode=0o700)
            saved, missing = await _saved(operator, data, whole)
            whole.rename(folder)
        if as_json:
            print_json({"folder": str(folder), "saved": saved, "missing": missing})
            return
        for name in missing:
            say(f"{name} is not kept any more.")
        say(f"Saved in {folder}: data.json, uploaded files: {len(saved) - 1}.")

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
    """Erase a student from all services, for ever; 1 while one has not answered.

    It asks first. The same command again shows how far it is.
    """

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


async def _saved(operator: Operator, data: dict[str, Any], folder: Path) -> tuple[list[str], list[str]]:
    """Save a copy to this folder; the files that are in it, and those that are not kept any more."""
    (folder / "data.json").write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    saved, missing = ["data.json"], []
    for number, (batch_id, file) in enumerate(_files(data), 1):
        content = await operator.original(batch_id, file["file_upload_id"])
        name = _safe(number, file["original_file_name"])
        if content is None:
            missing.append(name)
        else:
            (folder / name).write_bytes(content)
            saved.append(name)
    return saved, missing


async def _followed(operator: Operator, erasure: dict[str, Any], seconds: float, *, quiet: bool) -> dict[str, Any]:
    """The erasure when it is complete, or as it is after so many seconds; each answer is told as it comes."""
    until = time.monotonic() + seconds
    told: set[str] = set()
    while True:
        for service, number in erasure["erased"].items():
            if service not in told and not quiet:
                say(f"{service} has erased the student; essays or files: {number}.")
            told.add(service)
        if erasure["complete"] or time.monotonic() > until:
            break
        await asyncio.sleep(PAUSE_SECONDS)
        erasure = await operator.erasure(UUID(erasure["class_id"]), UUID(erasure["student_id"]))
    if erasure["complete"] and not quiet:
        say("The student is erased from all services. What is left to do is in docs/operations.md, A student's data.")
    return erasure


def _who(school_class: dict[str, Any], student_id: UUID) -> str:
    of_class = f"of class {school_class['name']} of {school_class['teacher_id']}"
    for each in school_class["students"]:
        if each["student_id"] == str(student_id):
            return printable(f"{_person(each)}, {of_class}")
    return printable(f"student {student_id}, who is not on the roster {of_class},")


def _person(student: dict[str, Any]) -> str:
    """Names and e-mail; the legal name only where it is another."""
    name = f"{student['first_name']} {student['last_name']}".strip()
    legal = student["legal_full_name"] if student["legal_full_name"] != name else None
    return ", ".join(filter(None, (f"{name} ({legal})" if legal else name, student["email"])))


def _folded(text: str) -> str:
    """Text without capitals and accents, however these were typed."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _files(data: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(essay["batch_id"], file) for essay in data["essays"] for file in essay["files"]]


def _safe(number: int, name: str) -> str:
    """A name that is one file of the folder, whatever somebody called it."""
    return f"{number:02}-{printable(PurePosixPath(name).name)[-LONGEST_NAME:]}"


def _tell(found: list[dict[str, Any]], text: str) -> None:
    for each in found:
        say(printable(f"{_person(each)}, class {each['class']} of {each['teacher_id']}"))
        say(f"  {each['class_id']} {each['student_id']}")
    if found:
        say("Below each: the class and the student, as `export` and `erase` take them.")
    else:
        say(printable(f"Nobody who is in a class has {text} in name or e-mail."))
