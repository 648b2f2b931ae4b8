"""Where batches are, for how long, and why one waits."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import typer
from common_core.status_enums import BatchStatus
from rich.table import Table

from scriptorium.display import console, say
from scriptorium.operations.client import Operator
from scriptorium.operations.options import AsJson, EnvFile, print_json, run, seconds
from scriptorium.operations.words import age

States = Annotated[
    list[BatchStatus] | None, typer.Option("--state", help="Only this state, may be repeated; else all that are open.")
]

OlderThan = Annotated[
    int | None,
    typer.Option(metavar="DURATION", parser=seconds, help="Only those that long in their state: 90s, 15m, 2h, 3d."),
]


def list_batches(
    state: States = None,
    older_than: OlderThan = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Show batches with their state and for how long they have been in it, the longest first."""

    async def act(operator: Operator) -> None:
        found = await operator.batches(state or (), older_than or 0, limit)
        if as_json:
            print_json(found)
            return
        _table(found)
        if len(found) == limit:
            say(f"There may be more than these {limit}: --limit shows them.")

    run(act, env_file)


def why(batch_id: Annotated[UUID, typer.Argument()], as_json: AsJson = False, env_file: EnvFile = None) -> None:
    """Say in one sentence what a batch waits for and since when."""

    async def act(operator: Operator) -> None:
        found = await operator.why(batch_id)
        print_json(found) if as_json else say(found["why"])

    run(act, env_file)


def _table(batches: Sequence[dict[str, Any]]) -> None:
    if not batches:
        say("There are none.")
        return
    table = Table()
    for name in ("batch", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("for", "essays"):
        table.add_column(name, justify="right", no_wrap=True)
    for each in batches:
        table.add_row(
            each["batch_id"], each["status"], age(each["seconds_in_state"]), str(each["expected_essay_count"])
        )
    console.print(table)
