"""A process whose clock is wrong: libfaketime shifts whatever tells the date, and leaves durations as they are."""

from importlib.util import find_spec
from pathlib import Path


def clock_off_by(minutes: int) -> dict[str, str]:
    """The variables of a process whose clock is so many minutes ahead."""
    found = find_spec("libfaketime")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("libfaketime is missing; run make setup")
    library = Path(found.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"{minutes:+d}m",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
