"""Which dead letters an operator means."""

import pytest
from pydantic import ValidationError
from service_runtime.ops import Wanted


@pytest.mark.parametrize("time", ["2026-03-01T00:00:00", "2026-03-01", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_could_mean_other_letters_is_refused(time: str) -> None:
    for field in ("since", "until"):
        with pytest.raises(ValidationError, match=field):
            Wanted.model_validate({field: time})
