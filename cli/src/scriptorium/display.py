"""What the user sees: live where there is a terminal, otherwise one line per change."""

import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scriptorium.submission import Outcome, Progress
from scriptorium.system import System

COLUMNS_WITHOUT_TERMINAL = 100
MANY = 60
"""Of more files only the numbers are told, and those not more often than every so many seconds."""
SECONDS_BETWEEN_NUMBERS = 0.5


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read along is gone; a running system goes on."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


console = _Console(highlight=False)
if not console.is_terminal:
    console.width = COLUMNS_WITHOUT_TERMINAL


def say(line: str) -> None:
    """One line, as long as it is."""
    console.print(line, markup=False, soft_wrap=True)


def show_addresses(system: System, env_file: Path | None) -> None:
    """Print where everything is."""
    rows = [(service.member.title, service.url) for service in system.services]
    rows += [("Kafka", system.stack.kafka_bootstrap_servers), ("PostgreSQL", system.stack.postgres_url("…"))]
    rows += [("logs", str(system.logs)), *([("env file", str(env_file))] if env_file else [])]
    for name, where in rows:
        say(f"  {name:<20}{where}")


@contextmanager
def following() -> Iterator[Callable[[Progress], None]]:
    """Gives what shows how far a batch is, as long as the block lasts."""
    if not console.is_interactive:
        yield _Lines().tell
        return
    batches: dict[str, Progress] = {}
    with Live(console=console, transient=True, refresh_per_second=8) as live:

        def picture(progress: Progress) -> None:
            batches[progress.title] = progress
            in_numbers = sum(len(each.essays) + 2 for each in batches.values()) > console.height
            live.update(Group(*(_picture(each, in_numbers=in_numbers) for each in batches.values())))

        yield picture


class _Lines:
    """One line for everything that is not as it was."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], str] = {}
        self._counted_at = 0.0

    def tell(self, progress: Progress) -> None:
        now = {"": progress.status}
        if len(progress.essays) <= MANY:
            now |= {f"{name}: ": state for name, state in progress.essays.items()}
        elif time.monotonic() - self._counted_at >= SECONDS_BETWEEN_NUMBERS:
            now["files: "], self._counted_at = _numbers(progress.essays.values()), time.monotonic()
        for what, state in now.items():
            if self._said.get((progress.title, what)) != state:
                self._said[progress.title, what] = state
                say(f"{progress.title}  {what}{state}")


def _picture(progress: Progress, *, in_numbers: bool) -> Group:
    head = Text.assemble((progress.title, "bold"), "  ", (progress.status, "cyan"))
    if in_numbers:
        return Group(head, Text(f"  {_numbers(progress.essays.values())}"))
    table = Table.grid(padding=(0, 3))
    for name, state in progress.essays.items():
        table.add_row(Text(f"  {name}"), Text(state))
    return Group(head, table, Text())


def _numbers(states: Iterable[str]) -> str:
    """How many files are in which state, whatever follows a colon left out."""
    return ", ".join(f"{number} {state}" for state, number in Counter(each.split(":")[0] for each in states).items())


def show_outcome(outcome: Outcome) -> None:
    """Print what became of every file, and the way the batch came."""
    title = f"{outcome.title}: {outcome.batch.status}"
    table = Table("essay", "student", "how decided", title=title, title_justify="left", title_style="bold")
    table.add_column("confidence", justify="right")
    for row in outcome.rows:
        confidence = "" if row.confidence is None else f"{row.confidence:.3f}"
        table.add_row(Text(row.file), Text(row.student), Text(row.how), confidence)
    console.print("", table, sep="\n")
    for move in outcome.batch.history:
        at = move.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
        say(f"{at} {move.from_status:<28} → {move.to_status:<28} ({move.trigger})")


def show_figures(outcome: Outcome) -> None:
    """Print how long it took, as a teacher sees it."""
    say(f"\n{outcome.title} ({len(outcome.rows)} essays): {outcome.batch.status}")
    say(f"  first upload to AWAITING_STUDENT_VALIDATION: {outcome.seconds_to_validation:.1f} s")
    say(f"  confirm to READY: {outcome.seconds_to_ready:.2f} s")
