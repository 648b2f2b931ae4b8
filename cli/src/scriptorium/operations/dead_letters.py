"""The dead letters of a running system: see, replay, edit and discard them."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from service_runtime.parked import Reason

from scriptorium.display import say
from scriptorium.operations import letter_tables
from scriptorium.operations.client import Action, Found, Letter, Operator, Service
from scriptorium.operations.editing import in_editor, parsed
from scriptorium.operations.options import AsJson, EnvFile, print_json, run

letters = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="See, replay, edit and discard dead letters.")


class Shown(StrEnum):
    """Which parked messages are listed."""

    DEAD = "dead"
    WAITING = "waiting"
    FAILING = "failing"
    ALL = "all"


def _letter(text: str) -> Letter:
    service, _, position = text.partition("/")
    if service not in list(Service) or not position.isdecimal():
        raise typer.BadParameter(f"{text} is no dead letter; give it as `list` shows it, like essay-lifecycle/42")
    return Letter(Service(service), int(position))


OneLetter = Annotated[Letter, typer.Argument(metavar="LETTER", parser=_letter, help="As listed: essay-lifecycle/42.")]
SomeLetters = Annotated[
    list[Letter] | None, typer.Argument(metavar="LETTER", parser=_letter, help="As listed: essay-lifecycle/42.")
]
Services = Annotated[list[Service] | None, typer.Option("--service", help="Only this service; else all five.")]
Type = Annotated[str | None, typer.Option(help="Only this type of event.")]
ReasonOption = Annotated[Reason | None, typer.Option(help="Only what was parked for this reason.")]
Cause = Annotated[str | None, typer.Option(help="Only what has this cause, as `list --group` shows it.")]
Key = Annotated[str | None, typer.Option(help="Only what is about this id.")]
Since = Annotated[datetime | None, typer.Option(help="Only what was parked from then on (local time).")]
Until = Annotated[datetime | None, typer.Option(help="Only what was parked before (local time).")]
Why = Annotated[str, typer.Option(help="Why you do this; it is recorded.")]
Everything = Annotated[bool, typer.Option("--all", help="All dead letters (of these services).")]


@letters.command("list")
def list_letters(
    *,
    service: Services = None,
    state: Annotated[Shown, typer.Option(help="Dead letters, or what waits or fails and is retried.")] = Shown.DEAD,
    type: Type = None,  # noqa: A002  # the name of the option
    reason: ReasonOption = None,
    cause: Cause = None,
    key: Key = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most so many of each service.")] = 50,
    group: Annotated[bool, typer.Option("--group", help="Count those that share a cause.")] = False,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Show dead letters: where, what and why; never their data."""
    wanted = _filter(type=type, reason=reason, cause=cause, key=key, since=since, until=until)
    wanted |= {} if state is Shown.ALL else {"state": state}

    async def act(operator: Operator) -> None:
        if group:
            found = await operator.groups(service or list(Service), wanted)
        else:
            found = await operator.listed(service or list(Service), wanted, limit)
        if as_json:
            print_json(found.items)
        elif found.items or not found.failures:
            letter_tables.groups(found.items) if group else letter_tables.listed(found.items, limit)
        if found.failures:
            raise found.failures[0]

    run(act, env_file)


@letters.command()
def show(
    letter: OneLetter,
    reveal: Annotated[bool, typer.Option("--reveal", help="Also personal data; that you looked is recorded.")] = False,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Show all about one dead letter."""

    async def act(operator: Operator) -> None:
        found = await operator.show(letter, reveal=reveal)
        print_json(found) if as_json else letter_tables.one(letter, found)

    run(act, env_file)


@letters.command()
def replay(
    letter: SomeLetters = None,
    *,
    why: Why,
    service: Services = None,
    type: Type = None,  # noqa: A002  # the name of the option
    reason: ReasonOption = None,
    cause: Cause = None,
    key: Key = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Handle dead letters once more, in order per key: those named, those that match, or --all."""
    wanted = _filter(type=type, reason=reason, cause=cause, key=key, since=since, until=until)
    _check(letter, wanted, service, everything=everything)

    async def act(operator: Operator) -> None:
        if letter:
            found = await operator.replay(letter, why)
        else:
            matching = {**wanted, "everything": everything}
            found = await operator.act(Action.REPLAY, service or list(Service), matching, why)
        _tell(found, "replayed", as_json=as_json)

    run(act, env_file)


@letters.command()
def edit(
    letter: OneLetter,
    why: Why,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The corrected data; else $EDITOR opens it.")
    ] = None,
    type: Annotated[  # noqa: A002  # the name of the option
        str | None, typer.Option(help="What event it is, for a message whose envelope is unreadable.")
    ] = None,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Correct a dead letter's data and handle it once more; the data as it came is kept in the record of actions."""

    async def act(operator: Operator) -> None:
        data = parsed(file.read_text()) if file else await in_editor(operator, letter)
        await operator.edit(letter, data, why, type)
        print_json({"edited": str(letter)}) if as_json else say(f"{letter} is corrected and replayed.")

    run(act, env_file)


@letters.command()
def discard(
    letter: SomeLetters = None,
    *,
    why: Why,
    service: Services = None,
    type: Type = None,  # noqa: A002  # the name of the option
    reason: ReasonOption = None,
    cause: Cause = None,
    key: Key = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    as_json: AsJson = False,
    env_file: EnvFile = None,
) -> None:
    """Give dead letters up, named or as for `replay`; all of them is kept in the record of actions."""
    wanted = _filter(type=type, reason=reason, cause=cause, key=key, since=since, until=until)
    _check(letter, wanted, service, everything=everything)

    async def act(operator: Operator) -> None:
        if letter:
            await _discard(operator, letter, why, as_json=as_json)
        else:
            matching = {**wanted, "everything": everything}
            found = await operator.act(Action.DISCARD, service or list(Service), matching, why)
            _tell(found, "discarded", as_json=as_json)

    run(act, env_file)


async def _discard(operator: Operator, letters: list[Letter], why: str, *, as_json: bool) -> None:
    """Give these up, one after the other, and tell how far that came."""
    done: list[dict[str, str]] = []
    try:
        for each in letters:
            await operator.discard(each, why)
            done.append({"discarded": str(each)})
            if not as_json:
                say(f"{each} is discarded; its bytes are in operator_actions.")
    finally:
        if as_json:
            print_json(done)


def _check(
    letter: list[Letter] | None, wanted: dict[str, str], service: list[Service] | None, *, everything: bool
) -> None:
    if letter and (wanted or service or everything):
        raise typer.BadParameter("name letters, or say which by options, not both")
    if not (letter or wanted or everything):
        raise typer.BadParameter("name letters, say which by options, or --all")


def _tell(found: Found, done: str, *, as_json: bool) -> None:
    print_json(found.items) if as_json else letter_tables.counted(found.items, done)
    if found.failures:
        raise found.failures[0]


def _filter(*, since: datetime | None, until: datetime | None, **wanted: str | None) -> dict[str, str]:
    times = {name: each.astimezone().isoformat() for name, each in (("since", since), ("until", until)) if each}
    return {name: str(value) for name, value in wanted.items() if value} | times
