"""What teachers send to class management."""

import pytest
from pydantic import ValidationError

from services.class_management_service.views import Deadline


def test_a_deadline_that_utc_has_no_year_for_is_refused() -> None:
    with pytest.raises(ValidationError, match="1 to 9999"):
        Deadline.model_validate({"deadline": "9999-12-31T23:59:59-23:59"})
