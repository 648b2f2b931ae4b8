"""How an operator reads times, ages and what strangers wrote."""

from datetime import datetime
from itertools import pairwise

_STEPS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def time_of(text: str) -> str:
    """A time of day here, from RFC 3339."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def age(seconds: float) -> str:
    """A span of time in its two largest units: `3d 4h`, `12m 5s`, `0s`."""
    whole = max(0, int(seconds))
    for (size, unit), (smaller, below) in pairwise(_STEPS):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size}{unit} {rest}{below}" if rest else f"{whole // size}{unit}"
    return f"{whole}s"


def printable(text: str) -> str:
    """Text without what could command the terminal: control characters stand as their codes."""
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
