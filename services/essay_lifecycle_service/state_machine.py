"""The content of a batch: one row per state, one column per trigger, every cell decided."""

from enum import StrEnum

from common_core.state_machine import IGNORE, REFUSE, StateMachine


class ContentState(StrEnum):
    """Whether a batch still takes contents."""

    OPEN = "open"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class ContentTrigger(StrEnum):
    """What ends the taking of contents."""

    COMPLETE = "complete"
    CLOSE = "close"
    CANCEL = "cancel"


T = ContentTrigger
OPEN, COMPLETED, CANCELLED = ContentState.OPEN, ContentState.COMPLETED, ContentState.CANCELLED

# fmt: off
CONTENT = StateMachine(
    ContentState,
    (T.COMPLETE, T.CLOSE,   T.CANCEL),
    {
        OPEN:      (COMPLETED, COMPLETED, CANCELLED),
        COMPLETED: (IGNORE,    IGNORE,    CANCELLED),
        CANCELLED: (IGNORE,    REFUSE,    IGNORE),
    },
)
# fmt: on
