"""The parts of pages that are figures: what `make bench` wrote last, as `python -m benchmarks.report` has stored it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

NAMES = (
    "machine",
    "goals",
    "consumer",
    "profile",
    "relay",
    "latency",
    "batch",
    "matching",
    "end_to_end",
    "growth",
    "sizing",
)
ALONE = ("growth", "profile")
"""Measured by a command of their own, not by `make bench`."""
NOTHING = ["No run is stored yet: the command above, then `python -m benchmarks.report`."]

RATES, RATIO = ("median /s", "min /s", "max /s"), ("ours is so many times as fast",)
DELAYS, SHARE = ("p50 ms", "p99 ms"), ("% of a core",)
GOALS = (
    ("consumer, one process, messages/s: median, least, most", "4,000", "10,000",
     "consumer", {"with": "ours, one process"}, RATES),
    ("the same, two processes", "6,000", "18,000",
     "consumer", {"with": "ours, two processes"}, RATES),
    ("two processes, until what they say is in Kafka", "4,000", "10,000",
     "consumer", {"with": "ours, two processes, and published"}, RATES),
    ("so many times as fast as one transaction per message", "12", "30",
     "consumer", {"with": "the same service, one message = one transaction"}, RATIO),
    ("the same with a hundred messages for each aggregate", "12", "30",
     "consumer", {"with": "100 for each aggregate, one message = one transaction"}, RATIO),
    ("relay, events/s: median, least, most", "20,000", "50,000",
     "relay", {"relay": "our relay"}, RATES),
    ("commit to the effect in the next service at 500/s, ms: p50, p99", "60, 200", "8, 30",
     "latency", {"events/s": 500}, DELAYS),
    ("the whole system idle, % of a core", "", "3",
     "end_to_end", {"part": "together"}, SHARE),
)  # fmt: skip
"""What it is, its floor and goal; the benchmark, the row and the columns that tell it."""

ESSAYS_PER_DAY = (1_000, 10_000, 100_000, 1_000_000)
PEAK_SHARE, BUSY_SECONDS, UTILISATION = 0.5, 3_600, 0.5
"""Half of a day's essays come within an hour, and a processor is to be half used then."""
LEAST_PARTITIONS = 12
NOT_PARTS = ("this load", "together")


def figures(folder: Path) -> dict[str, Callable[[], list[str]]]:
    """Every part by its name: `bench.machine`, `bench.sizing`, and one for each benchmark."""
    run = stored(folder, "bench") or {"parts": {}}
    for name in ALONE:
        if alone := stored(folder, name):
            run["parts"][name] = alone["tables"]
    return {f"bench.{name}": partial(part, name, folder, run) for name in NAMES}


def stored(folder: Path, name: str) -> dict[str, Any]:
    """A file of figures; empty when it is not there."""
    file = folder / f"{name}.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def part(name: str, folder: Path, run: Mapping[str, Any]) -> list[str]:
    """The tables of one benchmark, the machine that all ran on, or what follows for a number of essays."""
    if name == "goals" and run["parts"]:
        return goals(run["parts"])
    if name not in {"sizing", *run, *run["parts"]}:
        return NOTHING
    if name == "machine":
        about = ", ".join(f"{what} {value}" for what, value in run["machine"].items())
        return [f"{about}; {run['minutes']} minutes for all of it."]
    if name == "sizing":
        return sizing(run["parts"].get("end_to_end", {}))
    lines = [line for title, rows in run["parts"][name].items() for line in table(title, rows)]
    picture = folder / f"{name}.svg"
    return [*lines[:-1], *(["", f"![{name}]({folder.name}/{picture.name})"] if picture.exists() else [])]


def goals(parts: Mapping[str, Any]) -> list[str]:
    """What is asked of the product, and what the stored run reached."""
    rows = []
    for what, floor, goal, name, about, columns in GOALS:
        found = [row for table in parts.get(name, {}).values() for row in table if about.items() <= row.items()]
        reached = ", ".join(shown(found[0][each]) for each in columns) if found else "not measured"
        rows.append({"what": what, "floor": floor, "goal": goal, "reached": reached})
    return list(table("On two cores, everything on one machine; reached in the run below", rows))[:-1]


def sizing(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What is needed for so many essays a day, by what one of them cost."""
    costs = next((rows for title, rows in tables.items() if title.startswith("What an essay costs")), None)
    if costs is None:
        return NOTHING
    parts = {row["part"]: row["ms of processor"] / 1_000 for row in costs}
    spent = {name: seconds for name, seconds in parts.items() if name not in NOT_PARTS}
    total = sum(spent.values())
    (written,) = tables["Bytes of an essay"]
    services = {name: seconds for name, seconds in spent.items() if name.endswith("_service")}
    busiest = max(services, key=services.__getitem__)
    rows = []
    for essays in ESSAYS_PER_DAY:
        peak = essays * PEAK_SHARE / BUSY_SECONDS
        rate = peak / UTILISATION
        processes = {name: math.ceil(rate * seconds) for name, seconds in services.items()}
        rows.append(
            {
                "essays a day": essays,
                "essays/s then": peak,
                "processors": rate * total,
                "processes": sum(processes.values()),
                f"of them {busiest}": processes[busiest],
                "partitions": max(LEAST_PARTITIONS, 2 * processes[busiest]),
                "processors of PostgreSQL": rate * spent.get("postgresql", 0.0),
                **{f"{what} GB a day": essays * size / 1e9 for what, size in written.items()},
            }
        )
    most = (
        f"An essay takes {1_000 * total:.3g} ms of processor in all, so one processor carries {1 / total:.0f} a second."
    )
    return [most, "", *table("Half of a day's essays within one hour, processors half used then", rows)][:-1]


def table(title: str, rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """A title and its rows."""
    yield from (f"{title}:", "")
    yield f"| {' | '.join(rows[0])} |"
    yield f"| {' | '.join('---:' if isinstance(value, int | float) else '---' for value in rows[0].values())} |"
    for row in rows:
        yield f"| {' | '.join(map(shown, row.values()))} |"
    yield ""


def shown(value: object) -> str:
    """A figure with as many digits as mean something."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
