"""`python -m tests.chaos SEED=1 KILLS=1000`: rounds of some hundred kills, each on a new system; see driver.py."""

import asyncio
import json
import shutil
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from tests.chaos import tables
from tests.chaos.driver import run
from tests.chaos.options import Options
from tests.chaos.report import Report

CACHE = Path(".cache/chaos")


def main() -> int:
    """Run, or go on with a run; 0 when nothing was violated and nothing is left to do."""
    options, folder = _what_to_do(Options.read(sys.argv[1:]))
    reports: list[Report] = []
    stopped = False
    while not stopped and (done := sum(each.kills for each in reports)) < options.kills:
        number = len(reports) + 1
        place = folder / f"round-{number:02}"
        if not (place / "report.json").exists():
            kills = min(options.kills_per_round, options.kills - done)
            sys.stdout.write(f"round {number}: {kills} of the {options.kills - done} kills to come\n")
            shutil.rmtree(place, ignore_errors=True)  # A round that was cut short says nothing.
            place.mkdir(parents=True)
            report = asyncio.run(run(replace(options, round=number, kills=kills), place.resolve()))
            report.write(place / "report.json")
            stopped = bool(report.stopped)
        reports.append(Report.read(place / "report.json"))
        _write(reports, folder)
    together = Report.together(reports)
    if stopped:
        sys.stdout.write(f"\nstopped; to go on: make chaos RESUME={folder}\n")
    sys.stdout.write(f"\n{tables.text(together)}\n\nall of it, and {folder}/report.md as Markdown: {folder}\n")
    return 0 if together.good and not stopped and together.kills >= options.kills else 1


def _what_to_do(options: Options) -> tuple[Options, Path]:
    """The options and the folder, of an earlier run if one is named."""
    if options.resume:
        folder = Path(options.resume)
        return Options(**json.loads((folder / "options.json").read_text())), folder
    folder = CACHE / f"{time.strftime('%Y%m%d-%H%M%S')}-seed-{options.seed}{options.sabotage and '-'}{options.sabotage}"
    folder.mkdir(parents=True)
    (folder / "options.json").write_text(json.dumps(asdict(options)))
    return options, folder


def _write(reports: list[Report], folder: Path) -> None:
    """After each round, so that whatever happens the rounds before it count."""
    together = Report.together(reports)
    together.write(folder / "report.json")
    (folder / "report.md").write_text(tables.markdown(together))


if __name__ == "__main__":
    sys.exit(main())
