"""A student who is erased leaves the roster for ever; the erasure is complete when every service has said so, once."""

from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from common_core.events import ERASED, ClassRosterChangedV1, Event, StudentDataErasedV1
from common_core.status_enums import RetainedData
from hypothesis import given
from hypothesis import strategies as st

from services.class_management_service.errors import StillDeciding
from services.class_management_service.handlers import erased_elsewhere
from services.class_management_service.models import StudentEntry, StudentErasure, Validation
from services.class_management_service.models.associations import NOT_IN_CLASS
from services.class_management_service.models.classes import StudentIsErased
from services.class_management_service.models.erasures import ANSWERS
from tests.unit.services.class_management_service.models.test_classes import a_class, new_id, who
from tests.unit.services.class_management_service.models.test_validations import ANNA, BO, E1, NOW, S, match
from tests.unit.services.class_management_service.models.test_validations import a_class as a_class_of_three

ABOUT = {"erasure_id": UUID(int=7), "class_id": UUID(int=2), "student_id": UUID(int=3)}


def an_erasure() -> StudentErasure:
    return StudentErasure(**ABOUT, requested_by="berit", requested_at=NOW)


def answer(kind: type[Event], erased: int = 1) -> Event:
    return kind.model_validate({**ABOUT, "erased": erased})


@given(st.lists(st.sampled_from(ANSWERS), max_size=8))
def test_it_is_complete_when_every_service_has_answered_however_often_and_in_whatever_order(
    answers: list[type[Event]],
) -> None:
    erasure = an_erasure()

    said = [event for kind in answers for event in erased_elsewhere(erasure, answer(kind))]

    assert erasure.complete == (set(answers) == set(ANSWERS))
    assert said == ([StudentDataErasedV1(**ABOUT)] if erasure.complete else [])
    assert set(erasure.waits_for) == {kind.topic for kind in set(ANSWERS) - set(answers)}


def test_the_first_answer_of_a_service_counts() -> None:
    erasure = an_erasure()

    for erased in (3, 0):
        erased_elsewhere(erasure, answer(ANSWERS[0], erased))

    assert erasure.erased == {ANSWERS[0].topic: 3}


def test_every_order_of_the_answers_says_once_that_all_is_done() -> None:
    for order in permutations(ANSWERS):
        erasure = an_erasure()
        assert sum(len(erased_elsewhere(erasure, answer(kind))) for kind in order) == 1


def test_an_erased_student_is_not_in_the_next_roster_and_their_id_is_never_taken_again() -> None:
    school_class = a_class(who("Anna"), who("Bo"))
    anna = school_class.students[0].student_id

    (announced,) = school_class.erase(anna)

    assert isinstance(announced, ClassRosterChangedV1)
    assert ([each.first_name for each in announced.students], announced.roster_version) == (["Bo"], 3)
    with pytest.raises(StudentIsErased, match=f"{anna} is erased; leave it out"):
        school_class.change_roster([who("Anna", student_id=anna)], new_id)
    assert [each.first_name for each in school_class.students] == ["Bo"]


def test_who_has_left_the_class_is_erased_without_a_new_roster() -> None:
    school_class = a_class(who("Bo"))

    assert school_class.erase(UUID(int=99)) == []
    assert (school_class.erased_students, school_class.roster_version) == ((UUID(int=99),), 2)


def test_who_left_and_was_erased_comes_back_as_somebody_new() -> None:
    school_class = a_class(who("Anna", email="anna@x"), who("Bo", email="bo@x"))
    anna, bo = (each.student_id for each in sorted(school_class.students, key=lambda each: each.first_name))
    school_class.change_roster([], new_id)

    school_class.erase(anna)
    school_class.change_roster([who("Anna", email="anna@x"), who("Bo", email="bo@x")], new_id)

    assert bo in school_class.student_ids
    assert anna not in school_class.student_ids


def a_validation(*candidates: tuple[UUID, float], erased: UUID | None = None) -> Validation:
    school_class = a_class_of_three()
    if erased:
        school_class.erase(erased)
    validation = Validation.expected(UUID(int=1), school_class)
    validation.suggest([match(E1, *candidates)], school_class, NOW)
    return validation


def test_a_suggestion_that_comes_late_is_not_taken_for_somebody_who_is_erased() -> None:
    alone, first = a_validation((ANNA, 0.95), erased=ANNA), a_validation((ANNA, 0.95), (BO, 0.3), erased=ANNA)

    (nobody,), (bo,) = alone.associations, first.associations
    assert (nobody.suggested_student_id, nobody.evidence, nobody.match_reasons) == (None, (), (NOT_IN_CLASS,))
    assert (bo.suggested_student_id, bo.confidence_score) == (BO, 0.3)


def test_what_is_kept_for_a_time_goes_and_the_decision_stays() -> None:
    validation = a_validation((ANNA, 0.95))
    validation.accept_suggestions(a_class_of_three(), "berit", NOW)
    validation.confirm()
    (association,) = validation.associations

    validation.forget(RetainedData.TEXTS)
    kept: dict[str, Any] = {"student_id": association.student_id, "name": association.original_file_name}
    validation.forget(RetainedData.ASSOCIATIONS)

    assert kept == {"student_id": ANNA, "name": ERASED}
    assert (association.evidence, association.match_reasons, association.student_id) == ((), (), None)
    assert association.suggested_student_id is None
    assert (association.validation_status, association.validated_by) == (S.CONFIRMED, "berit")


def test_an_entry_without_an_id_is_somebody_new() -> None:
    school_class = a_class(who("Anna"))
    anna = school_class.students[0].student_id
    school_class.erase(anna)

    school_class.change_roster([StudentEntry(first_name="Anna", last_name="Ek")], lambda: UUID(int=50))

    assert [each.student_id for each in school_class.students] == [UUID(int=50)]


@pytest.mark.parametrize(("batches", "named"), [(1, 1), (5, 5), (7, 5)])
def test_an_erasure_that_is_too_early_names_the_batches_that_are_being_decided(batches: int, named: int) -> None:
    ids = [uuid4() for _ in range(batches)]

    refused = StillDeciding(ids)

    assert [each for each in ids if str(each) in str(refused)] == ids[:named]
    assert ("and 2 more" in str(refused)) == (batches == 7)
    assert refused.details == {"undecided_batches": [str(each) for each in ids]}
