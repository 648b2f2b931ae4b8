"""The slots of a batch after anything that can happen to it, in any order and repeated, beside a simple model."""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

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
from common_core.status_enums import CourseCode, FileErrorCode, SlotState
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from services.essay_lifecycle_service.models import EssayBatch
from tests.exhaustive import examples

BATCH, CLASS = UUID(int=1), UUID(int=2)
ABOUT: dict[str, Any] = {"batch_id": BATCH, "course_code": CourseCode.SV1, "teacher_id": "berit"}

type Said = list[tuple[object, ...]]
"""What is said, as the model puts it: a word, then what it is about."""


class Model:
    """What a batch must do, told as a list of uploads: number, text and fate of each, in the order they came."""

    def __init__(self, slots: int, *, guest: bool) -> None:
        self.slots, self.guest = slots, guest
        self.fates: dict[int, tuple[str, str]] = {}
        """Fate and text of each upload."""
        self.ended = ""
        """full, closed or cancelled; the first of full and closed stays until it is cancelled."""
        self.was_closed = self.completed = self.ready = self.requested = False

    @property
    def taken(self) -> list[tuple[int, str, str]]:
        """Upload, fate and text of the slots that are taken, in their order."""
        return [(number, *fate) for number, fate in self.fates.items() if fate[0] in ("assigned", "failed")]

    def content(self, number: int, text: str) -> Said:
        if number in self.fates:
            return []
        texts = [each for fate, each in self.fates.values() if fate == "assigned"]
        if self.was_closed or self.ended == "cancelled":
            fate = "batch_closed"
        elif text in texts:
            fate = "duplicate_content"
        else:
            fate = "no_available_slot" if len(self.taken) == self.slots else "assigned"
        self.fates[number] = (fate, text)
        return (
            [(fate, number, len(self.taken) - 1), *self._full()] if fate == "assigned" else [("excess", number, fate)]
        )

    def failure(self, number: int) -> Said:
        if number in self.fates:
            return []
        self.fates[number] = ("unheeded" if self.ended else "failed", "")
        return [] if self.ended else self._full()

    def close(self) -> Said:
        if self.ended:
            return []
        self.ended, self.was_closed = "closed", True
        return self._complete()

    def confirm(self) -> Said:
        if self.guest or self.ended == "cancelled" or self.ready:
            return []
        self.ready = True
        return [("ready", self._numbers())]

    def match(self) -> Said:
        asked, self.requested = self.requested, True
        return [] if asked else [("requested",)]

    def _full(self) -> Said:
        if len(self.taken) < self.slots:
            return []
        self.ended = "full"
        return self._complete()

    def _complete(self) -> Said:
        self.completed = True
        failed = sum(fate == "failed" for _, fate, _ in self.taken)
        return [("completed", self.slots, self._numbers(), failed)]

    def _numbers(self) -> tuple[int, ...]:
        return tuple(number for number, fate, _ in self.taken if fate == "assigned")


def told(event: Event) -> tuple[object, ...]:
    """An event in the model's words."""
    match event:
        case EssaySlotAssignedV1():
            return "assigned", event.file_upload_id.int, event.essay_id.int - 1000
        case ExcessContentProvisionedV1():
            return "excess", event.file_upload_id.int, event.reason.value
        case BatchContentProvisioningCompletedV1():
            assert event.provisioned_count == len(event.essays)
            return "completed", event.expected_count, numbers(event), event.failed_count
        case BatchEssaysReadyV1():
            return "ready", numbers(event)
        case BatchStudentMatchingRequestedV1():
            return ("requested",)
        case _:
            raise TypeError(event)


def numbers(event: BatchContentProvisioningCompletedV1 | BatchEssaysReadyV1) -> tuple[int, ...]:
    """The uploads whose essays an event carries, in its order."""
    essays = event.essays if isinstance(event, BatchContentProvisioningCompletedV1) else event.ready_essays
    return tuple(int(each.original_file_name) for each in essays)


class AnyHistory(RuleBasedStateMachine):
    """Hears what can be heard; after each step batch and model agree, and so do all that was said so far."""

    heard = Bundle("heard")

    @initialize(slots=st.integers(1, 4), guest=st.booleans())
    def register(self, slots: int, guest: bool) -> None:
        essay_ids = tuple(UUID(int=1000 + number) for number in range(slots))
        registration = {"class_id": None if guest else CLASS, "expected_essay_count": slots, "essay_ids": essay_ids}
        self.batch = EssayBatch.register(BatchEssaysRegisteredV1(**ABOUT, **registration))
        self.model = Model(slots, guest=guest)
        self.said: list[Event] = []

    @rule(target=heard, number=st.integers(1, 7), text=st.sampled_from("abcd"))
    def content(self, number: int, text: str) -> Event:
        file = {"file_upload_id": UUID(int=number), "original_file_name": str(number), "file_size_bytes": 1}
        event = EssayContentProvisionedV1(batch_id=BATCH, text_storage_id=text, **file)
        self.hear(event)
        return event

    @rule(target=heard, number=st.integers(1, 7))
    def failure(self, number: int) -> Event:
        file = {"file_upload_id": UUID(int=number), "original_file_name": str(number), "file_size_bytes": 0}
        event = EssayValidationFailedV1(
            batch_id=BATCH, error_code=FileErrorCode.EMPTY_CONTENT, error_detail="empty", **file
        )
        self.hear(event)
        return event

    @rule(event=heard)
    def again(self, event: Event) -> None:
        self.hear(event)

    @rule(target=heard, events=st.lists(consumes(heard), max_size=5))
    def all_again(self, events: list[Event]) -> Any:
        before = self.everything()
        self.hear(*events)
        assert self.everything() == before, "what was heard before changed something"
        return multiple(*events)

    @rule()
    def close(self) -> None:
        if self.model.ended == "cancelled":
            self.is_refused(Refused, self.batch.close)
        else:
            self.agree(self.batch.close(), self.model.close())

    @rule()
    def cancel(self) -> None:
        self.batch.cancel()
        self.model.ended = "cancelled"

    @rule()
    def confirm_associations(self) -> None:
        if self.model.ended or self.model.guest:
            self.agree(self.batch.associations_confirmed(), self.model.confirm())
        else:
            self.is_refused(NotYet, self.batch.associations_confirmed)

    @rule()
    def initiate_matching(self) -> None:
        command = InitiateStudentMatchingV1(**ABOUT, class_id=CLASS, essays=self.batch.essays())
        self.agree(self.batch.initiate_matching(command), self.model.match())

    @invariant()
    def the_slots_are_those_of_the_model(self) -> None:
        states = {"assigned": SlotState.ASSIGNED, "failed": SlotState.CLOSED}
        expected = [(states[fate], number, text or None) for number, fate, text in self.model.taken]
        left = SlotState.CLOSED if self.model.was_closed else SlotState.FREE
        expected += [(left, None, None)] * (self.model.slots - len(expected))
        assert [(state, upload and upload.int, text) for state, upload, text in self.slots()] == expected

    @invariant()
    def no_slot_is_shared_and_no_content_has_two(self) -> None:
        assigned = [(upload, text) for state, upload, text in self.slots() if state is SlotState.ASSIGNED]
        assert len({upload for upload, _ in assigned}) == len({text for _, text in assigned}) == len(assigned)

    @invariant()
    def everything_is_said_once(self) -> None:
        once = Counter(type(event) for event in self.said if not hasattr(event, "file_upload_id"))
        files = Counter(event.model_dump()["file_upload_id"] for event in self.said if hasattr(event, "file_upload_id"))
        slots = Counter(event.essay_id for event in self.said if isinstance(event, EssaySlotAssignedV1))
        assert max((*once.values(), *files.values(), *slots.values()), default=1) == 1
        assert once[BatchContentProvisioningCompletedV1] == self.model.completed

    def hear(self, *events: Event) -> None:
        for event in events:
            if isinstance(event, EssayContentProvisionedV1):
                expected = self.model.content(event.file_upload_id.int, event.text_storage_id)
                self.agree(self.batch.provision(event), expected)
            elif isinstance(event, EssayValidationFailedV1):
                self.agree(self.batch.fail(event), self.model.failure(event.file_upload_id.int))

    def agree(self, said: list[Event], expected: Said) -> None:
        assert [told(event) for event in said] == expected
        self.said += said

    def is_refused(self, error: type[Exception], act: Callable[[], object]) -> None:
        before = self.everything()
        try:
            act()
        except error:
            assert self.everything() == before, "what was refused changed something"
        else:
            raise AssertionError(f"{error.__name__} is not raised")

    def slots(self) -> list[tuple[SlotState, UUID | None, str | None]]:
        return [(slot.state, slot.file_upload_id, slot.text_storage_id) for slot in self.batch.slots]

    def everything(self) -> tuple[object, ...]:
        uploads = [(each.file_upload_id, each.outcome, each.reason) for each in self.batch.uploads]
        flags = (self.batch.state, self.batch.closed_early, self.batch.ready_said, self.batch.matching_said)
        return self.slots(), uploads, flags, len(self.said)


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = examples(40, 20_000, steps=30)
