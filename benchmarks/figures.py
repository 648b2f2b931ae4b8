"""Figures of a benchmark: tables to read as they come, and a JSON file with the machine and the versions."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median

LIBRARIES = ("aiokafka", "asyncpg", "pydantic", "sqlalchemy")
FOLDER = Path(__file__).resolve().parents[1] / "build" / "benchmarks"

RATIO = "ours is so many times as fast"

type Row = Mapping[str, object]


def spread(seconds: Sequence[float]) -> dict[str, object]:
    """Median, least and most of several runs."""
    return {"runs": len(seconds), "median s": median(seconds), "min s": min(seconds), "max s": max(seconds)}


def rates(found: Sequence[float]) -> dict[str, object]:
    """Median, least and most of what was done a second in several runs."""
    return {"runs": len(found), "median /s": median(found), "min /s": min(found), "max /s": max(found)}


class Report:
    """The tables of one benchmark."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tables: dict[str, list[Row]] = {}
        self._machine = {
            "processors": os.cpu_count(),
            "load before": round(os.getloadavg()[0], 1),
            "system": platform.platform(),
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        }
        print(", ".join(f"{what} {value}" for what, value in self._machine.items()), flush=True)

    def row(self, table: str, values: Row) -> None:
        """One more row of a table, printed at once."""
        if table not in self._tables:
            self._tables[table] = []
            print(f"\n{table}\n\n| {' | '.join(values)} |\n|{'---|' * len(values)}")
        self._tables[table].append(values)
        print(f"| {' | '.join(map(_shown, values.values()))} |", flush=True)

    def finish(self) -> None:
        """Write the file."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        file = FOLDER / f"{self._name}.json"
        file.write_text(
            json.dumps({"machine": self._machine, "tables": self._tables}, indent=2) + "\n", encoding="utf-8"
        )
        print(f"\nWritten to {file}")


def _shown(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
