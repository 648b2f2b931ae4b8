"""What the user sees: live where there is a terminal, otherwise one line per change."""

import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scriptorium.submission import Outcome, Progress
from scriptorium.system import System

COLUMNS = 100
MANY = 60
"""Of more files only the numbers are told."""

SECONDS_BETWEEN_NUMBERS = 0.5

console = Console(highlight=False)
if not console.is_terminal:
    console = Console(highlight=False, width=COLUMNS)


def say(line: str) -> None:
    """One line, as long as it is."""
    console.print(line, markup=False, soft_wrap=True)


def show_addresses(system: System, env_file: Path | None) -> None:
    """Print where everything is."""
    table = Table.grid(padding=(0, 3))
    for service in system.services:
        table.add_row(f"  {service.member.title}", service.url)
    table.add_row("  Kafka", system.stack.kafka_bootstrap_servers)
    table.add_row("  PostgreSQL", system.stack.postgres_url("…"))
    table.add_row("  logs", str(system.logs))
    if env_file:
        table.add_row("  env file", str(env_file))
    console.print(table)


class Board:
    """Follows batches while the `with` block lasts."""

    def __init__(self) -> None:
        self._batches: dict[str, Progress] = {}
        self._said: dict[tuple[str, str], str] = {}
        self._counted_at = 0.0
        self._live = Live(console=console, transient=True, refresh_per_second=8) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def report(self, progress: Progress) -> None:
        """Show how far a batch is."""
        self._batches[progress.title] = progress
        if self._live:
            self._live.update(self._picture())
        else:
            self._say_changes(progress)

    def _picture(self) -> RenderableType:
        lines = sum(len(each.essays) + 2 for each in self._batches.values())
        return Group(*(_picture(each, numbers_only=lines > console.height) for each in self._batches.values()))

    def _say_changes(self, progress: Progress) -> None:
        now = {"": progress.status}
        if len(progress.essays) <= MANY:
            now |= {f"{name}: ": what for name, what in progress.essays.items()}
        elif time.monotonic() - self._counted_at >= SECONDS_BETWEEN_NUMBERS:
            now |= {"files: ": _numbers(progress.essays.values())}
            self._counted_at = time.monotonic()
        for what, state in now.items():
            if self._said.get((progress.title, what)) != state:
                self._said[progress.title, what] = state
                say(f"{progress.title}  {what}{state}")


def _picture(progress: Progress, *, numbers_only: bool) -> RenderableType:
    head = Text.assemble((progress.title, "bold"), "  ", (progress.status, "cyan"))
    if numbers_only:
        return Group(head, Text(f"  {_numbers(progress.essays.values())}"))
    table = Table.grid(padding=(0, 3))
    for name, what in progress.essays.items():
        table.add_row(Text(f"  {name}"), Text(what))
    return Group(head, table, Text())


def _numbers(states: Iterable[str]) -> str:
    """How many files are in which state, suggestions taken together."""
    counted = Counter(state.partition(":")[0] for state in states)
    return ", ".join(f"{number} {state}" for state, number in counted.items())


def show_figures(outcome: Outcome) -> None:
    """Print how long it took, as a teacher sees it."""
    say(f"\n{outcome.title} ({len(outcome.rows)} essays): {outcome.batch.status}")
    say(f"  first upload to AWAITING_STUDENT_VALIDATION: {outcome.seconds_to_validation:.1f} s")
    say(f"  confirm to READY: {outcome.seconds_to_ready:.2f} s")


def show_outcome(outcome: Outcome) -> None:
    """Print what became of every file, and the way the batch came."""
    console.print("", _essays(outcome), _history(outcome), sep="\n")


def _essays(outcome: Outcome) -> Table:
    title = f"{outcome.title}: {outcome.batch.status}"
    table = Table("essay", "student", "how decided", title=title, title_justify="left", title_style="bold")
    table.add_column("confidence", justify="right")
    for row in outcome.rows:
        confidence = "" if row.confidence is None else f"{row.confidence:.2f}"
        table.add_row(Text(row.file), Text(row.student), Text(row.how), confidence)
    return table


def _history(outcome: Outcome) -> Table:
    table = Table.grid(padding=(0, 1))
    for move in outcome.batch.history:
        at = move.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
        table.add_row(at, move.from_status, "→", move.to_status, f"({move.trigger})")
    return table
