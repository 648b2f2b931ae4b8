"""Whether a loop that lives also gets on with its work."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Work:
    """Measures the piece of work that a loop is at."""

    def __init__(self, what: str, most_seconds: float) -> None:
        self._what = what
        self._most_seconds = most_seconds
        self._since: float | None = None

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """One piece of work, from its beginning to its end."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._since = None

    @property
    def problem(self) -> str | None:
        """That it takes too long, or None."""
        seconds = 0.0 if self._since is None else time.monotonic() - self._since
        if seconds <= self._most_seconds:
            return None
        return f"stalled: at {self._what} for {seconds:.0f} s; the log says what it waits for"
