"""The parts of pages that are figures: what `make bench` wrote last, as `python -m benchmarks.report` has stored it."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

PICTURES = {"batch": "batch.svg", "latency": "latency.svg", "end_to_end": "growth.svg"}
NAMES = ("machine", "consumer", "relay", "latency", "batch", "end_to_end", "sizing")
NOTHING = ["No run is stored yet: `make bench`, then `python -m benchmarks.report`."]

ESSAYS_PER_DAY = (1_000, 10_000, 100_000, 1_000_000)
PEAK_SHARE, BUSY_SECONDS, UTILISATION = 0.5, 3_600, 0.5
"""Half of a day's essays come within an hour, and a processor is to be half used then."""
LEAST_PARTITIONS = 12


def figures(folder: Path) -> dict[str, Callable[[], list[str]]]:
    """Every part by its name: `bench.machine`, `bench.sizing`, and one for each benchmark."""
    file = folder / "bench.json"
    run = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {f"bench.{name}": partial(part, name, folder, run) for name in NAMES}


def part(name: str, folder: Path, run: Mapping[str, Any]) -> list[str]:
    """The tables of one benchmark, the machine that all ran on, or what follows for a number of essays."""
    if not run or name not in {"machine", "sizing", *run["parts"]}:
        return NOTHING
    if name == "machine":
        about = ", ".join(f"{what} {value}" for what, value in run["machine"].items())
        return [f"{about}; {run['minutes']} minutes for all of it."]
    if name == "sizing":
        return sizing(run["parts"].get("end_to_end", {}))
    lines = [line for title, rows in run["parts"][name].items() for line in table(title, rows)]
    picture = folder / PICTURES.get(name, "none")
    return [*lines[:-1], *(["", f"![{name}]({folder.name}/{picture.name})"] if picture.exists() else [])]


def sizing(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What is needed for so many essays a day, by what one of them cost."""
    costs = next((rows for title, rows in tables.items() if title.startswith("What an essay costs")), None)
    if costs is None:
        return NOTHING
    spent = {row["part"]: row["ms of processor"] / 1_000 for row in costs if row["part"] != "load"}
    (written,) = tables["Bytes written per essay"]
    services = {name: seconds for name, seconds in spent.items() if name.endswith("_service")}
    busiest = max(services, key=services.__getitem__)
    rows = []
    for essays in ESSAYS_PER_DAY:
        rate = essays * PEAK_SHARE / BUSY_SECONDS / UTILISATION
        processes = math.ceil(rate * services[busiest])
        rows.append(
            {
                "essays a day": essays,
                "processors": rate * sum(spent.values()),
                f"processes of {busiest}": processes,
                "partitions": max(LEAST_PARTITIONS, 2 * processes),
                "processors of PostgreSQL": rate * spent.get("postgresql", 0.0),
                "WAL GB a day": essays * written["WAL"] / 1e9,
                "Kafka GB a day": essays * written["Kafka"] / 1e9,
            }
        )
    return list(table("Half of a day's essays within one hour, processors half used then", rows))[:-1]


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
