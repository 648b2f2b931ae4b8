"""The soak's messages: batches on their way to ready; some come late, some twice, and some can never be handled."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from common_core.events import (
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    ClassRosterChangedV1,
    RegisterBatchV1,
    StudentAssociationsConfirmedV1,
)
from common_core.events.base import Event
from common_core.events.class_management import Association, ValidationSummary
from common_core.events.words import EssayRef
from common_core.status_enums import AssociationValidationMethod, ClassType, CourseCode, StudentAssociationStatus

CHUNK = 1_000
"""So many batches take a step together."""
PER_BATCH = 4.204
"""Messages for each batch: four, 5 % of them twice, and 0.1 % dead letters."""
STEP = 3
"""A batch's next message comes so many waves after the one before; at the most two waves are under way."""
LATE = 75
"""Every so many batches, one is registered after its other messages: three of 300 messages are parked."""
TWICE = 20
REFUSED = 250
"""Every so many batches, one is registered again with other fields."""
NAMESPACE = UUID("7f5b0a52-3f0e-4d1c-9a51-0a7d3f6f0001")
CLASS = UUID(int=1)
AT = datetime(2026, 1, 1, tzinfo=UTC)
SUMMARY = ValidationSummary(human=1, timeout=0, auto=0)


@dataclass(frozen=True, slots=True)
class Sent:
    """An event and the id it is sent with, always the same for the same event."""

    event: Event
    event_id: str


def batch_id(number: int) -> UUID:
    """The id of the n-th batch; no order among them, as with ids from outside."""
    return uuid5(NAMESPACE, str(number))


def message(number: int, kind: int) -> Sent:
    """The message of a batch: 0 register, 1 content completed, 2 associations confirmed, 3 ready, 4 refused."""
    which = batch_id(number)
    essay = EssayRef(essay_id=which, text_storage_id=f"text-{number}", original_file_name="essay.txt")
    about = {"batch_id": which, "class_id": CLASS, "course_code": CourseCode.SV1, "teacher_id": "berit"}
    event: Event
    match kind:
        case 0 | 4:
            event = RegisterBatchV1(**about, expected_essay_count=1 + kind)
        case 1:
            counts = {"expected_count": 1, "provisioned_count": 1, "failed_count": 0}
            event = BatchContentProvisioningCompletedV1(**about, **counts, essays=(essay,))
        case 2:
            del about["teacher_id"]
            decided = Association(
                essay_id=which,
                student_id=which,
                status=StudentAssociationStatus.CONFIRMED,
                validation_method=AssociationValidationMethod.HUMAN,
                validated_by="berit",
                validated_at=AT,
            )
            event = StudentAssociationsConfirmedV1(
                **about, associations=(decided,), timeout_triggered=False, validation_summary=SUMMARY
            )
        case _:
            event = BatchEssaysReadyV1(
                batch_id=which, course_code=CourseCode.SV1, class_type=ClassType.REGULAR, ready_essays=(essay,)
            )
    return Sent(event, str(UUID(int=(number << 8) + kind)))


def roster() -> Sent:
    """The class all batches are of."""
    event = ClassRosterChangedV1(
        class_id=CLASS, class_name="9b", course_code=CourseCode.SV1, teacher_id="berit", roster_version=1, students=()
    )
    return Sent(event, "roster")


def is_late(number: int) -> bool:
    """Whether this batch is registered last."""
    return number % LATE == 7


def is_refused(number: int) -> bool:
    """Whether this batch is registered again with other fields."""
    return number % REFUSED == 11


def waves(batches: int) -> Iterator[list[Sent]]:
    """All messages; when a wave is sent, all but the two before it have been handled."""
    for wave in range(-(-batches // CHUNK) + 5 * STEP):
        steps = [range(_start(wave - n * STEP, batches), _start(wave - n * STEP + 1, batches)) for n in range(6)]
        sent = [message(each, kind) for kind in range(4) for each in steps[kind] if kind or not is_late(each)]
        sent += [message(each, 0) for each in steps[4] if is_late(each)]
        sent += [message(each, 4) for each in steps[5] if is_refused(each)]
        # Half of the repetitions come at once, the other half some waves later.
        sent += sent[:: 2 * TWICE]
        sent += [message(each, each // TWICE % 4) for each in steps[5] if each % TWICE < 2]
        yield sent


def _start(chunk: int, batches: int) -> int:
    return min(max(chunk, 0) * CHUNK, batches)
