"""How many requests of a subject are answered, at which times."""

from contextlib import suppress

import pytest
from fastapi import HTTPException
from service_runtime.auth import Caller, Role
from service_runtime.rate_limit import RateLimit

BERIT = Caller("berit", frozenset({Role.TEACHER}))
CARL = Caller("carl", frozenset({Role.TEACHER}))
MATCHER = Caller("student-matching", frozenset({Role.SERVICE}))


def welcome(limit: RateLimit, *times: float, caller: Caller = BERIT) -> int:
    """How many of the requests at these times are answered."""
    answered = 0
    for at in times:
        with suppress(HTTPException):
            limit.count(caller, at)
            answered += 1
    return answered


@pytest.mark.parametrize("per_minute", [1, 3, 7, 600])
def test_a_minutes_requests_are_welcome_at_once_and_then_one_at_a_time(per_minute: int) -> None:
    limit = RateLimit(per_minute)

    assert welcome(limit, *[1_000.0] * (per_minute + 5)) == per_minute
    assert welcome(limit, *[1_000.0 + 60 / per_minute] * 5) == 1
    assert welcome(limit, *[2_000.0] * (per_minute + 5)) == per_minute


def test_who_asks_little_for_a_while_may_not_ask_more_than_a_minutes_requests_afterwards() -> None:
    limit = RateLimit(60)
    assert welcome(limit, 1_000.0) == 1

    assert welcome(limit, *[1_050.0] * 100) == 60


def test_a_refused_request_says_when_the_next_is_welcome_and_costs_nothing() -> None:
    limit = RateLimit(2)
    assert welcome(limit, 0.0, 0.0) == 2

    for _ in range(3):
        with pytest.raises(HTTPException, match="try again in 30 s") as refused:
            limit.count(BERIT, 0.5)
        assert refused.value.status_code == 429
        assert refused.value.headers == {"Retry-After": "30"}

    assert welcome(limit, 30.0) == 1


def test_one_subject_does_not_use_up_anothers_requests() -> None:
    limit = RateLimit(1)

    assert (welcome(limit, 0.0, 0.0), welcome(limit, 0.0, 0.0, caller=CARL)) == (1, 1)


def test_services_and_a_limit_of_zero_are_not_counted() -> None:
    assert welcome(RateLimit(1), *[0.0] * 100, caller=MATCHER) == 100
    assert welcome(RateLimit(0), *[0.0] * 100) == 100


def test_who_has_not_asked_for_long_is_forgotten() -> None:
    limit = RateLimit(1)
    for number in range(100):
        limit.count(Caller(f"teacher-{number}", frozenset()), 0.0)

    limit.count(BERIT, 61.0)

    assert len(limit._used_until) == 1
