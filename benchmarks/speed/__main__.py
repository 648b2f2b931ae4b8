"""`make bench`: every part in a process of its own, then one JSON file of all.

With names, only these parts are measured anew, and their figures take the place of those in the last run's file. A part
that fails leaves the others their figures; the end says which it was.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

from benchmarks import figures

PARTS = {
    "consumer": (["benchmarks.speed.consumer"], ("consumer", "batch")),
    "relay": (["benchmarks.speed.relay"], ("relay",)),
    "latency": (["benchmarks.speed.latency"], ("latency",)),
    "matching": (["benchmarks.speed.matching"], ("matching",)),
    # A thousand batches take six minutes of their own: `make bench-endtoend`.
    "end_to_end": (["benchmarks.end_to_end", "--most", "100"], ("end_to_end",)),
}
"""The program of each part, and the reports it writes."""
TOGETHER = figures.FOLDER / "bench.json"


def main(wanted: list[str], runs: int) -> None:
    """Run the wanted parts, all without a name; ends with the names of those that failed."""
    began, failed = time.monotonic(), []
    for part in wanted or PARTS:
        command, reports = PARTS[part]
        for report in reports:
            (figures.FOLDER / f"{report}.json").unlink(missing_ok=True)
        outcome = subprocess.run([sys.executable, "-m", *command, "--runs", str(runs)], check=False)
        if outcome.returncode:
            failed.append(part)
            print(f"\n{part} FAILED; the other parts go on", flush=True)
    minutes = None if wanted else round((time.monotonic() - began) / 60, 1)
    put_together(minutes)
    print(f"\n{TOGETHER} and pictures beside it" + (f", in {minutes} minutes" if minutes else ""))
    if failed:
        sys.exit(f"{', '.join(failed)} failed; measure anew with: python -m benchmarks.speed {' '.join(failed)}")


def put_together(minutes: float | None) -> None:
    """Write all reports that are there into one file; without `minutes`, those of the last whole run stay."""
    files = [figures.FOLDER / f"{report}.json" for _, reports in PARTS.values() for report in reports]
    found: dict[str, Any] = {each.stem: json.loads(each.read_text(encoding="utf-8")) for each in files if each.exists()}
    before = json.loads(TOGETHER.read_text(encoding="utf-8")) if TOGETHER.exists() else {}
    together = {
        "machine": next((each["machine"] for each in found.values()), {}),
        "minutes": minutes or before.get("minutes"),
        "parts": {report: each["tables"] for report, each in found.items()},
    }
    TOGETHER.parent.mkdir(parents=True, exist_ok=True)
    TOGETHER.write_text(json.dumps(together, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all without a name")
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    main(chosen.parts, chosen.runs)
