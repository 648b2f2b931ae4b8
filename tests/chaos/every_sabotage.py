"""`python -m tests.chaos.every_sabotage [NAME…]`: each broken guarantee is seen by its check."""

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path

from tests.chaos.driver import run
from tests.chaos.options import Options
from tests.chaos.sabotage import SABOTAGES

SHORT = Options(batches=24, peaceful=0, calm=1.0, steady=3.0, teachers=6, pace=0.8, freeze=7.0, patience=20.0)


def main(names: list[str]) -> int:
    """Run each; 0 when all were caught."""
    missed = []
    for name in names or SABOTAGES:
        folder = Path(f".cache/chaos/{time.strftime('%Y%m%d-%H%M%S')}-{name}").resolve()
        folder.mkdir(parents=True)
        options = replace(SHORT, sabotage=name, kills=SABOTAGES[name].kills)
        began = time.monotonic()
        report = asyncio.run(run(options, folder))
        report.write(folder / "report.json")
        wanted = SABOTAGES[name].seen_by
        red = {check: len(found) for check, found in report.violations.items() if found}
        caught = wanted in red
        missed += [] if caught else [name]
        said = f"{'caught' if caught else 'MISSED'}  {name:18} by {wanted:14} {time.monotonic() - began:4.0f} s"
        sys.stdout.write(f"{said}  all red: {red}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
