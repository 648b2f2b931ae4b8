"""Who wrote which essay: suggested, decided by the teacher, the deadline or the class's setting, and final once."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from common_core.events import (
    BatchCancelledV1,
    EssayMatch,
    EssayRef,
    Evidence,
    StudentAssociationsConfirmedV1,
    StudentSuggestion,
    StudentValidationRequestedV1,
)
from common_core.status_enums import (
    AssociationConfidenceLevel,
    AssociationValidationMethod,
    CourseCode,
    NoMatchReason,
    StudentAssociationStatus,
)
from hypothesis import given
from hypothesis import strategies as st
from service_runtime import CancelTimer, SetTimer
from service_runtime.handlers import Effect

from services.class_management_service.errors import (
    AlreadyConfirmed,
    EssayNotOfBatch,
    NotOpen,
    StudentNotInClass,
    Undecided,
)
from services.class_management_service.models import SchoolClass, StudentAssociation, StudentEntry, Validation
from services.class_management_service.models.validations import DEADLINE
from services.class_management_service.state_machine import ValidationStatus

BATCH, CLASS = UUID(int=1), UUID(int=2)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
ANNA, BO, CY, STRANGER = (UUID(int=100 + number) for number in range(4))
E1, E2, E3, FOREIGN = (UUID(int=200 + number) for number in range(4))

S = StudentAssociationStatus
M = AssociationValidationMethod


def a_class(deadline_seconds: int = 3_600, auto_confirm: bool = False) -> SchoolClass:
    school_class = SchoolClass(
        class_id=CLASS,
        name="9B",
        course_code=CourseCode.SV1,
        teacher_id="berit",
        association_deadline_seconds=deadline_seconds,
        auto_confirm=auto_confirm,
    )
    people = [("Anna", ANNA), ("Bo", BO), ("Cy", CY)]
    school_class.change_roster([StudentEntry(first_name=n, last_name="Ek", student_id=i) for n, i in people], UUID)
    return school_class


def a_class_without(student_id: UUID) -> SchoolClass:
    school_class = a_class()
    school_class.students = [each for each in school_class.students if each.student_id != student_id]
    return school_class


def match(essay_id: UUID, *candidates: tuple[UUID, float], reason: NoMatchReason | None = None) -> EssayMatch:
    """What the matcher says about an essay: candidates with their scores, the best first."""
    return EssayMatch(
        essay_id=essay_id,
        text_storage_id=f"text-{essay_id.int}",
        original_file_name=f"{essay_id.int}.txt",
        suggestions=tuple(
            StudentSuggestion(
                student_id=student_id,
                student_name="somebody",
                confidence_score=score,
                confidence_level=AssociationConfidenceLevel.of(score),
                match_reasons=("The first line says so.",),
                evidence=(Evidence(found="Anna Ek", where="first line"),),
            )
            for student_id, score in candidates
        ),
        no_match_reason=reason,
    )


def essay(essay_id: UUID) -> EssayRef:
    return EssayRef(essay_id=essay_id, text_storage_id=f"text-{essay_id.int}", original_file_name=f"{essay_id.int}.txt")


CLEAR_ANNA, GOOD_BO = match(E1, (ANNA, 0.95)), match(E2, (BO, 0.8))
NOBODY = match(E3, reason=NoMatchReason.NO_IDENTITY_FOUND)


def asked(*matches: EssayMatch, of: SchoolClass | None = None) -> Validation:
    """A validation whose teacher was asked about these matches."""
    school_class = of or a_class()
    validation = Validation.expected(BATCH, school_class)
    validation.suggest(matches or (CLEAR_ANNA, GOOD_BO, NOBODY), school_class, NOW)
    return validation


def association(validation: Validation, essay_id: UUID) -> StudentAssociation:
    (only,) = [each for each in validation.associations if each.essay_id == essay_id]
    return only


def final(validation: Validation) -> dict[UUID, tuple[S, M | None, UUID | None]]:
    return {a.essay_id: (a.validation_status, a.validation_method, a.student_id) for a in validation.associations}


def of[E: Effect](kind: type[E], effects: Iterable[Effect]) -> list[E]:
    return [effect for effect in effects if isinstance(effect, kind)]


def confirmed(effects: Iterable[Effect]) -> StudentAssociationsConfirmedV1:
    (only,) = of(StudentAssociationsConfirmedV1, effects)
    return only


def decide(validation: Validation, essay_id: UUID, student_id: UUID | None, by: str = "berit") -> None:
    validation.decide({essay_id: student_id}, a_class(), by, LATER)


# Suggestions


def test_the_first_suggestions_ask_the_teacher_and_set_the_deadline_of_the_class() -> None:
    school_class = a_class(deadline_seconds=60)
    validation = Validation.expected(BATCH, school_class)

    effects = validation.suggest((CLEAR_ANNA, GOOD_BO, NOBODY), school_class, NOW)

    deadline = NOW + timedelta(seconds=60)
    assert effects == [
        SetTimer(DEADLINE, BATCH, deadline),
        StudentValidationRequestedV1(
            batch_id=BATCH,
            class_id=CLASS,
            teacher_id="berit",
            deadline=deadline,
            suggested_count=2,
            unmatched_count=1,
        ),
    ]
    assert validation.status is ValidationStatus.OPEN


def test_every_essay_has_a_row_whether_or_not_a_student_was_found() -> None:
    validation = asked()

    found, nobody = association(validation, E1), association(validation, E3)
    assert (found.suggested_student_id, found.confidence_score) == (ANNA, 0.95)
    assert found.confidence_level is AssociationConfidenceLevel.HIGH
    assert found.match_reasons == ("The first line says so.",)
    assert found.evidence == (Evidence(found="Anna Ek", where="first line"),)
    assert (nobody.suggested_student_id, nobody.confidence_score) == (None, None)
    assert nobody.no_match_reason is NoMatchReason.NO_IDENTITY_FOUND
    assert nobody.confidence_level is AssociationConfidenceLevel.NO_MATCH
    assert {each.validation_status for each in validation.associations} == {S.PENDING_VALIDATION}


def test_among_ambiguous_candidates_none_is_suggested() -> None:
    validation = asked(match(E1, (ANNA, 0.5), (BO, 0.5), reason=NoMatchReason.AMBIGUOUS))

    row = association(validation, E1)
    assert (row.suggested_student_id, row.no_match_reason) == (None, NoMatchReason.AMBIGUOUS)


@pytest.mark.parametrize("first", ["expected", "suggested"])
def test_essays_expected_before_or_after_their_suggestions_have_one_row_each(first: str) -> None:
    school_class = a_class()
    validation = Validation.expected(BATCH, school_class)
    steps: list[Callable[[], object]] = [
        lambda: validation.expect([essay(E1), essay(E2), essay(E3)]),
        lambda: validation.suggest((CLEAR_ANNA, GOOD_BO), school_class, NOW),
    ]

    for step in steps if first == "expected" else reversed(steps):
        step()
        step()

    assert sorted(each.essay_id for each in validation.associations) == [E1, E2, E3]
    assert association(validation, E1).suggested_student_id == ANNA
    assert association(validation, E3).suggested_student_id is None


def test_expecting_essays_does_not_ask_the_teacher_yet() -> None:
    validation = Validation.expected(BATCH, a_class())

    validation.expect([essay(E1)])

    assert (validation.status, validation.deadline) == (ValidationStatus.EXPECTED, None)


def test_later_suggestions_replace_earlier_ones_and_do_not_ask_again_or_move_the_deadline() -> None:
    validation, school_class = asked(), a_class()
    deadline = validation.deadline

    effects = validation.suggest((match(E1, (BO, 0.75)), match(E2)), school_class, LATER)

    assert effects == []
    assert validation.deadline == deadline
    assert association(validation, E1).suggested_student_id == BO
    assert association(validation, E2).suggested_student_id is None
    assert association(validation, E2).match_reasons == ()


def test_later_suggestions_leave_alone_what_the_teacher_decided() -> None:
    validation = asked()
    decide(validation, E1, BO)

    validation.suggest((match(E1, (CY, 0.99)),), a_class(), LATER)

    row = association(validation, E1)
    assert (row.student_id, row.validation_status, row.suggested_student_id) == (BO, S.CONFIRMED, ANNA)


@pytest.mark.parametrize("reason", [NoMatchReason.TEXT_UNAVAILABLE, NoMatchReason.ROSTER_UNAVAILABLE])
def test_not_knowing_does_not_replace_a_suggestion(reason: NoMatchReason) -> None:
    validation = asked()

    validation.suggest((match(E1, reason=reason),), a_class(), LATER)

    assert association(validation, E1).suggested_student_id == ANNA


def test_a_suggestion_of_somebody_who_is_not_in_the_class_is_dropped() -> None:
    validation = asked(match(E1, (STRANGER, 0.95)), match(E2, (STRANGER, 0.95), (BO, 0.6)))

    one, other = association(validation, E1), association(validation, E2)
    assert (one.suggested_student_id, one.confidence_score, one.evidence) == (None, None, ())
    assert one.no_match_reason is NoMatchReason.NO_STUDENT_FOUND
    assert (other.suggested_student_id, other.confidence_score) == (BO, 0.6)


def test_who_leaves_the_class_is_no_longer_suggested_where_nothing_was_decided() -> None:
    validation = asked(CLEAR_ANNA, match(E2, (ANNA, 0.8)), match(E3, (BO, 0.8)))
    decide(validation, E1, ANNA)

    validation.roster_changed(a_class_without(ANNA).student_ids)

    by_essay = {each.essay_id: each for each in validation.associations}
    assert [by_essay[each].suggested_student_id for each in (E1, E2, E3)] == [ANNA, None, BO]
    assert by_essay[E2].match_reasons == ("The student who was suggested is not in the class.",)
    assert final(validation)[E1] == (S.CONFIRMED, M.HUMAN, ANNA)


def test_the_decision_for_a_student_who_left_stays_also_when_it_is_sent_again() -> None:
    validation = asked(CLEAR_ANNA)
    decide(validation, E1, ANNA)

    validation.decide({E1: ANNA}, a_class_without(ANNA), "berit", LATER)
    validation.confirm()

    assert final(validation) == {E1: (S.CONFIRMED, M.HUMAN, ANNA)}


@pytest.mark.parametrize("end", ["confirmed", "cancelled"])
def test_suggestions_and_essays_that_come_after_the_end_change_nothing(end: str) -> None:
    validation = asked(CLEAR_ANNA)
    if end == "confirmed":
        decide(validation, E1, ANNA)
        validation.confirm()
    else:
        validation.cancel()
    before = final(validation)

    assert validation.suggest((match(E1, (BO, 0.99)), GOOD_BO), a_class(), LATER) == []
    validation.expect([essay(E3)])
    assert final(validation) == before


# Decisions


def test_a_chosen_student_is_confirmed_with_who_and_when() -> None:
    validation = asked()

    decide(validation, E1, BO)

    row = association(validation, E1)
    assert (row.student_id, row.validation_status) == (BO, S.CONFIRMED)
    assert (row.validated_by, row.validated_at, row.validation_method) == ("berit", LATER, M.HUMAN)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (match(E1, (ANNA, 0.95)), S.REJECTED),
        (match(E1, (ANNA, 0.5), (BO, 0.5), reason=NoMatchReason.AMBIGUOUS), S.REJECTED),
        (match(E1, reason=NoMatchReason.NO_STUDENT_FOUND), S.NO_MATCH),
    ],
)
def test_none_of_my_students_rejects_a_suggestion_and_is_no_match_where_there_was_none(
    found: EssayMatch, status: S
) -> None:
    validation = asked(found)

    decide(validation, E1, None)

    assert final(validation)[E1] == (status, M.HUMAN, None)


def test_a_decision_can_be_changed_until_the_batch_is_confirmed() -> None:
    validation = asked(CLEAR_ANNA)

    for student_id in (BO, None, CY, ANNA):
        decide(validation, E1, student_id)

    assert final(validation)[E1] == (S.CONFIRMED, M.HUMAN, ANNA)


def test_an_essay_of_another_batch_cannot_be_decided() -> None:
    with pytest.raises(EssayNotOfBatch, match=str(FOREIGN)):
        decide(asked(), FOREIGN, ANNA)


def test_a_student_who_is_not_in_the_class_cannot_be_chosen() -> None:
    with pytest.raises(StudentNotInClass, match=str(STRANGER)):
        decide(asked(), E1, STRANGER)


@pytest.mark.parametrize("wrong", [{E2: STRANGER}, {FOREIGN: ANNA}])
def test_of_several_decisions_all_are_taken_or_none(wrong: dict[UUID, UUID]) -> None:
    validation = asked()

    with pytest.raises((StudentNotInClass, EssayNotOfBatch)):
        validation.decide({E1: ANNA, **wrong}, a_class(), "berit", LATER)
    assert not any(each.decided for each in validation.associations)


def test_confirming_needs_every_essay_decided_and_names_those_that_are_not() -> None:
    validation = asked()
    decide(validation, E1, ANNA)

    with pytest.raises(Undecided) as refused:
        validation.confirm()
    assert refused.value.details == {"undecided": [str(E2), str(E3)]}
    assert validation.status is ValidationStatus.OPEN


def test_confirming_says_every_association_and_how_many_were_decided_how() -> None:
    validation = asked()
    for essay_id, student_id in ((E1, ANNA), (E2, CY), (E3, None)):
        decide(validation, essay_id, student_id)

    effects = validation.confirm()

    said = confirmed(effects)
    assert [(a.essay_id, a.student_id, a.status, a.confidence_score) for a in said.associations] == [
        (E1, ANNA, S.CONFIRMED, 0.95),
        (E2, CY, S.CONFIRMED, None),  # The score was another student's.
        (E3, None, S.NO_MATCH, None),
    ]
    assert {(a.validation_method, a.validated_by, a.validated_at) for a in said.associations} == {
        (M.HUMAN, "berit", LATER)
    }
    assert (said.batch_id, said.class_id, said.course_code) == (BATCH, CLASS, CourseCode.SV1)
    assert not said.timeout_triggered
    assert said.validation_summary.model_dump() == {"human": 3, "timeout": 0, "auto": 0}
    assert of(CancelTimer, effects) == [CancelTimer(DEADLINE, BATCH)]
    assert validation.status is ValidationStatus.CONFIRMED


def test_where_no_student_stands_no_confidence_is_said() -> None:
    validation = asked(match(E1, (ANNA, 0.5), (BO, 0.5), reason=NoMatchReason.AMBIGUOUS))
    decide(validation, E1, None)

    assert confirmed(validation.confirm()).associations[0].confidence_score is None


def test_accepting_suggestions_takes_them_where_nothing_was_decided() -> None:
    validation = asked()
    decide(validation, E2, None)

    validation.accept_suggestions(a_class(), "berit", LATER)

    assert final(validation) == {
        E1: (S.CONFIRMED, M.HUMAN, ANNA),
        E2: (S.REJECTED, M.HUMAN, None),
        E3: (S.PENDING_VALIDATION, None, None),
    }


def test_a_suggested_student_who_left_the_class_is_not_accepted() -> None:
    validation = asked(CLEAR_ANNA)

    validation.accept_suggestions(a_class_without(ANNA), "berit", LATER)

    assert not association(validation, E1).decided


def test_after_confirmation_nothing_can_be_decided_moved_or_confirmed() -> None:
    validation = asked(CLEAR_ANNA)
    decide(validation, E1, ANNA)
    validation.confirm()

    for act in (
        lambda: decide(validation, E1, BO),
        lambda: validation.move_deadline(LATER),
    ):
        with pytest.raises(NotOpen, match="confirmed"):
            act()


def test_confirming_again_is_fine_with_the_same_decisions_and_refused_with_others() -> None:
    validation = asked(CLEAR_ANNA, GOOD_BO)
    decide(validation, E1, ANNA)
    decide(validation, E2, None)
    validation.confirm()

    for same in ({}, {E1: ANNA}, {E1: ANNA, E2: None}):
        validation.check_same(same)
    for other in ({E1: BO}, {E2: BO}, {E1: ANNA, FOREIGN: None}):
        with pytest.raises(AlreadyConfirmed, match="not as you sent them"):
            validation.check_same(other)


# The deadline


def test_after_the_deadline_good_suggestions_stand_and_the_others_have_no_student() -> None:
    validation, school_class = asked(), a_class()

    effects = validation.deadline_passed(school_class.student_ids, LATER)

    assert final(validation) == {
        E1: (S.TIMEOUT_CONFIRMED, M.TIMEOUT, ANNA),
        E2: (S.TIMEOUT_CONFIRMED, M.TIMEOUT, BO),
        E3: (S.NO_MATCH, M.TIMEOUT, None),
    }
    said = confirmed(effects)
    assert said.timeout_triggered
    assert said.validation_summary.model_dump() == {"human": 0, "timeout": 3, "auto": 0}
    assert [(a.validated_by, a.validated_at) for a in said.associations] == [(None, LATER)] * 3
    assert [a.confidence_score for a in said.associations] == [0.95, 0.8, None]


@pytest.mark.parametrize(
    ("found", "stands"),
    [
        (match(E1, (ANNA, 0.7)), True),
        (match(E1, (ANNA, 0.699)), False),
        (match(E1, (ANNA, 0.95), reason=NoMatchReason.AMBIGUOUS), False),
        (match(E1, (ANNA, 0.95), (BO, 0.94), reason=NoMatchReason.AMBIGUOUS), False),
        (match(E1, (STRANGER, 0.95)), False),
        (match(E1), False),
    ],
    ids=["0.7", "below 0.7", "ambiguous", "ambiguous pair", "not in the class", "nobody"],
)
def test_the_deadline_confirms_from_07_on_and_never_what_is_ambiguous(found: EssayMatch, stands: bool) -> None:
    validation = asked(found)

    validation.deadline_passed(a_class().student_ids, LATER)

    expected = (S.TIMEOUT_CONFIRMED, M.TIMEOUT, ANNA) if stands else (S.NO_MATCH, M.TIMEOUT, None)
    assert final(validation)[E1] == expected


def test_the_deadline_confirms_nobody_who_is_suggested_for_two_essays() -> None:
    validation = asked(match(E1, (ANNA, 0.95)), match(E2, (ANNA, 0.71)), match(E3, (BO, 0.9)))

    validation.deadline_passed(a_class().student_ids, LATER)

    assert [status for status, _, _ in final(validation).values()] == [S.NO_MATCH, S.NO_MATCH, S.TIMEOUT_CONFIRMED]


def test_decisions_already_made_stay_when_the_deadline_passes() -> None:
    validation = asked()
    decide(validation, E1, None)
    decide(validation, E3, CY)

    said = confirmed(validation.deadline_passed(a_class().student_ids, LATER))

    assert final(validation) == {
        E1: (S.REJECTED, M.HUMAN, None),
        E2: (S.TIMEOUT_CONFIRMED, M.TIMEOUT, BO),
        E3: (S.CONFIRMED, M.HUMAN, CY),
    }
    assert said.validation_summary.model_dump() == {"human": 2, "timeout": 1, "auto": 0}


def test_the_deadline_after_the_teacher_changes_nothing() -> None:
    validation = asked(CLEAR_ANNA)
    decide(validation, E1, BO)
    validation.confirm()

    assert validation.deadline_passed(a_class().student_ids, LATER) == []
    assert final(validation)[E1] == (S.CONFIRMED, M.HUMAN, BO)


def test_the_teacher_after_the_deadline_is_refused_even_with_the_same_decisions() -> None:
    validation = asked(CLEAR_ANNA)
    validation.deadline_passed(a_class().student_ids, LATER)

    with pytest.raises(NotOpen):
        decide(validation, E1, ANNA)
    with pytest.raises(AlreadyConfirmed, match="by their deadline"):
        validation.check_same({E1: ANNA})


def test_the_deadline_passing_twice_says_one_result() -> None:
    validation = asked()
    validation.deadline_passed(a_class().student_ids, LATER)

    assert validation.deadline_passed(a_class().student_ids, LATER) == []


def test_moving_the_deadline_sets_the_timer_anew() -> None:
    validation = asked()
    until = NOW + timedelta(days=3)

    assert validation.move_deadline(until) == [SetTimer(DEADLINE, BATCH, until)]
    assert validation.deadline == until


# Without a person


@pytest.mark.parametrize(
    ("found", "others", "passes"),
    [
        (match(E1, (ANNA, 0.91)), (), True),
        (match(E1, (ANNA, 0.9)), (), False),
        (match(E1, (ANNA, 0.95), (BO, 0.94), reason=NoMatchReason.AMBIGUOUS), (), False),
        (match(E1, (ANNA, 0.95)), (match(E2, (ANNA, 0.3)),), False),
        (match(E1, (STRANGER, 0.95)), (), False),
    ],
    ids=["above 0.9", "0.9", "ambiguous", "shared", "not in the class"],
)
def test_a_class_set_to_do_so_confirms_only_clear_suggestions_above_09_without_a_person(
    found: EssayMatch, others: tuple[EssayMatch, ...], passes: bool
) -> None:
    validation = asked(found, *others, NOBODY, of=a_class(auto_confirm=True))

    row = association(validation, E1)
    assert row.validation_status is (S.CONFIRMED if passes else S.PENDING_VALIDATION)
    assert row.validation_method is (M.AUTO if passes else None)
    assert row.validated_by is None
    assert validation.status is ValidationStatus.OPEN


def test_a_class_not_set_to_do_so_confirms_nothing_without_a_person() -> None:
    assert not association(asked(match(E1, (ANNA, 1.0))), E1).decided


def test_when_clear_suggestions_decide_every_essay_the_batch_is_confirmed_at_once() -> None:
    school_class = a_class(auto_confirm=True)
    validation = Validation.expected(BATCH, school_class)

    effects = validation.suggest((CLEAR_ANNA, match(E2, (BO, 0.93))), school_class, NOW)

    said = confirmed(effects)
    assert said.validation_summary.model_dump() == {"human": 0, "timeout": 0, "auto": 2}
    assert not said.timeout_triggered
    assert {(a.status, a.validated_by) for a in said.associations} == {(S.CONFIRMED, None)}
    assert validation.status is ValidationStatus.CONFIRMED


def test_a_later_clear_suggestion_may_decide_the_last_essay() -> None:
    school_class = a_class(auto_confirm=True)
    validation = asked(CLEAR_ANNA, NOBODY, of=school_class)
    assert validation.status is ValidationStatus.OPEN

    said = confirmed(validation.suggest((match(E3, (CY, 0.99)),), school_class, LATER))

    assert said.validation_summary.auto == 2


def test_what_the_teacher_decided_alone_is_not_confirmed_by_a_later_suggestion() -> None:
    school_class = a_class(auto_confirm=True)
    validation = asked(NOBODY, of=school_class)
    decide(validation, E3, CY)

    assert validation.suggest((match(E3, (ANNA, 0.99)),), school_class, LATER) == []
    assert validation.status is ValidationStatus.OPEN


def test_the_teacher_may_still_change_what_was_confirmed_without_a_person() -> None:
    validation = asked(CLEAR_ANNA, NOBODY, of=a_class(auto_confirm=True))

    decide(validation, E1, BO)

    assert final(validation)[E1] == (S.CONFIRMED, M.HUMAN, BO)


# Cancelling


def test_cancelling_ends_an_open_validation_and_its_timer() -> None:
    validation = asked()

    assert validation.cancel() == [CancelTimer(DEADLINE, BATCH)]
    assert validation.deadline_passed(a_class().student_ids, LATER) == []
    with pytest.raises(NotOpen, match="cancelled"):
        decide(validation, E1, ANNA)


def test_a_confirmed_validation_stays_confirmed_when_the_batch_is_cancelled() -> None:
    validation = asked(CLEAR_ANNA)
    decide(validation, E1, ANNA)
    validation.confirm()

    validation.cancel()

    assert validation.status is ValidationStatus.CONFIRMED


def test_a_batch_cancelled_before_anything_else_was_heard_asks_nobody() -> None:
    event = BatchCancelledV1(batch_id=BATCH, teacher_id="berit", cancelled_by="berit")
    validation = Validation.cancelled(event)

    validation.expect([essay(E1)])

    assert validation.suggest((CLEAR_ANNA,), a_class(), NOW) == []
    assert validation.associations == []


# Every interleaving

STUDENTS = st.sampled_from([ANNA, BO, CY, None])
SCORES = st.sampled_from([0.3, 0.69, 0.7, 0.9, 0.91, 1.0])
MATCHES = st.lists(st.builds(lambda e, s, c: match(e, (s or ANNA, c)), st.sampled_from([E1, E2]), STUDENTS, SCORES))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("suggest"), MATCHES.map(tuple)),
        st.tuples(st.just("decide"), st.dictionaries(st.sampled_from([E1, E2]), STUDENTS)),
        st.tuples(st.sampled_from(["expect", "confirm", "deadline", "cancel"]), st.none()),
    ),
    max_size=12,
)


@given(steps=STEPS, auto_confirm=st.booleans())
def test_whatever_comes_in_whatever_order_one_result_is_said_with_every_essay_and_then_stays(
    steps: list[tuple[str, object]], auto_confirm: bool
) -> None:
    school_class = a_class(auto_confirm=auto_confirm)
    validation = Validation.expected(BATCH, school_class)
    validation.expect([essay(E1), essay(E2)])
    said: list[Effect] = []

    for what, value in steps:
        ended = validation.status in (ValidationStatus.CONFIRMED, ValidationStatus.CANCELLED)
        before = final(validation)
        said += step(validation, school_class, what, value)
        if ended:
            assert final(validation) == before

    results = of(StudentAssociationsConfirmedV1, said)
    assert len(results) == (validation.status is ValidationStatus.CONFIRMED)
    for result in results:
        assert {a.essay_id: (a.status, a.validation_method, a.student_id) for a in result.associations} == final(
            validation
        )
        assert sum(result.validation_summary.model_dump().values()) == len(result.associations) == 2
    assert len(of(StudentValidationRequestedV1, said)) <= 1


def step(validation: Validation, school_class: SchoolClass, what: str, value: object) -> list[Effect]:
    """One step; what is refused changes nothing."""
    try:
        match what, value:
            case "suggest", tuple():
                return validation.suggest(value, school_class, NOW)
            case "decide", dict():
                validation.decide(value, school_class, "berit", NOW)
            case "expect", _:
                validation.expect([essay(E1), essay(E2)])
            case "confirm", _:
                return validation.confirm() if validation.status is ValidationStatus.OPEN else []
            case "deadline", _:
                return validation.deadline_passed(school_class.student_ids, NOW)
            case "cancel", _:
                return validation.cancel()
    except (NotOpen, Undecided):
        pass
    return []
