"""The `scriptorium` command: the whole system on this machine, a teacher's main job, and an operator's tools."""

# Start reading here; `system.py` runs the services, `submission.py` does the main job.

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from common_core.status_enums import CourseCode
from local_stack import LocalStackError
from service_runtime.auth import Role

from scriptorium import demonstration, display, environment, migrations
from scriptorium.client import connected
from scriptorium.display import following, say
from scriptorium.environment import SERVICES, Variables
from scriptorium.errors import CommandFailed
from scriptorium.gateway import Target, pass_on, target
from scriptorium.migrations import prepare_topics
from scriptorium.operations import batches, dead_letters, events, settings, status, students, topics
from scriptorium.operations.options import EnvFile
from scriptorium.signals import ending_in_order
from scriptorium.submission import Order, Outcome, Submission, files_in
from scriptorium.system import Ports, running_system

TEACHER = "demo-teacher"
app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help=__doc__, context_settings={"max_content_width": 120}
)

Roster = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="The class: CSV with the header first_name,last_name,email."),
]


@app.command()
def up(
    data: Annotated[Path | None, typer.Option(file_okay=False, help="Keep everything in this folder.")] = None,
    env_file: Annotated[Path | None, typer.Option(help="Write addresses and secret here when all is ready.")] = None,
    ports: Annotated[Ports, typer.Option(help="usual: 8001 to 8005 where free; fixed: those or none.")] = Ports.USUAL,
) -> None:
    """Run the whole system until Ctrl-C or SIGTERM."""
    started = time.monotonic()
    if env_file:
        env_file.parent.mkdir(parents=True, exist_ok=True)
        env_file.unlink(missing_ok=True)  # Whoever waits for it must not see an old one.
    with ending_in_order(status=0) as check, running_system(data, ports, say) as system:
        check()
        with environment.written(env_file, system.variables):
            display.show_addresses(system, env_file)
            say(f"Ready after {time.monotonic() - started:.1f} s. Ctrl-C or SIGTERM ends it.")
            system.watch(say)


@app.command()
def demo(
    essays: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="Your own essays (txt, docx, odt, rtf, pdf), with --roster."),
    ] = None,
    roster: Roster = None,
    env_file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Use the system that runs already, not a new one.")
    ] = None,
) -> None:
    """Take the examples, or your own essays, through the whole system, which is started for it."""
    if (essays is None) != (roster is None):
        raise typer.BadParameter("your own files need both --essays FOLDER and --roster FILE")
    orders = demonstration.own(essays, roster) if essays and roster else demonstration.examples()
    with ending_in_order(), _system_to_show(env_file) as (variables, folder):
        outcomes = _submit(variables, TEACHER, orders)
        for outcome in outcomes:
            display.show_outcome(outcome)
        if not essays:
            outcomes += _submit(variables, TEACHER, [demonstration.hundred(folder / "class-of-100")])
            display.show_figures(outcomes[-1])
    sys.exit(_status(outcomes))


@app.command()
def submit(
    folder: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The essays: txt, docx, odt, rtf, pdf.")],
    roster: Roster = None,
    guest: Annotated[bool, typer.Option("--guest", help="No class: a GUEST batch.")] = False,
    course: Annotated[CourseCode, typer.Option(help="The course the essays were written in.")] = CourseCode.ENG5,
    class_name: Annotated[str | None, typer.Option(help="What the class is called; else as the folder.")] = None,
    expected: Annotated[int | None, typer.Option(min=1, max=500, help="How many essays; else one per file.")] = None,
    sub: Annotated[str, typer.Option(help="Who the teacher is.")] = TEACHER,
    timeout: Annotated[float, typer.Option(min=1, help="How many seconds it may take.")] = 120,
    env_file: EnvFile = None,
) -> None:
    """Take a folder of essays through a running system, as their teacher; 0 only when the batch is ready.

    Suggestions are accepted; for essays without one the teacher says: none of my students.
    """
    if guest == (roster is not None):
        raise typer.BadParameter("say who is in the class with --roster FILE, or that there is none with --guest")
    order = Order(
        "GUEST batch" if guest else "REGULAR batch",
        files_in(folder, but=roster),
        course,
        roster,
        class_name or folder.resolve().name,
        expected,
        patience=timeout,
    )
    with ending_in_order():
        outcomes = _submit(environment.read(env_file), sub, [order])
    display.show_outcome(outcomes[0])
    sys.exit(_status(outcomes))


@app.command()
def token(
    sub: Annotated[str, typer.Option(help="Who the caller is; for a teacher their teacher_id.")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    hours: Annotated[float, typer.Option(min=0.001, help="How long it is valid.")] = 12,
    env_file: EnvFile = None,
) -> None:
    """Print a bearer token, signed with SCRIPTORIUM_JWT_SECRET."""
    typer.echo(environment.issue(environment.read(env_file), sub, role, hours * 3600))


@app.command()
def migrate(env_file: EnvFile = None) -> None:
    """Bring all five databases to the newest version and create the topics."""
    variables = environment.read(env_file)
    prepare_topics(variables)
    say("The topics are there.")
    for member in SERVICES:
        migrations.migrate(member, variables)
        say(f"The database of the {member.title} is at its newest version.")


@app.command()
def gateway(
    targets: Annotated[list[Target], typer.Argument(metavar="PORT=HOST:PORT...", parser=target)],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Pass connections to fixed ports on to services of which several processes may run; until SIGTERM."""
    with ending_in_order(status=0):
        asyncio.run(pass_on(targets, host))


app.command()(status.status)
app.command("batches")(batches.list_batches)
app.command()(batches.why)
app.command()(topics.topics)
app.command()(settings.settings)
app.add_typer(events.events, name="events")
app.add_typer(dead_letters.letters, name="dead-letters")
app.add_typer(students.students, name="students")


def run() -> None:
    """The entry point: what goes wrong is said in a sentence or two."""
    try:
        app()
    except (CommandFailed, LocalStackError) as error:
        sys.exit(f"scriptorium: {error}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        sys.exit(f"scriptorium: {where}{error.strerror or error}")


@contextmanager
def _system_to_show(env_file: Path | None) -> Iterator[tuple[Variables, Path]]:
    """The system that runs already, or a new one; and a folder that is removed at the end."""
    if env_file:
        with tempfile.TemporaryDirectory(prefix="scriptorium-") as folder:
            yield environment.read(env_file), Path(folder)
    else:
        with running_system(None, Ports.FREE, say) as system:
            yield system.variables, system.stack.folder


def _submit(variables: Variables, sub: str, orders: Sequence[Order]) -> list[Outcome]:
    """Take these batches through the system at the same time."""
    lifetime = max(order.patience for order in orders) + 60
    bearer = environment.issue(variables, sub, [Role.TEACHER], lifetime)

    async def all_of_them() -> list[Outcome]:
        async with connected(variables, bearer) as client:
            with following() as report:
                return await asyncio.gather(*(Submission(client, order, report).run() for order in orders))

    return asyncio.run(all_of_them())


def _status(outcomes: Sequence[Outcome]) -> int:
    unready = [outcome.title for outcome in outcomes if not outcome.ready]
    say(f"Not ready: {', '.join(unready)}." if unready else "Everything is ready.")
    return 1 if unready else 0
