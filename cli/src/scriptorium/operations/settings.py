"""The settings of this environment."""

import sys
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from scriptorium import environment
from scriptorium.display import console, say
from scriptorium.operations import variables
from scriptorium.operations.options import AsJson, EnvFile, print_json
from scriptorium.operations.variables import Setting, inspect
from scriptorium.operations.words import printable


def settings(
    only_set: Annotated[bool, typer.Option("--set", help="Only those that are set, or wrong.")] = False,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Show every setting as this environment has it, secrets masked; 1 when one is wrong or unknown."""
    found = inspect(environment.read(env_file))
    shown = [each for each in found["settings"] if each["value"] or each["problem"] or not only_set]
    wrong = [each for each in shown if each["problem"]]
    if as_json:
        print_json({**found, "settings": shown})
    else:
        console.print(_table(shown))
        for each in wrong:
            say(f"{each['variable']}: {printable(each['problem'] or '')}; correct it")
        for unknown in found["unknown"]:
            meant = f"did you mean {unknown['meant']}?" if unknown["meant"] else "remove it, or see docs/operations.md"
            say(f"{printable(unknown['variable'])} is read by nobody; {meant}")
    sys.exit(1 if wrong or found["unknown"] else 0)


def _table(found: Iterable[Setting]) -> Table:
    table = Table()
    table.add_column("variable", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("read by", no_wrap=True)
    for each in found:
        read_by = "" if each["read_by"] == variables.SHARED else each["read_by"].removesuffix("_service")
        table.add_row(Text(each["variable"]), _value(each), Text(read_by))
    return table


def _value(setting: Setting) -> Text:
    if setting["value"] is not None:
        return Text(printable(setting["value"]), style="bold red" if setting["problem"] else "bold")
    if setting["problem"]:
        return Text("not set", style="bold red")
    default = setting["default"]
    if default is None:
        return Text("not set", style="dim")
    return Text(f"{default or 'empty'} (default)", style="dim")
