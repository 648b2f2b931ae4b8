"""Named places where a test may break this process, to see that nothing is lost.

SCRIPTORIUM_FAILPOINTS="relay.after_produce=kill:0.05,unit_of_work.before_commit=raise:0.1" kills the process in 5 % of
the times it comes by the first place, and raises in 10 % at the second. Without the variable a place costs one call.
"""

import os
import random
import signal
from collections.abc import Callable

VARIABLE = "SCRIPTORIUM_FAILPOINTS"
PLACES = (
    "unit_of_work.before_commit",
    "unit_of_work.after_commit",
    "delivery.after_claim",
    "delivery.before_park",
    "consumer.before_offsets",
    "relay.before_produce",
    "relay.after_produce",
    "relay.after_delete",
    "retries.after_decide",
    "timers.after_take",
    "timers.after_prepare",
    "http.before_answer",
)


class Broken(Exception):
    """A failpoint raised; seen only where SCRIPTORIUM_FAILPOINTS asks for it."""


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _raise() -> None:
    raise Broken


ACTIONS: dict[str, Callable[[], None]] = {"kill": _kill, "raise": _raise}


def _read(specification: str) -> dict[str, tuple[Callable[[], None], float]]:
    """The action and the probability of each place; raises ValueError for what it does not know."""
    found = {}
    for each in filter(None, specification.split(",")):
        place, _, action = each.partition("=")
        name, _, probability = action.partition(":")
        if place not in PLACES or name not in ACTIONS:
            raise ValueError(f"{VARIABLE}: {each!r} is not PLACE=ACTION:PROBABILITY; places: {', '.join(PLACES)}")
        found[place] = (ACTIONS[name], float(probability or 1))
    return found


_armed = _read(os.environ.get(VARIABLE, ""))


def _hit(place: str) -> None:
    action, probability = _armed.get(place, (None, 0.0))
    if action and random.random() < probability:  # noqa: S311  # no secret
        action()


def _pass(place: str) -> None:
    """Nothing is armed."""


failpoint: Callable[[str], None] = _hit if _armed else _pass
