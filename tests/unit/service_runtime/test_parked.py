"""What becomes of a message that could not be handled, by what went wrong."""

from uuid import uuid4

import pytest
from common_core.errors import DomainError, NotYet
from common_core.state_machine import Refused
from service_runtime import RuntimeSettings
from service_runtime.cloudevents import Undecodable
from service_runtime.parked import Reason, State, Verdict, backoff, judge


class RegistrationDiffers(DomainError):
    """A refusal of a kind of its own."""


class ClassUnknown(NotYet):
    """Waiting of a kind of its own."""


SETTINGS = RuntimeSettings(
    database_url="postgresql://nowhere/none",
    kafka_bootstrap_servers="nowhere:1",
    jwt_secret="x" * 32,
    retry_first_seconds=0.2,
    retry_most_seconds=30.0,
    failing_attempts=8,
    waiting_days=30.0,
)
DAY = 86_400.0


def verdict(error: Exception, attempts: int = 1, waited: float = 0.0) -> Verdict:
    return judge(error, attempts, waited, SETTINGS)


def test_what_is_not_known_yet_waits_for_it_by_name_and_for_a_time() -> None:
    batch_id = uuid4()

    waits = verdict(NotYet("batch", batch_id))

    assert (waits.state, waits.reason, waits.waits_for) == (State.WAITING, Reason.NOT_YET, str(batch_id))
    assert waits.delay is not None


def test_waiting_does_not_end_with_attempts_but_with_days() -> None:
    waits, given_up = (verdict(NotYet("batch", 1), 10_000, days * DAY) for days in (29.9, 30.1))

    assert waits.state is State.WAITING
    assert (given_up.state, given_up.reason, given_up.delay) == (State.DEAD, Reason.WAITED_TOO_LONG, None)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DomainError("no"), Reason.REFUSED),
        (Refused("cancel", "ready", []), Reason.REFUSED),
        (Undecodable("what?"), Reason.UNDECODABLE),
    ],
)
def test_what_trying_again_cannot_help_is_dead_at_once(error: Exception, reason: Reason) -> None:
    dead = verdict(error)

    assert (dead.state, dead.reason, dead.delay) == (State.DEAD, reason, None)


def test_a_bug_is_tried_again_until_the_limit() -> None:
    judged = [verdict(ZeroDivisionError("bug"), attempts) for attempts in range(1, 9)]

    assert [each.state for each in judged] == [State.FAILING] * 7 + [State.DEAD]
    assert {each.reason for each in judged} == {Reason.BUG}


def test_what_went_wrong_is_said_briefly_and_so_that_postgresql_can_store_it() -> None:
    said = verdict(ValueError("a\x00b" + "x" * 5_000)).error

    assert said.startswith("ValueError: a\\x00b")
    assert len(said) == 2_000


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Undecodable("data: Field required"), "data: Field required"),
        (Refused("cancel", "ready", []), "cancel is not possible in state ready"),
        (NotYet("batch", 1), "batch 1 is not known here yet, or is not yours"),
        (RegistrationDiffers("7"), "RegistrationDiffers: 7"),
        (ClassUnknown("class", 1), "ClassUnknown: class 1 is not known here yet, or is not yours"),
        (ValueError("no"), "ValueError: no"),
    ],
)
def test_the_kind_of_an_error_is_told_unless_the_reason_is_the_same_word(error: Exception, said: str) -> None:
    assert verdict(error).error == said


def test_the_wait_doubles_up_to_the_limit_with_a_quarter_of_jitter() -> None:
    for attempts, expected in ((1, 0.2), (2, 0.4), (4, 1.6), (9, 30.0), (10_000, 30.0)):
        waits = [backoff(attempts, SETTINGS) for _ in range(50)]
        assert 0.75 * expected <= min(waits) <= max(waits) <= 1.25 * expected
        assert len(set(waits)) > 1
