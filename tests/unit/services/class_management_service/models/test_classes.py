"""A class keeps its students' ids through every change of its roster, and speaks only when something changed."""

import random
from collections.abc import Sequence
from itertools import count
from uuid import UUID

import pytest
from common_core.events import ClassRosterChangedV1
from common_core.status_enums import CourseCode
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.class_management_service.models import SchoolClass, StudentEntry
from services.class_management_service.models.classes import StudentRepeated

CLASS = UUID(int=2)
_numbers = count(1)


def new_id() -> UUID:
    return UUID(int=next(_numbers))


def a_class(*entries: StudentEntry) -> SchoolClass:
    school_class = SchoolClass(
        class_id=CLASS,
        name="9B",
        course_code=CourseCode.SV1,
        teacher_id="berit",
        association_deadline_seconds=86_400,
        auto_confirm=False,
    )
    if entries:
        school_class.change_roster(entries, new_id)
    return school_class


def who(first: str, last: str = "Ek", email: str | None = None, **more: str | UUID | None) -> StudentEntry:
    return StudentEntry.model_validate({"first_name": first, "last_name": last, "email": email, **more})


def ids(school_class: SchoolClass) -> dict[tuple[str, str, str | None], UUID]:
    return {(each.first_name, each.last_name, each.email): each.student_id for each in school_class.students}


def change(school_class: SchoolClass, *entries: StudentEntry) -> Sequence[ClassRosterChangedV1]:
    said = school_class.change_roster(entries, new_id)
    return [event for event in said if isinstance(event, ClassRosterChangedV1)]


def test_a_new_class_is_announced_in_version_1_without_students() -> None:
    assert a_class().announced() == ClassRosterChangedV1(
        class_id=CLASS,
        class_name="9B",
        course_code=CourseCode.SV1,
        teacher_id="berit",
        roster_version=1,
        students=(),
    )


def test_a_changed_roster_is_announced_whole_and_with_the_next_version() -> None:
    school_class = a_class(who("Anna"))

    (announced,) = change(school_class, who("Anna"), who("Bo", email="bo@x", legal_full_name="Bo Erik Ek"))

    assert announced.roster_version == 3
    assert [(each.first_name, each.email, each.legal_full_name) for each in announced.students] == [
        ("Anna", None, None),
        ("Bo", "bo@x", "Bo Erik Ek"),
    ]


@pytest.mark.parametrize("reverse", [False, True])
def test_the_same_roster_again_says_nothing_and_keeps_the_version(reverse: bool) -> None:
    entries = [who("Anna"), who("Anna"), who("Bo", email="family@x"), who("Cy", email="family@x")]
    school_class = a_class(*entries)
    before = ids(school_class)

    assert change(school_class, *(reversed(entries) if reverse else entries)) == []
    assert school_class.roster_version == 2
    assert ids(school_class) == before


def test_a_student_keeps_their_id_by_the_email_when_the_name_changes() -> None:
    school_class = a_class(who("Anna", "Ek", "anna@x"))
    (before,) = ids(school_class).values()

    change(school_class, who("Anna", "Alm", "ANNA@x"))

    assert list(ids(school_class).values()) == [before]


def test_a_student_keeps_their_id_by_the_name_when_an_email_is_added_or_removed() -> None:
    school_class = a_class(who("Anna"), who("Bo", email="bo@x"))
    before = {name: each for (name, _, _), each in ids(school_class).items()}

    change(school_class, who("Anna", email="anna@x"), who("Bo"))

    assert {name: each for (name, _, _), each in ids(school_class).items()} == before


@pytest.mark.parametrize("typed", ["ÅSA  ek", "A\u030asa Ek"])
def test_a_student_keeps_their_id_however_the_name_was_typed(typed: str) -> None:
    school_class = a_class(who("Åsa"))
    (before,) = ids(school_class).values()

    change(school_class, who(*typed.split(" ", 1)))

    assert list(ids(school_class).values()) == [before]


def test_who_leaves_is_gone_and_who_joins_is_new() -> None:
    school_class = a_class(who("Anna"), who("Bo"))
    before = ids(school_class)

    assert school_class.meant([who("Bo"), who("Cy")]) == [before["Bo", "Ek", None], None]
    assert ids(school_class) == before, "a look changes nothing"
    change(school_class, who("Bo"), who("Cy"))

    after = ids(school_class)
    assert after["Bo", "Ek", None] == before["Bo", "Ek", None]
    assert after["Cy", "Ek", None] not in before.values()
    assert len(after) == 2


def test_who_left_and_comes_back_with_name_and_email_has_the_old_id() -> None:
    school_class = a_class(who("Åsa", email="asa@x"), who("Bo"))
    before = ids(school_class)["Åsa", "Ek", "asa@x"]
    change(school_class, who("Bo"))
    change(school_class, who("Bo"), who("Cy"))

    assert school_class.meant([who("ÅSA", email="Asa@X")]) == [before], "a trial says so too"
    change(school_class, who("Bo"), who("A\u030asa", email="Asa@X"))

    assert ids(school_class)["A\u030asa", "Ek", "Asa@X"] == before
    assert school_class.former_students == {}


@pytest.mark.parametrize(
    ("left", "joins"),
    [
        pytest.param(who("Anna", email="anna@x"), who("Anna"), id="without the e-mail"),
        pytest.param(who("Anna", email="anna@x"), who("Anna", email="new@x"), id="with another e-mail"),
        pytest.param(who("Anna", email="family@x"), who("Bo", email="family@x"), id="a sibling with the same e-mail"),
        pytest.param(who("Anna"), who("Anna"), id="never had an e-mail"),
    ],
)
def test_who_joins_and_cannot_be_told_to_be_the_one_who_left_is_new(left: StudentEntry, joins: StudentEntry) -> None:
    school_class = a_class(left)
    (before,) = ids(school_class).values()
    change(school_class)

    change(school_class, joins)

    assert before not in ids(school_class).values()


def test_siblings_who_share_an_address_come_back_as_themselves() -> None:
    siblings = [who("Anna", email="family@x"), who("Bo", email="family@x")]
    school_class = a_class(*siblings)
    before = ids(school_class)
    change(school_class)

    change(school_class, *reversed(siblings))

    assert ids(school_class) == before


def test_who_comes_back_twice_in_one_roster_has_the_old_id_once() -> None:
    school_class = a_class(who("Anna", email="anna@x"))
    (before,) = school_class.student_ids
    change(school_class)

    change(school_class, who("Anna", email="anna@x"), who("Anna", email="anna@x"))
    others = school_class.student_ids - {before}
    change(school_class, who("Bo", student_id=before), who("Anna", email="anna@x", student_id=min(others)))

    assert len(others) == 1
    assert school_class.student_ids == {before, *others}


def test_who_is_in_the_class_by_a_given_id_is_not_there_a_second_time() -> None:
    school_class = a_class(who("Anna", email="anna@x"))
    (before,) = school_class.student_ids
    change(school_class)

    change(school_class, who("Anna", "Alm", student_id=before), who("Anna", email="anna@x"))

    assert ids(school_class)["Anna", "Alm", None] == before
    assert len(school_class.student_ids) == 2


def test_who_is_in_the_class_is_not_taken_for_the_one_who_left() -> None:
    school_class = a_class(who("Anna", email="anna@x"))
    change(school_class)
    change(school_class, who("Anna", email="anna@x", student_id=CLASS))

    change(school_class, who("Anna", email="anna@x"), who("Bo"))

    assert ids(school_class)["Anna", "Ek", "anna@x"] == CLASS


def test_an_email_says_more_than_a_name_of_somebody_in_the_class() -> None:
    school_class = a_class(who("Anna", email="anna@x"))
    (before,) = school_class.student_ids
    change(school_class, who("Anna", email="other@x"))
    change(school_class, who("Anna"))

    change(school_class, who("Anna", email="anna@x"))

    assert ids(school_class) == {("Anna", "Ek", "anna@x"): before}


def test_what_is_kept_of_who_left_names_nobody() -> None:
    school_class = a_class(who("Anna", email="anna@x"))
    (before,) = school_class.student_ids
    change(school_class)

    ((kept, student_id),) = school_class.former_students.items()

    assert len(bytes.fromhex(kept)) == 32
    assert student_id == before


def test_somebody_of_the_same_name_with_another_email_is_somebody_else() -> None:
    school_class = a_class(who("Anna", email="anna1@x"))
    (before,) = ids(school_class).values()

    change(school_class, who("Anna", email="anna2@x"))

    assert before not in ids(school_class).values()


def test_siblings_who_share_an_address_are_not_taken_for_each_other() -> None:
    school_class = a_class(who("Anna", email="family@x"), who("Bo", email="family@x"))
    before = ids(school_class)

    change(school_class, who("Bo", email="family@x"), who("Anna", email="family@x"), who("Cy"))

    assert before.items() <= ids(school_class).items()


def test_siblings_who_share_an_address_keep_their_ids_when_their_legal_names_are_added() -> None:
    school_class = a_class(who("Anna", email="family@x"), who("Bo", email="family@x"))
    before = ids(school_class)

    siblings = [who(name, email="family@x", legal_full_name=f"{name} Maria Ek") for name in ("Bo", "Anna")]
    change(school_class, *siblings)

    assert ids(school_class) == before


def test_two_of_one_name_are_told_apart_by_their_legal_names() -> None:
    one, other = (who("Anna", legal_full_name=legal) for legal in ("Anna Maria Ek", "Anna Lisa Ek"))
    school_class = a_class(one, other)
    before = {each.legal_full_name: each.student_id for each in school_class.students}

    change(school_class, other, one, who("Bo"))

    assert before.items() <= {each.legal_full_name: each.student_id for each in school_class.students}.items()


def test_of_two_with_one_name_the_one_without_email_does_not_take_the_others_id() -> None:
    school_class = a_class(who("Anna", email="anna@x"), who("Anna"))
    before = ids(school_class)

    change(school_class, who("Anna"), who("Anna", email="anna@x"), who("Cy"))

    assert before.items() <= ids(school_class).items()


def test_a_given_id_is_kept_and_names_the_student_whatever_else_changed() -> None:
    school_class = a_class(who("Anna", email="anna@x"))
    (before,) = ids(school_class).values()

    change(school_class, who("Bo", "Alm", "bo@x", student_id=before))

    assert ids(school_class) == {("Bo", "Alm", "bo@x"): before}


def test_a_given_id_wins_over_somebody_who_only_looks_the_same() -> None:
    school_class = a_class(who("Anna"))
    (before,) = ids(school_class).values()

    change(school_class, who("Anna"), who("Anna", email="new@x", student_id=before))

    assert ids(school_class)["Anna", "Ek", "new@x"] == before
    assert len(set(ids(school_class).values())) == 2


def test_an_id_given_twice_is_refused() -> None:
    with pytest.raises(StudentRepeated):
        change(a_class(), who("Anna", student_id=CLASS), who("Bo", student_id=CLASS))


def test_a_roster_may_become_empty() -> None:
    (announced,) = change(a_class(who("Anna")), *[])

    assert announced.students == ()


@pytest.mark.parametrize(
    ("fields", "about"),
    [({"last_name": ""}, "both empty"), ({"last_name": " "}, "both empty"), ({"email": "nobody"}, "email has no @")],
)
def test_a_student_without_a_name_or_with_a_wrong_email_is_refused(fields: dict[str, str], about: str) -> None:
    with pytest.raises(ValidationError, match=about):
        StudentEntry.model_validate({"first_name": "", "last_name": "Ek", **fields})


ENTRIES = st.lists(
    st.builds(who, st.sampled_from("AB"), st.sampled_from("XY"), st.sampled_from([None, "1@x", "2@x"])), max_size=6
)


@given(before=ENTRIES, after=ENTRIES, seed=st.integers())
def test_who_is_equal_in_the_old_and_the_new_roster_keeps_their_id_in_every_order(
    before: list[StudentEntry], after: list[StudentEntry], seed: int
) -> None:
    school_class = a_class(*before)
    old = {each.student_id: (each.first_name, each.last_name, each.email) for each in school_class.students}
    version = school_class.roster_version
    shuffled = random.Random(seed).sample(after, len(after))  # noqa: S311  # no secret

    announced = change(school_class, *shuffled)

    new = {each.student_id: (each.first_name, each.last_name, each.email) for each in school_class.students}
    assert len(new) == len(after)
    for person in {*old.values()} & {*new.values()}:
        stays = {each for each in old if old[each] == person and new.get(each) == person}
        assert len(stays) == min([*old.values()].count(person), [*new.values()].count(person))
    assert school_class.roster_version == version + bool(announced)
    assert bool(announced) == (old != new)
