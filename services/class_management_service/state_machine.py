"""The validation of a batch's associations: one row per state, one column per trigger, every cell decided."""

from enum import StrEnum

from common_core.state_machine import IGNORE, REFUSE, StateMachine


class ValidationStatus(StrEnum):
    """Whether the teacher is asked already, and whether the answer is final."""

    EXPECTED = "expected"
    OPEN = "open"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class ValidationTrigger(StrEnum):
    """What can happen to a validation."""

    SUGGEST = "suggest"
    CONFIRM = "confirm"
    DEADLINE = "deadline"
    CANCEL = "cancel"


T = ValidationTrigger
EXPECTED, OPEN = ValidationStatus.EXPECTED, ValidationStatus.OPEN
CONFIRMED, CANCELLED = ValidationStatus.CONFIRMED, ValidationStatus.CANCELLED

# fmt: off
VALIDATION = StateMachine(
    ValidationStatus,
    (T.SUGGEST, T.CONFIRM, T.DEADLINE, T.CANCEL),
    {
        EXPECTED:  (OPEN,   REFUSE,    IGNORE,    CANCELLED),
        OPEN:      (IGNORE, CONFIRMED, CONFIRMED, CANCELLED),
        CONFIRMED: (IGNORE, REFUSE,    IGNORE,    IGNORE),
        CANCELLED: (IGNORE, REFUSE,    IGNORE,    IGNORE),
    },
)
# fmt: on
