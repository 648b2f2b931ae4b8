"""`python -m tests.chaos SEED=1 KILLS=1000`: see driver.py."""

import asyncio
import sys
import time
from pathlib import Path

from tests.chaos.driver import run
from tests.chaos.options import Options

CACHE = Path(".cache/chaos")


def main() -> int:
    """Run once; 0 when nothing was violated."""
    options = Options.read(sys.argv[1:])
    folder = CACHE / f"{time.strftime('%Y%m%d-%H%M%S')}-seed-{options.seed}{options.sabotage and '-'}{options.sabotage}"
    folder.mkdir(parents=True)
    report = asyncio.run(run(options, folder.resolve()))
    report.write(folder / "report.json")
    sys.stdout.write(f"{report.text()}\n\nall of it: {folder}\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
