"""One sentence for everything a batch can wait for."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from common_core.status_enums import BatchStatus, CourseCode

from services.batch_orchestrator_service.models import Batch, HistoryEntry
from services.batch_orchestrator_service.state_machine import BatchTrigger
from services.batch_orchestrator_service.why import Facts, awaited_class, explain

REGISTERED = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MOVED = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SERVICES = ("batch orchestrator", "essay lifecycle", "class management", "student matcher", "file service")
SLOTS = {"slots": [{"state": "assigned"}, {"state": "free"}, {"state": "free"}]}
DECIDED = {"slots": [{"state": "assigned"}, {"state": "closed"}]}
DEADLINE = "2026-03-02T09:30:00Z"


def a_batch(status: BatchStatus, *deferred: BatchTrigger) -> Batch:
    moves = []
    if status is not BatchStatus.AWAITING_CONTENT_VALIDATION:
        start = BatchStatus.AWAITING_CONTENT_VALIDATION
        moves.append(HistoryEntry(start, status, BatchTrigger.CONTENT_COMPLETED, MOVED, None))
    return Batch(
        batch_id=uuid4(),
        teacher_id="berit",
        course_code=CourseCode.SV1,
        class_id=uuid4(),
        assignment=None,
        expected_essay_count=3,
        registered_at=REGISTERED,
        status=status,
        deferred=deferred,
        history=tuple(moves),
    )


def facts(
    essays: dict[str, Any] | None = None,
    associations: dict[str, Any] | None = None,
    **waiting: dict[str, Any] | None,
) -> Facts:
    """What the services say; by default nothing waits anywhere."""
    nothing: dict[str, Any] = {"parked": [], "timers": []}
    return Facts(essays, associations, {each: waiting.get(each.replace(" ", "_"), nothing) for each in SERVICES})


def asked(*methods: str | None, status: str = "open") -> dict[str, Any]:
    return {"status": status, "deadline": DEADLINE, "associations": [{"validation_method": each} for each in methods]}


def parked(**changes: object) -> dict[str, Any]:
    message = {
        "position": 42,
        "type": "EssayContentProvisionedV1",
        "state": "dead",
        "reason": "bug",
        "error": "RuntimeError: our fault",
        "attempts": 8,
        "behind": None,
        "parked_at": "2026-03-01T08:15:00Z",
    }
    return {**message, **changes}


def timer(name: str, **changes: object) -> dict[str, Any]:
    return {"name": name, "due_at": "2026-03-01T09:31:00Z", "attempts": 0, "last_error": None, **changes}


CONTENT = BatchStatus.AWAITING_CONTENT_VALIDATION
STUDENTS = BatchStatus.AWAITING_STUDENT_VALIDATION
EARLY = "since 2026-03-01 08:00:00 UTC"
LATER = "since 2026-03-01 09:30:00 UTC"


@pytest.mark.parametrize(
    ("status", "found", "sentence"),
    [
        (CONTENT, facts(SLOTS), f"It waits for content: 2 of 3 slots are free, {EARLY}."),
        (
            CONTENT,
            facts(SLOTS, file_service={"parked": [], "timers": [timer("extract")]}),
            f"It waits for content: 2 of 3 slots are free, and the file service is reading files, {EARLY}.",
        ),
        (
            CONTENT,
            facts(DECIDED),
            f"It waits for content: all slots are decided, so the message that says so is on its way, {EARLY}.",
        ),
        (CONTENT, facts(), f"It waits for content: the essay lifecycle does not know the batch yet, {EARLY}."),
        (
            CONTENT,
            facts(essay_lifecycle=None),
            f"It waits for content: how many slots are free is unknown, {EARLY}; the essay lifecycle does not answer.",
        ),
        (
            STUDENTS,
            facts(),
            "It waits to know who wrote which essay: no suggestions have come yet, so the teacher has not been asked, "
            f"{LATER}.",
        ),
        (
            STUDENTS,
            facts(student_matcher={"parked": [], "timers": [timer("match")]}),
            "It waits to know who wrote which essay: no suggestions have come yet, so the teacher has not been asked; "
            f"the student matcher looks for names, next at 2026-03-01 09:31:00 UTC, {LATER}.",
        ),
        (
            STUDENTS,
            facts(class_management=None),
            f"It waits to know who wrote which essay: whether the teacher was asked is unknown, {LATER}; "
            "the class management does not answer.",
        ),
        (
            STUDENTS,
            facts(None, asked("human", None, None)),
            "It waits to know who wrote which essay: 2 of 3 essays are not decided; "
            f"the teacher decides until 2026-03-02 09:30:00 UTC, {LATER}.",
        ),
        (
            STUDENTS,
            facts(None, asked("human", "auto")),
            "It waits to know who wrote which essay: every essay is decided, but not confirmed; "
            f"the teacher decides until 2026-03-02 09:30:00 UTC, {LATER}.",
        ),
        (
            STUDENTS,
            facts(None, asked("human", status="confirmed")),
            "It waits to know who wrote which essay: the teacher has confirmed, so the message that says so is on its "
            f"way, {LATER}.",
        ),
        (
            BatchStatus.STUDENT_VALIDATION_COMPLETED,
            facts(),
            f"It waits for the essay lifecycle to say that the essays are ready, {LATER}.",
        ),
        *(
            (final, facts(), f"It waits for nothing: it is {final}, {LATER}.")
            for final in (
                BatchStatus.READY_FOR_PIPELINE_EXECUTION,
                BatchStatus.CONTENT_INGESTION_FAILED,
                BatchStatus.CANCELLED,
            )
        ),
    ],
)
def test_every_state_has_its_sentence(status: BatchStatus, found: Facts, sentence: str) -> None:
    assert explain(a_batch(status), found) == sentence


def test_what_came_early_is_told() -> None:
    early = a_batch(CONTENT, BatchTrigger.ASSOCIATIONS_CONFIRMED, BatchTrigger.ESSAYS_READY)

    sentence = explain(early, facts(SLOTS))

    assert sentence.endswith(f"{EARLY}; associations_confirmed, essays_ready came early and are kept.")


def test_a_dead_letter_and_what_waits_are_named_with_their_errors() -> None:
    waiting = parked(state="waiting", reason="not_yet", error="batch 1 is not known", attempts=3)

    sentence = explain(a_batch(CONTENT), facts(SLOTS, essay_lifecycle={"parked": [parked(), waiting], "timers": []}))

    since = "since 2026-03-01 08:15:00 UTC"
    told = f"; the essay lifecycle has parked EssayContentProvisionedV1 {since}"
    assert f"{told} (dead letter essay-lifecycle/42: RuntimeError" in sentence
    assert f"{told} (waiting after attempt 3: " in sentence


def test_what_is_behind_others_is_counted_not_told() -> None:
    crowd = [parked(behind=1, error="secret") for _ in range(4)] + [parked() for _ in range(5)]

    sentence = explain(a_batch(CONTENT), facts(SLOTS, file_service={"parked": crowd, "timers": []}))

    assert sentence.count("has parked") == 3
    assert "6 more are parked there" in sentence
    assert "secret" not in sentence


def test_a_timer_that_fails_is_told() -> None:
    failing = timer("match", last_error="ReadTimeout()", attempts=2)

    sentence = explain(a_batch(STUDENTS), facts(student_matcher={"parked": [], "timers": [failing]}))

    assert sentence.endswith("; the student matcher's match is tried again (ReadTimeout()).")


def test_a_batch_that_is_not_registered_waits_for_that() -> None:
    command = parked(type="RegisterBatchV1", state="waiting", error="ClassNotKnown: class is not known", attempts=2)

    sentence = explain(None, facts(batch_orchestrator={"parked": [command], "timers": []}))

    assert sentence.startswith("It waits to be registered, since 2026-03-01 08:15:00 UTC; the batch orchestrator has")
    assert "parked RegisterBatchV1" in sentence


def test_a_batch_that_is_not_registered_is_of_the_class_that_its_registration_waits_for() -> None:
    early = parked(type="BatchEssaysReadyV1", waits_for="the batch")
    command = parked(type="RegisterBatchV1", waits_for="9A")

    assert awaited_class({"parked": [early, command]}) == "9A"
    assert awaited_class({"parked": [early]}) is None


@pytest.mark.parametrize(
    ("school_class", "trouble"),
    [
        (None, ", and class 9A does not exist"),
        ({"students": []}, ", and class 9A has no students yet"),
        ({"students": ["Anna"]}, ""),
    ],
)
def test_a_class_that_does_not_exist_or_has_no_students_is_named(
    school_class: dict[str, Any] | None, trouble: str
) -> None:
    def about_the_class(found: Facts) -> Facts:
        return replace(found, class_id="9A", school_class=school_class)

    not_asked = explain(a_batch(STUDENTS), about_the_class(facts()))
    asked_already = explain(a_batch(STUDENTS), about_the_class(facts(associations=asked(None))))
    not_registered = explain(None, about_the_class(facts(batch_orchestrator={"parked": [parked()], "timers": []})))

    assert f"so the teacher has not been asked{trouble}, {LATER}" in not_asked
    assert f"1 of 1 essays are not decided{trouble}; the teacher decides" in asked_already
    assert not_registered.startswith(f"It waits to be registered{trouble}, since")


def test_nothing_is_said_about_the_class_when_class_management_does_not_answer() -> None:
    assert "9A" not in explain(a_batch(STUDENTS), replace(facts(class_management=None), class_id="9A"))
