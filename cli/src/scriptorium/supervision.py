"""Keeps things running: what has died is started again after a pause that grows."""

from collections.abc import Callable

from local_stack import LocalStackError

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 30.0

type Say = Callable[[str], None]


class Watched:
    """Something that must run; `ended` says how it ended, or None while it runs."""

    def __init__(self, name: str, ended: Callable[[], str | None], start: Callable[[], object], now: float) -> None:
        self._name = name
        self._ended = ended
        self._start = start
        self._pause = FIRST_PAUSE
        self._started_at = now
        self._due_at: float | None = None

    def look(self, now: float, say: Say) -> None:
        """Start it again if it has died and the pause is over; `now` in seconds of any clock."""
        if self._due_at is None and (outcome := self._ended()) is not None:
            if now - self._started_at > STEADY_SECONDS:
                self._pause = FIRST_PAUSE
            say(f"{self._name} {outcome}; starting it again in {self._pause:.1f} s")
            self._due_at, self._pause = now + self._pause, min(self._pause * 2, LONGEST_PAUSE)
        elif self._due_at is not None and now >= self._due_at:
            try:
                self._start()
            except LocalStackError as error:
                say(str(error))
            self._due_at, self._started_at = None, now
