"""The ratios that must not get worse, whatever the machine's mood: both sides in the same alternating rounds."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median

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
from benchmarks.speed.stage import rounds, servers

RUNS = 3
MESSAGES, ROWS = 6_000, 50_000


@dataclass(frozen=True)
class Bound:
    """The first must be at least so many times as fast as the second."""

    first: Variant | Way
    second: Variant | Way
    least: float


BOUNDS = [
    Bound(OURS, ALONE, 12),
    Bound(OURS, PLAIN, 12),
    Bound(OURS, DEFAULT, 5),
    Bound(HOT_OURS, HOT_ALONE, 12),
    Bound(SNAPSHOT, OURS, 0.6),
    Bound(POISON, OURS, 0.5),
    Bound(WAYS[0], WAYS[1], 5),
    Bound(WAYS[0], WAYS[2], 5),
    Bound(WAYS[0], WAYS[3], 12),
]
"""Below what was measured by about a third, and never below the floor of the product."""


async def measure() -> Mapping[Variant | Way, float]:
    """The median rate of all that is compared; raises WrongData."""
    named = list(dict.fromkeys(each for bound in BOUNDS for each in (bound.first, bound.second)))
    variants = [each for each in named if isinstance(each, Variant)]
    smaller = {replace(each, messages=min(each.messages, MESSAGES)): each for each in variants}
    ways = [each for each in named if isinstance(each, Way)]
    async with servers() as parts:
        rates, failed = await rounds(list(smaller), RUNS, lambda each: consumer.one_run(parts, each))
        published, not_published = await rounds(ways, RUNS, lambda way: relay.one_run(parts, way, ROWS))
    figures.complete([*failed, *not_published])
    medians: dict[Variant | Way, float] = {smaller[each]: median(found) for each, found in rates.items()}
    return medians | {way: median(found) for way, found in published.items()}


async def main() -> None:
    """Print all ratios; ends the program when one is under its bound."""
    rates = await measure()
    report = figures.Report("check")
    below = 0
    for bound in BOUNDS:
        ratio = rates[bound.first] / rates[bound.second]
        below += ratio < bound.least
        verdict = "ok" if ratio >= bound.least else "TOO LOW"
        names = {"this": bound.first.name, "against": bound.second.name}
        report.row("Ratios", {**names, "ratio": ratio, "at least": bound.least, "": verdict})
    report.finish()
    if below:
        sys.exit(f"{below} of {len(BOUNDS)} ratios are under their bound")


if __name__ == "__main__":
    figures.measured(main())
