"""The ratios that must not get worse, whatever the machine's mood: both sides in the same alternating rounds."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks import figures
from benchmarks.speed import consumer, relay
from benchmarks.speed.consumer import (
    ALONE,
    DEFAULT,
    HOT_ALONE,
    HOT_OURS,
    OURS,
    PLAIN,
    POISON,
    SNAPSHOT,
    Variant,
)
from benchmarks.speed.relay import WAYS, Way
from benchmarks.speed.stage import Run, rounds, servers, spread

RUNS = 3
MESSAGES, ROWS = 10_000, 100_000


@dataclass(frozen=True)
class Bound:
    """The first must be at least so many times as fast as the second, and do with so many times less processor time."""

    first: Variant | Way
    second: Variant | Way
    faster: float
    less: float


BOUNDS = [
    Bound(OURS, ALONE, faster=12, less=16),
    Bound(OURS, PLAIN, faster=12, less=15),
    Bound(OURS, DEFAULT, faster=10, less=13),
    Bound(HOT_OURS, HOT_ALONE, faster=14, less=20),
    Bound(SNAPSHOT, OURS, faster=0.5, less=0.8),
    Bound(POISON, OURS, faster=0.5, less=0.65),
    Bound(WAYS[0], WAYS[1], faster=12, less=12),
    Bound(WAYS[0], WAYS[2], faster=5, less=6.5),
    Bound(WAYS[0], WAYS[3], faster=20, less=14),
]
"""Half of the speed and two thirds of the processor time that a quiet machine gives. Beside other work ratios of one
revision differ by a quarter, and those of speed grow: who waits for each message waits longer.
"""


async def measure() -> Mapping[Variant | Way, Sequence[Run]]:
    """The runs of all that is compared; raises WrongData."""
    named = list(dict.fromkeys(each for bound in BOUNDS for each in (bound.first, bound.second)))
    smaller = {
        replace(each, messages=min(each.messages, MESSAGES)): each for each in named if isinstance(each, Variant)
    }
    ways = [each for each in named if isinstance(each, Way)]
    async with servers() as parts:
        consumed, failed = await rounds(list(smaller), RUNS, lambda each: consumer.one_run(parts, each))
        published, not_published = await rounds(ways, RUNS, lambda way: relay.one_run(parts, way, ROWS))
    figures.complete([*failed, *not_published])
    found: dict[Variant | Way, Sequence[Run]] = {smaller[each]: runs for each, runs in consumed.items()}
    return found | dict(published.items())


async def main() -> None:
    """Print all ratios; ends the program when one is under its bound."""
    found = await measure()
    report = figures.Report("check")
    below = 0
    for bound in BOUNDS:
        first, second = spread(found[bound.first]), spread(found[bound.second])
        faster, less = _ratio(first, second, "median /s"), _ratio(second, first, "us of processor")
        low = faster < bound.faster or less < bound.less
        below += low
        ratios = {"faster": faster, "at least": bound.faster, "less processor time": less, "at least ": bound.less}
        names = {"this": bound.first.name, "against": bound.second.name}
        report.row("Ratios", {**names, **ratios, "": "TOO LOW" if low else "ok"})
    report.finish()
    if below:
        sys.exit(f"{below} of {len(BOUNDS)} ratios are under their bound")


def _ratio(one: Mapping[str, Any], other: Mapping[str, Any], column: str) -> float:
    return float(one[column] / other[column])


if __name__ == "__main__":
    figures.measured(main())
