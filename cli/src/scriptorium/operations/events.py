"""What is said on the topics, as it is said."""

import asyncio
import json
import select
import sys
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from typing import Annotated

import typer
from common_core.events import Event, Topic
from rich.text import Text
from service_runtime import RuntimeSettings

from scriptorium import environment
from scriptorium.broker import reaching
from scriptorium.display import console
from scriptorium.operations.options import EnvFile
from scriptorium.operations.records import RecordView, view
from scriptorium.operations.tailing import full_names, records
from scriptorium.operations.words import printable, time_of
from scriptorium.signals import ending_in_order

events = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Read what is said on the topics.")

MOST_CHARACTERS = 2_000
"""Of one record's data; --json shows all."""

type Wanted = Callable[[RecordView], bool]
type Print = Callable[[RecordView], None]

Topics = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TOPIC",
        autocompletion=lambda: list(Topic),
        help="Ours without the prefix, or any other; else all of ours.",
    ),
]
Type = Annotated[
    str | None, typer.Option(autocompletion=lambda: list(Event.types), help="Only this type, such as `unreadable`.")
]


@events.command()
def tail(
    topic: Topics = None,
    *,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Also what was said before.")] = False,
    type: Type = None,  # noqa: A002  # the name of the option
    key: Annotated[str | None, typer.Option(help="Only what is about this id.")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="End after so many.")] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Also personal data; Kafka is asked directly, so nothing records it.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one line of JSON each.")] = False,
    env_file: EnvFile = None,
) -> None:
    """Show events as they are said, until Ctrl-C; what cannot be decoded with the reason."""
    settings = environment.runtime_settings(environment.read(env_file))
    names = full_names(topic or (), settings.topic_prefix)

    def wanted(record: RecordView) -> bool:
        return type in (None, record["type"]) and key in (None, record["key"])

    show = _json_line if as_json else _text
    with ending_in_order(status=0), suppress(BrokenPipeError), reaching(settings):
        asyncio.run(_tail(settings, names, wanted, show, count, from_beginning=from_beginning, reveal=reveal))


async def _tail(
    settings: RuntimeSettings,
    names: Sequence[str],
    wanted: Wanted,
    show: Print,
    count: int | None,
    *,
    from_beginning: bool,
    reveal: bool,
) -> None:
    shown = 0
    async with aclosing(records(settings, names, from_beginning=from_beginning)) as coming:
        async for record in coming:
            if record is None:
                if _nobody_reads():
                    return
                continue
            found = view(record, record.timestamp, Event.types, reveal=reveal)
            if wanted(found):
                shown += 1
                show(found)
                if shown == count:
                    return


def _nobody_reads() -> bool:
    """Whether the program behind a pipe has ended, as `head` does."""
    try:
        poll = select.poll()
        poll.register(sys.stdout, select.POLLERR)
    except OSError:  # No file at all: a test.
        return False
    return console.quiet or any(state & select.POLLERR for _, state in poll.poll(0))


def _json_line(record: RecordView) -> None:
    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _text(record: RecordView) -> None:
    at = time_of(record["at"]) if record["at"] else "at no time"
    where = f"{record['topic']} {record['partition']}/{record['offset']}"
    console.print(Text.assemble(f"{at}  {where}  ", (printable(record["type"]), "bold")), soft_wrap=True)
    envelope = f", from {record['source']}, correlation {record['correlation_id']}" if record["source"] else ""
    console.print(Text(printable(f"  key {record['key']}{envelope}"), style="dim"), soft_wrap=True)
    if record["problem"]:
        console.print(Text(f"  undecodable: {printable(record['problem'])}", style="red"), soft_wrap=True)
    data = printable(json.dumps(record["data"], ensure_ascii=False))
    left_out = f" … {len(data):,} characters, --json shows all" if len(data) > MOST_CHARACTERS else ""
    console.print(Text(f"  {data[:MOST_CHARACTERS]}{left_out}"), soft_wrap=True)
