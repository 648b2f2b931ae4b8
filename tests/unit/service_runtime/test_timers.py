"""What one transaction says about a timer means what it would mean in several, one after the other."""

from datetime import UTC, datetime
from uuid import UUID

from service_runtime import CancelTimer, SetTimer
from service_runtime.testing import a_cause
from service_runtime.timers import Changes

WHO = UUID(int=1)
EARLY, LATE = datetime(2025, 3, 1, 12, tzinfo=UTC), datetime(2025, 3, 1, 13, tzinfo=UTC)
CANCELLED, SET = CancelTimer("ring", WHO), SetTimer("ring", WHO, EARLY)
UNLESS_SET = SetTimer("ring", WHO, LATE, unless_set=True)


def written(*said: SetTimer | CancelTimer) -> SetTimer | CancelTimer:
    changes = Changes()
    for change in said:
        changes.add(change, a_cause())
    ((change, _),) = changes.changed.values()
    return change


def test_the_last_word_counts() -> None:
    assert written(SET, CANCELLED) == CANCELLED
    assert written(UNLESS_SET, SET) == SET


def test_what_was_set_before_in_the_transaction_is_kept_by_a_setting_unless_set() -> None:
    assert written(SET, UNLESS_SET) == SET


def test_what_was_cancelled_before_in_the_transaction_is_set_anew_whatever_the_table_has() -> None:
    assert written(CANCELLED, UNLESS_SET) == SetTimer("ring", WHO, LATE)
