"""The batch as a whole: its essays are merged and never lost, its history is complete, it is ready once."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID

import pytest
from common_core.events import (
    BatchCancelledV1,
    BatchContentIngestionFailedV1,
    BatchEssaysRegisteredV1,
    BatchReadyForPipelineExecutionV1,
    EssayRef,
    Event,
    InitiateStudentMatchingV1,
    RegisterBatchV1,
    StudentEssay,
)
from common_core.state_machine import Refused
from common_core.status_enums import BatchStatus, CourseCode
from hypothesis import given
from hypothesis import strategies as st
from service_runtime import Cause
from service_runtime.testing import a_cause

from services.batch_orchestrator_service.models import (
    Batch,
    HistoryEntry,
    NoEssaysStored,
    NotCancellable,
    RegistrationDiffers,
)
from services.batch_orchestrator_service.state_machine import BatchTrigger

BATCH, CLASS, ANNA = UUID(int=1), UUID(int=2), UUID(int=3)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
READY = BatchStatus.READY_FOR_PIPELINE_EXECUTION

type Said = Callable[[Batch, Cause], list[Event]]


def essay(number: int, text: str | None = None) -> EssayRef:
    return EssayRef(
        essay_id=UUID(int=number), text_storage_id=text or f"text-{number}", original_file_name=f"{number}.txt"
    )


E1, E2, E3 = essay(11), essay(12), essay(13)


def command(**changes: object) -> RegisterBatchV1:
    fields = {"teacher_id": "berit", "course_code": "ENG5", "expected_essay_count": 2, "class_id": CLASS}
    return RegisterBatchV1.model_validate({"batch_id": BATCH, "assignment": "My summer", **fields, **changes})


def a_batch(class_id: UUID | None = CLASS) -> Batch:
    batch, _ = Batch.register(command(class_id=class_id), [E1.essay_id, E2.essay_id], NOW)
    return batch


def completed(*essays: EssayRef) -> Said:
    return lambda batch, cause: batch.content_completed(essays, cause)


def confirmed(students: dict[UUID, UUID | None]) -> Said:
    return lambda batch, cause: batch.associations_confirmed(students, cause)


def ready(*essays: EssayRef) -> Said:
    return lambda batch, cause: batch.essays_ready(essays, cause)


P, C, R = completed(E1, E2), confirmed({E1.essay_id: ANNA, E2.essay_id: None}), ready(E1, E2)


def hear(batch: Batch, *messages: Said) -> list[Event]:
    return [event for message in messages for event in message(batch, a_cause())]


def of[E: Event](kind: type[E], said: Iterable[Event]) -> list[E]:
    return [event for event in said if isinstance(event, kind)]


def in_state(status: BatchStatus) -> Batch:
    batch = a_batch()
    way: dict[BatchStatus, Sequence[Said]] = {
        BatchStatus.AWAITING_CONTENT_VALIDATION: (),
        BatchStatus.AWAITING_STUDENT_VALIDATION: (P,),
        BatchStatus.STUDENT_VALIDATION_COMPLETED: (P, C),
        BatchStatus.READY_FOR_PIPELINE_EXECUTION: (P, C, R),
        BatchStatus.CONTENT_INGESTION_FAILED: (completed(),),
        BatchStatus.CANCELLED: (lambda each, cause: each.cancel("berit", cause),),
    }
    hear(batch, *way[status])
    assert batch.status is status
    return batch


def test_registration_announces_the_batch_with_an_id_for_every_essay() -> None:
    batch, said = Batch.register(command(), [E1.essay_id, E2.essay_id], NOW)

    assert said == [
        BatchEssaysRegisteredV1(
            batch_id=BATCH,
            teacher_id="berit",
            course_code=CourseCode.ENG5,
            class_id=CLASS,
            assignment="My summer",
            expected_essay_count=2,
            essay_ids=(E1.essay_id, E2.essay_id),
        )
    ]
    assert (batch.status, batch.registered_at) == (BatchStatus.AWAITING_CONTENT_VALIDATION, NOW)


def test_registering_again_with_the_same_fields_is_fine() -> None:
    a_batch().check_same(command())


@pytest.mark.parametrize(
    "changes",
    [
        {"teacher_id": "carl"},
        {"course_code": "ENG6"},
        {"expected_essay_count": 3},
        {"class_id": None},
        {"assignment": None},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_registering_again_with_another_field_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RegistrationDiffers, match="choose a new batch_id"):
        a_batch().check_same(command(**changes))


def test_a_completed_regular_batch_asks_for_its_students() -> None:
    batch = a_batch()

    (said,) = hear(batch, P)

    assert said == InitiateStudentMatchingV1(
        batch_id=BATCH, class_id=CLASS, course_code=CourseCode.ENG5, teacher_id="berit", essays=(E1, E2)
    )
    assert batch.status is BatchStatus.AWAITING_STUDENT_VALIDATION


def test_a_completed_guest_batch_is_ready_and_says_so() -> None:
    batch = a_batch(class_id=None)

    (said,) = hear(batch, P)

    assert said == BatchReadyForPipelineExecutionV1(
        batch_id=BATCH,
        course_code=CourseCode.ENG5,
        teacher_id="berit",
        essays=tuple(StudentEssay(**each.model_dump()) for each in (E1, E2)),
    )
    assert hear(batch, P, C, R) == []


@pytest.mark.parametrize("class_id", [CLASS, None], ids=["regular", "guest"])
def test_a_batch_without_a_single_essay_has_failed_and_says_so(class_id: UUID | None) -> None:
    batch = a_batch(class_id)

    (said,) = of(BatchContentIngestionFailedV1, hear(batch, completed()))

    assert (said.batch_id, said.teacher_id) == (BATCH, "berit")
    assert batch.status is BatchStatus.CONTENT_INGESTION_FAILED
    assert hear(batch, P, C, R, completed()) == []


@pytest.mark.parametrize("order", list(permutations("PCR")), ids="".join)
def test_all_orders_end_ready_once_with_every_essay_and_student(order: tuple[str, ...]) -> None:
    batch, messages = a_batch(), {"P": P, "C": C, "R": R}

    said = [event for name in order for event in hear(batch, messages[name], messages[name])]

    (announced,) = of(BatchReadyForPipelineExecutionV1, said)
    assert [(each.essay_id, each.text_storage_id, each.student_id) for each in announced.essays] == [
        (E1.essay_id, "text-11", ANNA),
        (E2.essay_id, "text-12", None),
    ]
    assert announced.class_id == CLASS
    assert len(of(InitiateStudentMatchingV1, said)) == 1
    assert (batch.status, batch.deferred) == (READY, ())
    assert [move.to_status for move in batch.history] == [
        BatchStatus.AWAITING_STUDENT_VALIDATION,
        BatchStatus.STUDENT_VALIDATION_COMPLETED,
        READY,
    ]


def test_what_comes_too_early_is_stored_at_once_and_its_trigger_is_remembered() -> None:
    batch = a_batch()

    said = hear(batch, R, C)

    assert said == []
    assert batch.status is BatchStatus.AWAITING_CONTENT_VALIDATION
    assert batch.deferred == (BatchTrigger.ESSAYS_READY, BatchTrigger.ASSOCIATIONS_CONFIRMED)
    assert [(each.essay_id, each.student_id) for each in batch.student_essays()] == [
        (E1.essay_id, ANNA),
        (E2.essay_id, None),
    ]


def test_each_move_is_recorded_with_the_message_that_led_to_it() -> None:
    batch, first, second = a_batch(), a_cause(NOW), a_cause(NOW)

    batch.content_completed([E1], first)
    batch.associations_confirmed({E1.essay_id: ANNA}, second)

    assert batch.history == (
        HistoryEntry(
            BatchStatus.AWAITING_CONTENT_VALIDATION,
            BatchStatus.AWAITING_STUDENT_VALIDATION,
            BatchTrigger.CONTENT_COMPLETED,
            NOW,
            first.event_id,
        ),
        HistoryEntry(
            BatchStatus.AWAITING_STUDENT_VALIDATION,
            BatchStatus.STUDENT_VALIDATION_COMPLETED,
            BatchTrigger.ASSOCIATIONS_CONFIRMED,
            NOW,
            second.event_id,
        ),
    )


def test_a_batch_is_in_its_state_since_its_last_move() -> None:
    batch, later = a_batch(), NOW + timedelta(hours=1)
    assert batch.since == NOW

    batch.content_completed([E1], a_cause(NOW))
    batch.associations_confirmed({E1.essay_id: ANNA}, a_cause(later))

    assert batch.since == later


def test_a_deferred_trigger_is_recorded_with_the_message_that_released_it() -> None:
    batch, releasing = a_batch(), a_cause()
    hear(batch, C, R)

    batch.content_completed([E1, E2], releasing)

    assert [move.event_id for move in batch.history] == [releasing.event_id] * 3


def test_the_essays_of_completion_and_readiness_are_merged_and_none_is_removed() -> None:
    batch = a_batch()

    hear(batch, completed(E1, E2), C, ready(E2, E3))

    assert batch.essays == (E1, E2, E3)


def test_an_essay_that_is_stored_is_not_replaced() -> None:
    batch = a_batch()

    hear(batch, completed(E1), ready(essay(11, text="another text")))

    assert batch.essays == (E1,)


def test_the_first_decision_about_a_student_stands() -> None:
    batch = a_batch()

    hear(batch, C, confirmed({E1.essay_id: None, E2.essay_id: ANNA}))

    assert batch.students == {E1.essay_id: ANNA, E2.essay_id: None}


def test_a_batch_is_never_ready_without_essays() -> None:
    batch = in_state(BatchStatus.STUDENT_VALIDATION_COMPLETED)
    batch.essays = ()

    with pytest.raises(NoEssaysStored):
        hear(batch, ready())


@pytest.mark.parametrize("status", [BatchStatus.AWAITING_STUDENT_VALIDATION, READY])
def test_a_failure_after_the_content_was_complete_is_refused(status: BatchStatus) -> None:
    batch = in_state(status)

    with pytest.raises(Refused, match="content_failed"):
        hear(batch, completed())
    assert batch.essays == (E1, E2)


@pytest.mark.parametrize(
    "status",
    [
        BatchStatus.AWAITING_CONTENT_VALIDATION,
        BatchStatus.AWAITING_STUDENT_VALIDATION,
        BatchStatus.STUDENT_VALIDATION_COMPLETED,
    ],
)
def test_a_batch_can_be_cancelled_until_it_is_ready(status: BatchStatus) -> None:
    batch = in_state(status)

    said = batch.cancel("berit", a_cause())

    assert said == [BatchCancelledV1(batch_id=BATCH, teacher_id="berit", cancelled_by="berit")]
    assert batch.status is BatchStatus.CANCELLED
    assert batch.history[-1].trigger is BatchTrigger.CANCEL


def test_cancelling_again_says_nothing() -> None:
    batch = in_state(BatchStatus.CANCELLED)

    assert batch.cancel("berit", a_cause()) == []


def test_a_batch_that_is_ready_cannot_be_cancelled() -> None:
    with pytest.raises(Refused, match="cancel is not possible"):
        in_state(READY).cancel("berit", a_cause())


def test_a_batch_that_has_failed_cannot_be_cancelled() -> None:
    with pytest.raises(NotCancellable):
        in_state(BatchStatus.CONTENT_INGESTION_FAILED).cancel("berit", a_cause())


def test_a_cancelled_batch_ignores_what_was_still_under_way_and_forgets_what_it_deferred() -> None:
    batch = a_batch()
    hear(batch, C)
    batch.cancel("berit", a_cause())

    assert hear(batch, P, R, completed()) == []
    assert (batch.status, batch.deferred) == (BatchStatus.CANCELLED, ())


MESSAGES = st.lists(st.sampled_from([P, C, R]), max_size=9)


@given(MESSAGES)
def test_ready_is_said_exactly_once_when_all_three_were_heard_and_never_before(messages: list[Said]) -> None:
    batch = a_batch()

    said = hear(batch, *messages)

    heard_all = {P, C, R} <= set(messages)
    assert len(of(BatchReadyForPipelineExecutionV1, said)) == heard_all
    assert (batch.status is READY) == heard_all
