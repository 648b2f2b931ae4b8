"""The commands. Start reading here; `system.py` runs the services, `submission.py` does the teacher's job."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from local_stack import LocalStackError
from service_runtime.auth import Role, issue

from scriptorium import display, environment
from scriptorium.display import console
from scriptorium.environment import SECRET, Credentials, Databases
from scriptorium.errors import CommandFailed
from scriptorium.migrations import migrate_all
from scriptorium.signals import end_in_order
from scriptorium.system import Ports, running_system

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help=__doc__)

WrittenBefore = Annotated[
    Path | None,
    typer.Option("--env-file", exists=True, dir_okay=False, help="Variables that `scriptorium up` wrote."),
]


@app.command()
def up(
    data: Annotated[Path | None, typer.Option(help="Keep everything in this folder.", file_okay=False)] = None,
    env_file: Annotated[Path | None, typer.Option(help="Write addresses and secret here when all is ready.")] = None,
    ports: Annotated[Ports, typer.Option(help="usual: 8001 to 8005 where free; fixed: those or none.")] = Ports.USUAL,
) -> None:
    """Run the whole system until Ctrl-C or SIGTERM."""
    end_in_order(status=0)
    started = time.monotonic()
    if env_file:
        env_file.unlink(missing_ok=True)  # Whoever waits for it must not see an old one.
    with running_system(data, ports, display.say) as system:
        if env_file:
            environment.write(env_file, system.variables)
        console.print(display.addresses(system, env_file))
        display.say(f"Ready after {time.monotonic() - started:.1f} s. Ctrl-C or SIGTERM ends it.")
        system.watch(display.say)


@app.command()
def token(
    sub: Annotated[str, typer.Option(help="Who the caller is, for a teacher their teacher_id.")],
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    hours: Annotated[float, typer.Option(min=0.001, help="How long it is valid.")] = 12,
    env_file: WrittenBefore = None,
) -> None:
    """Print a bearer token, signed with SCRIPTORIUM_JWT_SECRET."""
    secret = environment.read(Credentials, env_file).scriptorium_jwt_secret.get_secret_value()
    typer.echo(issue(secret, sub, role, hours * 3600))


@app.command()
def migrate(env_file: WrittenBefore = None) -> None:
    """Bring all five databases to the newest version and create the topics."""
    migrate_all(environment.read(Databases, env_file), display.say)


def run() -> None:
    """The entry point: what goes wrong is said in a sentence."""
    try:
        app()
    except (CommandFailed, LocalStackError) as error:
        sys.exit(f"scriptorium: {error}")
    except OSError as error:
        sys.exit(f"scriptorium: {error.strerror or error}: {error.filename}" if error.filename else f"scriptorium: {error}")
