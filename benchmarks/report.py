"""Puts the last run of `make bench` into docs/performance.md: stores its JSON and pictures, and makes the tables."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import figures

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "docs" / "performance"


def main() -> None:
    """Copy what is to be kept, then write the pages anew."""
    measured = figures.FOLDER / "bench.json"
    if not measured.exists():
        sys.exit(f"{measured} is missing: run `make bench` first")
    STORED.mkdir(exist_ok=True)
    for file in (measured, *figures.FOLDER.glob("*.svg")):
        shutil.copy(file, STORED)
    subprocess.run([sys.executable, ROOT / "scripts" / "docs.py"], check=True)


if __name__ == "__main__":
    main()
