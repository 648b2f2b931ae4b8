"""How often a subject may ask: counted in this process's memory, so each process allows as much again."""

import math

from fastapi import HTTPException

from service_runtime.auth import Caller, Role

MINUTE = 60.0


class RateLimit:
    """A minute's requests at once, and from then on as many per minute; 0: no limit. Services have none."""

    def __init__(self, per_minute: int) -> None:
        self._interval = MINUTE / per_minute if per_minute else 0.0
        self._used_until: dict[str, float] = {}
        """Per subject, when all that was asked for would have been asked at an even pace."""
        self._forget_at = 0.0

    def count(self, caller: Caller, now: float) -> None:
        """Count a request at this time, in seconds; raises 429 with the seconds until the next is welcome."""
        if not self._interval or Role.SERVICE in caller.roles:
            return
        self._forget(now)
        used_until = max(self._used_until.get(caller.sub, now), now) + self._interval
        too_early = round(used_until - now - MINUTE, 6)
        if too_early > 0:
            seconds = str(math.ceil(too_early))
            raise HTTPException(429, f"too many requests; try again in {seconds} s", headers={"Retry-After": seconds})
        self._used_until[caller.sub] = used_until

    def _forget(self, now: float) -> None:
        """Once a minute, forget who has not asked for long."""
        if now >= self._forget_at:
            self._used_until = {sub: until for sub, until in self._used_until.items() if until > now}
            self._forget_at = now + MINUTE
