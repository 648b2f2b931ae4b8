"""What has died is started again."""

from local_stack import LocalStackError
from scriptorium.supervision import LONGEST_PAUSE, STEADY_SECONDS, Watched


class Candle:
    """Something that can go out."""

    def __init__(self) -> None:
        self.burns = True
        self.lit = 0

    def ended(self) -> str | None:
        return None if self.burns else "went out"

    def light(self) -> None:
        self.burns, self.lit = True, self.lit + 1


def test_what_lives_is_left_alone() -> None:
    candle, said = Candle(), list[str]()

    Watched("the candle", candle.ended, candle.light, now=0).look(1, said.append)

    assert (candle.lit, said) == (0, [])


def test_what_has_died_is_started_again_after_a_pause_and_it_is_said() -> None:
    candle, said = Candle(), list[str]()
    watched = Watched("the candle", candle.ended, candle.light, now=0)
    candle.burns = False

    watched.look(1.0, said.append)
    watched.look(1.1, said.append)
    assert not candle.burns
    watched.look(1.3, said.append)

    assert candle.burns
    assert said == ["the candle went out; starting it again in 0.2 s"]


def test_the_pause_grows_up_to_a_limit_and_is_short_again_after_a_steady_time() -> None:
    candle, said, now = Candle(), list[str](), 0.0
    watched = Watched("the candle", candle.ended, candle.light, now)
    for _ in range(8):
        candle.burns = False
        watched.look(now, said.append)
        now += LONGEST_PAUSE
        watched.look(now, said.append)
    candle.burns = False
    watched.look(now + STEADY_SECONDS + 1, said.append)

    assert [line.split()[-2] for line in said] == ["0.2", "0.4", "0.8", "1.6", "3.2", "6.4", "10.0", "10.0", "0.2"]


def test_what_does_not_start_is_tried_again() -> None:
    def fails() -> None:
        raise LocalStackError("no wick", "buy another")

    candle, said = Candle(), list[str]()
    candle.burns = False
    watched = Watched("the candle", candle.ended, fails, now=0)
    for now in (0.0, 1.0, 2.0):
        watched.look(now, said.append)

    assert said[1] == "no wick; buy another"
    assert said[2] == "the candle went out; starting it again in 0.4 s"
