"""Puts what was measured last into docs/performance.md: stores its JSON and pictures, and makes the tables.

Of `make bench` everything, of `make bench-endtoend` and `make bench-profile` what is there; what is not stays as it is.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks import figures

ROOT = Path(__file__).resolve().parents[1]
STORED = ROOT / "docs" / "performance"
TABLES = ("bench.json", "growth.json", "profile.json")


def main() -> None:
    """Copy what is to be kept, then write the pages anew."""
    measured = [file for name in TABLES if (file := figures.FOLDER / name).exists()]
    if not measured:
        sys.exit(f"Nothing is in {figures.FOLDER}: run `make bench` first")
    STORED.mkdir(exist_ok=True)
    pictures = [each for each in figures.FOLDER.glob("*.svg") if each.with_suffix(".json").exists()]
    for file in (*measured, *pictures):
        shutil.copy(file, STORED)
    subprocess.run([sys.executable, ROOT / "scripts" / "docs.py"], check=True)


if __name__ == "__main__":
    main()
