"""The table says what scores have been worth: never falling, never certain."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.student_matching_service.calibration import TABLE, calibrated

SCORES = st.floats(0, 1)


@given(SCORES, SCORES)
def test_a_higher_score_is_never_less_sure_and_none_is_certain(one: float, other: float) -> None:
    low, high = sorted((one, other))

    assert 0 <= calibrated(low) <= calibrated(high) < 1


@pytest.mark.parametrize(("before", "after"), list(pairwise(TABLE)))
def test_between_two_points_of_the_table_goes_a_line(before: tuple[float, float], after: tuple[float, float]) -> None:
    between = [(one + other) / 2 for one, other in zip(before, after, strict=True)]

    assert calibrated(between[0]) == pytest.approx(between[1])
