"""SIGTERM, SIGINT and SIGHUP end the program in good order: every `with` block on the way out does its part."""

import signal
import sys
import time
from types import FrameType

QUIET_SECONDS = 2.0


def end_in_order(status: int | None = None) -> None:
    """From now on end with this exit status when asked to, or with the usual 128 and the signal's number."""
    asked_at = -QUIET_SECONDS

    def end(number: int, _: FrameType | None) -> None:
        nonlocal asked_at
        # Some programs send the signal twice at once (`timeout` does); the second must not disturb the tidying up.
        if time.monotonic() - asked_at >= QUIET_SECONDS:
            asked_at = time.monotonic()
            sys.exit(128 + number if status is None else status)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # `nohup` wants it ignored.
        signal.signal(signal.SIGHUP, end)
