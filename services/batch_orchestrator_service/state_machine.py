"""The life of a batch: one row per state, one column per trigger, every cell decided."""

from enum import StrEnum

from common_core.state_machine import DEFER, IGNORE, REFUSE, StateMachine
from common_core.status_enums import BatchStatus


class BatchTrigger(StrEnum):
    """What can happen to a batch."""

    CONTENT_COMPLETED = "content_completed"
    ASSOCIATIONS_CONFIRMED = "associations_confirmed"
    ESSAYS_READY = "essays_ready"
    CONTENT_FAILED = "content_failed"
    CANCEL = "cancel"


T = BatchTrigger
CONTENT = BatchStatus.AWAITING_CONTENT_VALIDATION
STUDENTS = BatchStatus.AWAITING_STUDENT_VALIDATION
VALIDATED = BatchStatus.STUDENT_VALIDATION_COMPLETED
READY = BatchStatus.READY_FOR_PIPELINE_EXECUTION
FAILED = BatchStatus.CONTENT_INGESTION_FAILED
CANCELLED = BatchStatus.CANCELLED
OPEN = (CONTENT, STUDENTS, VALIDATED)
ENDS = tuple(state for state in BatchStatus if state not in OPEN)

# fmt: off
REGULAR = StateMachine(
    BatchStatus,
    (T.CONTENT_COMPLETED, T.ASSOCIATIONS_CONFIRMED, T.ESSAYS_READY, T.CONTENT_FAILED, T.CANCEL),
    {
        CONTENT:   (STUDENTS, DEFER,     DEFER,  FAILED, CANCELLED),
        STUDENTS:  (IGNORE,   VALIDATED, DEFER,  REFUSE, CANCELLED),
        VALIDATED: (IGNORE,   IGNORE,    READY,  REFUSE, CANCELLED),
        READY:     (IGNORE,   IGNORE,    IGNORE, REFUSE, REFUSE),
        FAILED:    (IGNORE,   IGNORE,    IGNORE, IGNORE, IGNORE),
        CANCELLED: (IGNORE,   IGNORE,    IGNORE, IGNORE, IGNORE),
    },
)
# fmt: on
# Nobody has to say who wrote the essays of a GUEST batch.
GUEST = REGULAR.but(CONTENT, T.CONTENT_COMPLETED, READY)
