"""Figures of a benchmark: tables to read as they come, and a JSON file with the machine and the versions."""

import asyncio
import json
import os
import platform
import subprocess
import sys
from collections.abc import Coroutine, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil
from local_stack.kafka_jars import KAFKA
from local_stack.programs import postgres_programs

LIBRARIES = ("aiokafka", "asyncpg", "pydantic", "sqlalchemy")
FOLDER = Path(__file__).resolve().parents[1] / "build" / "benchmarks"

RATIO = "ours is so many times as fast"

type Row = Mapping[str, object]


class WrongData(Exception):
    """Something was lost, doubled or out of order; no figure of this run counts."""


def check(what: str, found: object, wanted: object) -> None:
    """Raises WrongData when they differ."""
    if found != wanted:
        raise WrongData(f"{what}: {found} instead of {wanted}")


def measured[T](part: Coroutine[Any, Any, T]) -> T:
    """Run a part of the benchmark; one whose data is wrong ends the program with what is wrong."""
    try:
        return asyncio.run(part)
    except WrongData as wrong:
        sys.exit(str(wrong))


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
        self._machine = machine()
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

    def picture(self, svg: str) -> None:
        """Write the picture of these figures beside the file."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{self._name}.svg").write_text(svg, encoding="utf-8")


def complete(failed: Sequence[str]) -> None:
    """Raises WrongData when something has no figure."""
    if failed:
        raise WrongData("No figure of " + "; nor of ".join(failed))


def machine() -> dict[str, object]:
    """What was measured on, and with what."""
    server = subprocess.run([postgres_programs() / "postgres", "--version"], capture_output=True, text=True, check=True)
    return {
        "processors": f"{os.cpu_count()} x {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "load before": round(os.getloadavg()[0], 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "kafka": KAFKA,
        "postgresql": server.stdout.split()[-1],
        **{library: version(library) for library in LIBRARIES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _shown(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
