"""Which failpoint a new process gets: those that were hit least come first, and each where its service comes by it."""

from collections.abc import Mapping
from random import Random

from service_runtime.failpoints import PLACES

OFTEN = (0.01, 0.08)
SELDOM = (0.3, 0.9)
CHANCES = {
    "delivery.before_park": SELDOM,
    "retries.after_decide": SELDOM,
    "timers.after_take": SELDOM,
    "timers.after_prepare": (0.05, 0.3),
    "http.before_answer": (0.05, 0.3),
}
"""From and to: how probably a process dies when it comes by; what is not here is passed often."""
ONLY = {
    "timers.after_take": {"class_management_service"},
    "timers.after_prepare": {"file_service", "student_matching_service"},
    "http.before_answer": {"batch_orchestrator_service", "class_management_service", "file_service"},
}
LED_TO = {
    # Few messages fail by themselves, so some are made to.
    "delivery.before_park": ("delivery.after_claim", "raise:0.1"),
    "retries.after_decide": ("delivery.after_claim", "raise:0.1"),
}


def arm(rng: Random, service: str, died_at: Mapping[str, int]) -> str:
    """SCRIPTORIUM_FAILPOINTS for a process of this service: mostly one place to die at, sometimes one to fail at."""
    armed: dict[str, str] = {}
    if rng.random() < 0.6:
        places = [place for place in PLACES if service in ONLY.get(place, {service})]
        (place,) = rng.choices(places, [1 / (1 + died_at.get(place, 0)) ** 2 for place in places])
        armed[place] = f"kill:{rng.uniform(*CHANCES.get(place, OFTEN)):.3f}"
        if place in LED_TO:
            before, action = LED_TO[place]
            armed[before] = action
    if rng.random() < 0.3:
        armed.setdefault(rng.choice(PLACES), f"raise:{rng.uniform(0.01, 0.1):.3f}")
    return ",".join(f"{place}={action}" for place, action in armed.items())


def deadly(failpoints: str) -> str | None:
    """The place at which these failpoints kill."""
    places = [each.partition("=")[0] for each in failpoints.split(",") if "=kill" in each]
    return places[0] if places else None
