"""SIGTERM, SIGINT and SIGHUP end the program in good order: every `with` block on the way out does its part."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

QUIET_SECONDS = 2.0


@contextmanager
def ending_in_order(status: int | None = None) -> Iterator[Callable[[], None]]:
    """When asked to, end the block with this exit status, or with the usual 128 and the signal's number.

    Gives a check that ends it too, should an earlier request have got lost.
    """
    asked: dict[int, float] = {}

    def end(number: int, _: FrameType | None) -> None:
        # Some programs send the signal twice at once (`timeout` does); the second must not disturb the tidying up.
        if time.monotonic() - max(asked.values(), default=-QUIET_SECONDS) >= QUIET_SECONDS:
            asked[128 + number if status is None else status] = time.monotonic()
            check()

    def check() -> None:
        if asked:
            sys.exit(next(iter(asked)))

    wanted = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` ignores it.
        wanted.append(signal.SIGHUP)
    before = {each: signal.signal(each, end) for each in wanted}
    try:
        yield check
    except Exception:
        check()  # Interrupted in the middle of something, a library may answer with an error of its own.
        raise
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
