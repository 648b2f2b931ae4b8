"""How many cases a test tries that could try them without end: few by default, many with EXHAUSTIVE=1."""

import os

from hypothesis import HealthCheck, settings

EXHAUSTIVE = bool(os.environ.get("EXHAUSTIVE"))
"""`make test-exhaustive` sets it."""


def examples(few: int, many: int, steps: int) -> settings:
    """So many runs of a state machine, each up to this long.

    The few are the same in every run, so a commit is red for everybody or for nobody; the many are new each time, and
    what they find is printed so that it can be repeated.
    """
    return settings(
        max_examples=many if EXHAUSTIVE else few,
        stateful_step_count=steps,
        derandomize=not EXHAUSTIVE,
        print_blob=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
