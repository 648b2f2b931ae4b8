"""The figures of a recovery, from histories whose figures are known."""

import math

import pytest

from tests.chaos import recovery, tables
from tests.chaos.recovery import baseline, rate_again, ready_again, takeovers
from tests.chaos.report import Report
from tests.chaos.timeline import Incident, Timeline
from tests.chaos.watch import Takeover

STEADY = [each / 20 for each in range(2_000)]
"""Twenty events a second for 100 s."""


def timeline(*incidents: Incident) -> Timeline:
    found = Timeline()
    found.incidents = list(incidents)
    return found


def without(since: float, until: float) -> list[float]:
    return [each for each in STEADY if not since <= each < until]


def test_the_baseline_is_the_usual_rate() -> None:
    assert baseline(STEADY, 10, 20) == pytest.approx(20, abs=1)


def test_a_kill_that_stops_nothing_costs_no_time() -> None:
    assert rate_again(STEADY, [Incident("killed", "a-1", 50, 51)], 20, 100) == {"killed": [0]}


def test_a_pause_lasts_until_a_whole_window_is_good_again() -> None:
    found = rate_again(without(50, 53), [Incident("killed", "a-1", 50, 51)], 20, 100)

    assert found["killed"] == [pytest.approx(2.9, abs=0.11)]


def test_a_cut_counts_from_its_end() -> None:
    found = rate_again(without(50, 53), [Incident("cut", "a-1", 50, 52)], 20, 100)

    assert found["cut"] == [pytest.approx(0.9, abs=0.11)]


def test_a_kill_in_peace_is_a_kind_of_its_own() -> None:
    assert list(rate_again(STEADY, [Incident("killed", "a-1", 50, 51, alone=True)], 20, 100)) == ["killed, in peace"]


def test_a_rate_that_never_comes_back_is_not_forgotten() -> None:
    assert rate_again(without(20, 100), [Incident("killed", "a-1", 20, 21)], 20, 100)["killed"] == [recovery.MOST]


def test_what_cannot_be_known_before_the_end_is_not_counted() -> None:
    assert rate_again(without(95, 100), [Incident("killed", "a-1", 96, 97)], 20, 100) == {}


def test_readiness_tells_apart_what_else_was_broken() -> None:
    calm, hard = Incident("killed", "a-1", 10, 11), Incident("killed", "a-1", 20, 24)
    history = timeline(calm, hard, Incident("broker killed", "Kafka", 19, 22), Incident("killed", "b-1", 10, 12))

    found = ready_again([calm, hard], history)

    assert found == {"broker and database up": [1], "broker or database away meanwhile": [4]}


def test_a_process_that_is_not_ready_yet_has_no_figure() -> None:
    never = Incident("killed", "a-1", 10, math.inf)

    assert ready_again([never], timeline(never)) == {}


def test_a_takeover_tells_whether_somebody_could_take_over() -> None:
    history = timeline(Incident("killed", "a-1", 10, 12), Incident("frozen", "a-2", 20, 32))
    lost = [Takeover("a", "a-1", "killed", at, at + 1) for at in (10, 25)] + [Takeover("b", "b-1", "killed", 40, 42)]

    assert takeovers(lost, history, {"a"}) == {
        "killed, a standby": [1],
        "killed, the standby, Kafka or PostgreSQL broken too": [1],
        "killed, no standby": [2],
    }


def test_several_rounds_are_one_report() -> None:
    one = Report(
        seed=3,
        rounds=1,
        kills=5,
        faults={"broker killed": 2, "SIGKILL at a random moment": 5},
        failpoints={"relay.after_produce": 1},
        operator={"replayed": 2},
        batches={"cancelled": 1},
        records=7,
        events=6,
        violations={"published": ["lost"], "order": []},
        given_up=[],
        not_quiet=0,
        steady_rates=[20.0],
        ready_seconds={"up": [1.0]},
        rate_seconds={"killed": [0.5]},
        takeover_seconds={"killed, a standby": [0.3]},
        seconds=60.0,
    )

    both = Report.together([one, one])

    assert (both.seed, both.rounds, both.kills, both.other_faults) == (3, 2, 10, 4)
    assert both.violations == {"published": ["lost", "lost"], "order": []}
    assert both.ready_seconds == {"up": [1.0, 1.0]}
    assert not both.good
    assert "| 3 | 10 | 4 | 2 | 12 | 14 | 2 | 2 |" in tables.markdown(both)
