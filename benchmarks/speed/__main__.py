"""`make bench`: every part in a process of its own, then one table, one JSON file and the pictures."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import end_to_end, figures
from benchmarks.speed import batch_size, latency
from benchmarks.speed.pictures import lines

PARTS = {
    "consumer": ["benchmarks.speed.consumer"],
    "relay": ["benchmarks.speed.relay"],
    "latency": ["benchmarks.speed.latency"],
    "batch": ["benchmarks.speed.batch_size"],
    # A thousand batches take six minutes of their own: `make bench-endtoend`.
    "end_to_end": ["benchmarks.end_to_end", "--most", "100"],
}

type Rows = Sequence[Mapping[str, Any]]


def main() -> None:
    """Run all parts, or those that are named; ends with the first whose check fails."""
    wanted = sys.argv[1:] or list(PARTS)
    began = time.monotonic()
    for part in wanted:
        outcome = subprocess.run([sys.executable, "-m", *PARTS[part]], check=False)
        if outcome.returncode:
            sys.exit(f"{part} failed, so there are no figures of it, nor of what comes after it")
    found = {part: json.loads((figures.FOLDER / f"{part}.json").read_text(encoding="utf-8")) for part in wanted}
    together = {
        "machine": found[wanted[0]]["machine"],
        "minutes": round((time.monotonic() - began) / 60, 1),
        "parts": {part: each["tables"] for part, each in found.items()},
    }
    (figures.FOLDER / "bench.json").write_text(json.dumps(together, indent=1) + "\n", encoding="utf-8")
    draw({title: rows for tables in together["parts"].values() for title, rows in tables.items()})
    print(f"\nAll of it: {together['minutes']} minutes, {figures.FOLDER}/bench.json and pictures beside it")


def draw(tables: Mapping[str, Rows]) -> None:
    """The pictures of the tables that are there."""
    sizes, loads, growth = (tables.get(title) for title in (batch_size.TABLE, latency.TABLE, end_to_end.AT_ONCE))
    if sizes:
        rates = {"messages/s": [(row["micro-batch"], row["median /s"]) for row in sizes]}
        _write("batch", lines(batch_size.TABLE, "micro-batch size", rates, log_x=True))
    if loads:
        delays = {name: [(row["events/s"], row[name]) for row in loads] for name in ("p50 ms", "p99 ms", "max ms")}
        _write("latency", lines(latency.TABLE, "events a second", delays, log_x=True, log_y=True))
    if growth:
        thirties = [row for row in growth if row["essays each"] == end_to_end.ESSAYS]
        seconds = {"seconds until the last of them is ready": [(row["batches"], row["median s"]) for row in thirties]}
        title = f"Batches of {end_to_end.ESSAYS} at once"
        _write("growth", lines(title, "batches", seconds, log_x=True, log_y=True))


def _write(name: str, picture: str) -> None:
    (figures.FOLDER / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
