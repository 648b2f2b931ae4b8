"""What becomes of each uploaded file: slots are given once and in the order of uploads, completion is said once."""

from collections import Counter
from collections.abc import Iterable
from itertools import permutations
from uuid import UUID

import pytest
from common_core.errors import NotYet
from common_core.events import (
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    BatchEssaysRegisteredV1,
    BatchStudentMatchingRequestedV1,
    EssayContentProvisionedV1,
    EssaySlotAssignedV1,
    EssayValidationFailedV1,
    Event,
    ExcessContentProvisionedV1,
    InitiateStudentMatchingV1,
)
from common_core.state_machine import Refused
from common_core.status_enums import ClassType, CourseCode, ExcessReason, FileErrorCode, SlotState
from hypothesis import given
from hypothesis import strategies as st

from services.essay_lifecycle_service.models import EssayBatch

BATCH, CLASS = UUID(int=1), UUID(int=2)

type File = EssayContentProvisionedV1 | EssayValidationFailedV1


def essay_id(number: int) -> UUID:
    return UUID(int=1000 + number)


def a_batch(slots: int = 2, class_id: UUID | None = CLASS) -> EssayBatch:
    registered = BatchEssaysRegisteredV1(
        batch_id=BATCH,
        teacher_id="berit",
        course_code=CourseCode.SV1,
        class_id=class_id,
        expected_essay_count=slots,
        essay_ids=tuple(essay_id(number) for number in range(slots)),
    )
    return EssayBatch.register(registered)


def content(upload: int, text: str | None = None) -> EssayContentProvisionedV1:
    """The content of an upload; a text of its own unless one is given."""
    return EssayContentProvisionedV1(
        batch_id=BATCH,
        file_upload_id=UUID(int=upload),
        original_file_name=f"{upload}.txt",
        text_storage_id=text or f"text-{upload}",
        file_size_bytes=1,
    )


def failure(upload: int) -> EssayValidationFailedV1:
    return EssayValidationFailedV1(
        batch_id=BATCH,
        file_upload_id=UUID(int=upload),
        original_file_name=f"{upload}.txt",
        error_code=FileErrorCode.EMPTY_CONTENT,
        error_detail="The file is empty.",
        file_size_bytes=0,
    )


def hear(batch: EssayBatch, *files: File) -> list[Event]:
    """All that a batch says to these files, one after the other."""
    said: list[Event] = []
    for file in files:
        said += batch.provision(file) if isinstance(file, EssayContentProvisionedV1) else batch.fail(file)
    return said


def of[E: Event](kind: type[E], said: Iterable[Event]) -> list[E]:
    return [event for event in said if isinstance(event, kind)]


def completed(said: Iterable[Event]) -> BatchContentProvisioningCompletedV1:
    (only,) = of(BatchContentProvisioningCompletedV1, said)
    return only


def reasons(said: Iterable[Event]) -> list[ExcessReason]:
    return [excess.reason for excess in of(ExcessContentProvisionedV1, said)]


def states(batch: EssayBatch) -> list[SlotState]:
    return [slot.state for slot in batch.slots]


def test_a_registered_batch_has_a_free_slot_for_every_essay_id() -> None:
    batch = a_batch(3)

    assert [slot.essay_id for slot in batch.slots] == [essay_id(0), essay_id(1), essay_id(2)]
    assert states(batch) == [SlotState.FREE] * 3


def test_contents_get_the_slots_in_the_order_of_their_uploads() -> None:
    batch = a_batch(3)

    said = hear(batch, content(7), content(5), content(6))

    assigned = of(EssaySlotAssignedV1, said)
    assert [(each.file_upload_id.int, each.essay_id) for each in assigned] == [
        (7, essay_id(0)),
        (5, essay_id(1)),
        (6, essay_id(2)),
    ]
    assert [slot.original_file_name for slot in batch.slots] == ["7.txt", "5.txt", "6.txt"]


def test_what_is_said_about_a_slot_names_the_content_that_got_it() -> None:
    (assigned,) = hear(a_batch(2), content(1))

    assert assigned == EssaySlotAssignedV1(
        batch_id=BATCH,
        essay_id=essay_id(0),
        file_upload_id=UUID(int=1),
        text_storage_id="text-1",
        original_file_name="1.txt",
    )


def test_completion_is_said_with_the_last_slot_and_after_its_assignment() -> None:
    batch = a_batch(2)

    first, last = hear(batch, content(1)), hear(batch, content(2))

    assert [type(event) for event in first] == [EssaySlotAssignedV1]
    assert [type(event) for event in last] == [EssaySlotAssignedV1, BatchContentProvisioningCompletedV1]


def test_completion_carries_the_essays_in_the_order_of_their_slots_and_all_about_the_batch() -> None:
    said = completed(hear(a_batch(3), content(2), failure(9), content(1)))

    assert (said.batch_id, said.class_id, said.course_code, said.teacher_id) == (BATCH, CLASS, CourseCode.SV1, "berit")
    assert (said.expected_count, said.provisioned_count, said.failed_count) == (3, 2, 1)
    assert [(essay.essay_id, essay.text_storage_id, essay.original_file_name) for essay in said.essays] == [
        (essay_id(0), "text-2", "2.txt"),
        (essay_id(2), "text-1", "1.txt"),
    ]


def test_a_failure_closes_one_slot() -> None:
    batch = a_batch(3)

    said = hear(batch, failure(1))

    assert said == []
    assert states(batch) == [SlotState.CLOSED, SlotState.FREE, SlotState.FREE]
    assert batch.slots[0].file_upload_id == UUID(int=1)
    assert batch.slots[0].text_storage_id is None


def test_when_all_files_fail_the_batch_completes_without_essays() -> None:
    said = completed(hear(a_batch(2), failure(1), failure(2)))

    assert (said.provisioned_count, said.failed_count, said.essays) == (0, 2, ())


@pytest.mark.parametrize("order", list(permutations([content(1), content(2), failure(3)])), ids=lambda _: "")
def test_every_order_of_contents_and_failures_completes_with_the_same_counts(order: tuple[File, ...]) -> None:
    said = completed(hear(a_batch(3), *order))

    assert (said.provisioned_count, said.failed_count) == (2, 1)
    assert {essay.text_storage_id for essay in said.essays} == {"text-1", "text-2"}


def test_an_upload_is_decided_once_however_often_it_comes() -> None:
    batch = a_batch(2)
    hear(batch, content(1))

    again = hear(batch, content(1), content(1, text="another text"), failure(1))

    assert again == []
    assert states(batch) == [SlotState.ASSIGNED, SlotState.FREE]
    assert batch.slots[0].text_storage_id == "text-1"


def test_the_first_word_about_an_upload_wins_also_when_it_was_a_failure() -> None:
    batch = a_batch(2)
    hear(batch, failure(1))

    again = hear(batch, content(1), failure(1))

    assert again == []
    assert states(batch) == [SlotState.CLOSED, SlotState.FREE]


def test_a_surplus_content_has_no_available_slot() -> None:
    batch = a_batch(1)
    hear(batch, content(1))

    said = hear(batch, content(2), content(3))

    assert said == [
        ExcessContentProvisionedV1(
            batch_id=BATCH,
            file_upload_id=UUID(int=number),
            text_storage_id=f"text-{number}",
            original_file_name=f"{number}.txt",
            reason=ExcessReason.NO_AVAILABLE_SLOT,
        )
        for number in (2, 3)
    ]


def test_a_surplus_content_is_said_once() -> None:
    batch = a_batch(1)
    hear(batch, content(1), content(2))

    assert hear(batch, content(2), failure(2)) == []


def test_a_failure_beyond_the_last_slot_changes_nothing() -> None:
    batch = a_batch(1)
    hear(batch, content(1))

    assert hear(batch, failure(2)) == []
    assert states(batch) == [SlotState.ASSIGNED]


def test_the_same_text_twice_is_excess_and_takes_no_slot() -> None:
    batch = a_batch(2)

    said = hear(batch, content(1, text="same"), content(2, text="same"))

    assert reasons(said) == [ExcessReason.DUPLICATE_CONTENT]
    assert states(batch) == [SlotState.ASSIGNED, SlotState.FREE]


def test_closing_early_closes_the_free_slots_and_completes_with_what_is_there() -> None:
    batch = a_batch(3)
    hear(batch, content(1))

    said = completed(batch.close())

    assert states(batch) == [SlotState.ASSIGNED, SlotState.CLOSED, SlotState.CLOSED]
    assert (said.expected_count, said.provisioned_count, said.failed_count) == (3, 1, 0)


def test_a_closed_slot_without_a_file_is_no_failed_file() -> None:
    batch = a_batch(3)
    hear(batch, failure(1))

    assert completed(batch.close()).failed_count == 1


def test_closing_without_any_content_completes_without_essays() -> None:
    assert completed(a_batch(2).close()).provisioned_count == 0


def test_closing_again_says_nothing() -> None:
    batch = a_batch(2)
    batch.close()

    assert batch.close() == []


def test_closing_a_completed_batch_changes_nothing_not_even_the_reason_of_later_surplus() -> None:
    batch = a_batch(1)
    hear(batch, content(1))

    assert batch.close() == []
    assert reasons(hear(batch, content(2))) == [ExcessReason.NO_AVAILABLE_SLOT]


def test_after_an_early_close_contents_are_excess_because_the_batch_is_closed() -> None:
    batch = a_batch(2)
    hear(batch, content(1, text="same"))
    batch.close()

    assert reasons(hear(batch, content(2), content(3, text="same"))) == [ExcessReason.BATCH_CLOSED] * 2


def test_after_an_early_close_failures_say_nothing() -> None:
    batch = a_batch(2)
    batch.close()

    assert hear(batch, failure(1)) == []


def test_a_cancelled_batch_gives_no_slots_and_never_completes() -> None:
    batch = a_batch(1)
    batch.cancel()

    said = hear(batch, content(1), failure(2))

    assert reasons(said) == [ExcessReason.BATCH_CLOSED]
    assert of(BatchContentProvisioningCompletedV1, said) == []
    assert states(batch) == [SlotState.FREE]


def test_a_batch_cancelled_after_its_completion_takes_contents_as_closed() -> None:
    batch = a_batch(1)
    hear(batch, content(1))
    batch.cancel()
    batch.cancel()

    assert reasons(hear(batch, content(2))) == [ExcessReason.BATCH_CLOSED]


def test_a_cancelled_batch_cannot_be_closed() -> None:
    batch = a_batch()
    batch.cancel()

    with pytest.raises(Refused):
        batch.close()


def test_confirmed_associations_wait_until_the_content_is_complete() -> None:
    batch = a_batch(2)
    hear(batch, content(1))

    with pytest.raises(NotYet, match=str(BATCH)):
        batch.associations_confirmed()


def test_confirmed_associations_make_the_essays_of_a_regular_batch_ready_once() -> None:
    batch = a_batch(2)
    hear(batch, content(1), failure(2))

    (ready,) = of(BatchEssaysReadyV1, batch.associations_confirmed())

    assert (ready.batch_id, ready.course_code, ready.class_type) == (BATCH, CourseCode.SV1, ClassType.REGULAR)
    assert [essay.essay_id for essay in ready.ready_essays] == [essay_id(0)]
    assert batch.associations_confirmed() == []


def test_a_guest_batch_never_says_that_its_essays_are_ready() -> None:
    batch = a_batch(1, class_id=None)
    assert batch.associations_confirmed() == []
    hear(batch, content(1))

    assert batch.associations_confirmed() == []


def test_a_cancelled_batch_never_says_that_its_essays_are_ready() -> None:
    batch = a_batch(1)
    hear(batch, content(1))
    batch.cancel()

    assert batch.associations_confirmed() == []


def test_student_matching_is_routed_once_without_touching_the_essays() -> None:
    batch = a_batch(1)
    hear(batch, content(1))
    before = [(slot.state, slot.file_upload_id, slot.text_storage_id) for slot in batch.slots]
    command = InitiateStudentMatchingV1(
        batch_id=BATCH, class_id=CLASS, course_code=CourseCode.SV1, teacher_id="berit", essays=batch.essays()
    )

    (requested,) = batch.initiate_matching(command)
    again = batch.initiate_matching(command)
    batch.associations_confirmed()

    assert requested == BatchStudentMatchingRequestedV1(**command.model_dump())
    assert again == []
    assert [(slot.state, slot.file_upload_id, slot.text_storage_id) for slot in batch.slots] == before


CLOSE = "close"
UPLOADS = st.integers(1, 6)
TEXTS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.lists(
    st.one_of(st.builds(content, UPLOADS, TEXTS), st.builds(failure, UPLOADS), st.just(CLOSE)), max_size=15
)


def step(batch: EssayBatch, what: File | str) -> list[Event]:
    return batch.close() if isinstance(what, str) else hear(batch, what)


@given(slots=st.integers(1, 4), steps=STEPS)
def test_whatever_comes_in_whatever_order_no_slot_is_shared_and_completion_is_said_at_most_once(
    slots: int, steps: list[File | str]
) -> None:
    batch, said = a_batch(slots), []

    for each in steps:
        said += step(batch, each)
        taken = [slot for slot in batch.slots if slot.state is not SlotState.FREE]
        texts = [slot.text_storage_id for slot in taken if slot.state is SlotState.ASSIGNED]
        files = [slot.file_upload_id for slot in taken if slot.file_upload_id]
        assert len(taken) <= slots == len(batch.slots)
        assert len(set(texts)) == len(texts)
        assert len(set(files)) == len(files)
        assert len(of(BatchContentProvisioningCompletedV1, said)) == (len(taken) == slots)

    assigned = [event.essay_id for event in of(EssaySlotAssignedV1, said)]
    assert len(set(assigned)) == len(assigned)
    about = of(EssaySlotAssignedV1, said) + of(ExcessContentProvisionedV1, said)
    assert max(Counter(event.file_upload_id for event in about).values(), default=0) <= 1


@given(slots=st.integers(1, 4), steps=STEPS)
def test_hearing_everything_a_second_time_says_and_changes_nothing(slots: int, steps: list[File | str]) -> None:
    batch = a_batch(slots)
    files = [each for each in steps if not isinstance(each, str)]
    hear(batch, *files)
    before = [(slot.state, slot.file_upload_id) for slot in batch.slots]

    assert hear(batch, *files) == []
    assert [(slot.state, slot.file_upload_id) for slot in batch.slots] == before


@given(st.data())
def test_the_files_of_a_batch_end_the_same_in_every_order(data: st.DataObject) -> None:
    slots = data.draw(st.integers(1, 5))
    fails = data.draw(st.lists(st.booleans(), min_size=slots, max_size=slots))
    files = [failure(number) if failed else content(number) for number, failed in enumerate(fails, start=1)]

    said = completed(hear(a_batch(slots), *data.draw(st.permutations(files))))

    assert (said.provisioned_count, said.failed_count) == (fails.count(False), fails.count(True))
    assert {essay.text_storage_id for essay in said.essays} == {
        file.text_storage_id for file in files if isinstance(file, EssayContentProvisionedV1)
    }
