"""`make compare`: all contestants through all trials; the table goes to the terminal, as Markdown."""

import asyncio
import importlib.metadata
import logging
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from local_stack import LocalStack, LocalStackError

from benchmarks.comparison import trials
from benchmarks.comparison.arena import Arena
from benchmarks.comparison.contestants import BY_STATE, CONTESTANTS, OUTBOXES, SCRIPTORIUM, THEIRS, Contestant

type Alone = Callable[[Arena], Awaitable[str]]
type Found = dict[str, tuple[str, trials.Outcomes]]
type Together = Callable[[LocalStack, Sequence[Contestant]], Awaitable[trials.Outcomes]]

SIDE_BY_SIDE: list[tuple[Sequence[Alone], Sequence[Contestant]]] = [
    ([trials.raises_once, trials.repeated, trials.killed_before_effect, trials.always_raises], CONTESTANTS),
    ([trials.killed_after_effect], CONTESTANTS),
    ([trials.repeated_after_memory], [SCRIPTORIUM, BY_STATE]),
    ([trials.concurrent_writers], OUTBOXES),
]
"""Trials that follow one another in one arena. They mostly wait, so all these rows run at the same time."""
TOGETHER: dict[Together, Sequence[Contestant]] = {
    trials.broker_stops: OUTBOXES,
    trials.connections_end: CONTESTANTS,
    trials.database_restarts: CONTESTANTS,
}


def main() -> None:
    """Run the trials named on the command line, or all."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    wanted = set(sys.argv[1:])
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {sys.version.split()[0]}: {versions()}")
    started = time.monotonic()
    with LocalStack() as stack:
        found = asyncio.run(run_all(stack, wanted))
    for name, (question, outcomes) in found.items():
        print(f"\n{question} (`{name}`)\n\n| with | outcome |\n| --- | --- |")
        for contestant in [each for each in [*CONTESTANTS, BY_STATE] if each in outcomes]:
            print(f"| {contestant.name} | {outcomes[contestant]} |")
    print(f"\n{time.monotonic() - started:.0f} s")


async def run_all(stack: LocalStack, wanted: set[str]) -> Found:
    """The outcomes by trial and contestant."""
    found: Found = {}

    async def in_a_row(row: Sequence[Alone], contestant: Contestant) -> None:
        row = [trial for trial in row if not wanted or trial.__name__ in wanted]
        if row:
            async with Arena.opened(stack, contestant) as arena:
                for trial in row:
                    note(trial, contestant, await _outcome(trial, arena))

    def note(trial: Alone | Together, contestant: Contestant, said: str) -> None:
        found.setdefault(trial.__name__, (trial.__doc__ or "", {}))[1][contestant] = said
        print(f"{trial.__name__}: {contestant.name}: {said}", file=sys.stderr, flush=True)

    await asyncio.gather(*(in_a_row(row, each) for row, those in SIDE_BY_SIDE for each in those))
    for trial_of_all, contestants in TOGETHER.items():
        if not wanted or trial_of_all.__name__ in wanted:
            for contestant, said in (await trial_of_all(stack, contestants)).items():
                note(trial_of_all, contestant, said)
    return found


async def _outcome(trial: Alone, arena: Arena) -> str:
    """A trial that could not be held says so, and nothing about the library."""
    try:
        return await trial(arena)
    except (AssertionError, LocalStackError, TimeoutError, OSError) as error:
        return f"undecided: {str(error).splitlines()[0] if str(error) else error!r}"


def versions() -> str:
    """The versions of all that is compared."""
    question = "import importlib.metadata as m; print(', '.join(f'{n} {m.version(n)}' for n in %r))"
    names = ["faststream", "faststream-outbox", "procrastinate", "pgqueuer", "aiokafka"]
    answer = subprocess.run([THEIRS, "-c", question % names], capture_output=True, text=True, check=True).stdout
    return f"Scriptorium {importlib.metadata.version('scriptorium')}, {answer.strip()}"


if __name__ == "__main__":
    main()
