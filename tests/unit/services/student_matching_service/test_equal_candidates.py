"""Students whom a text may mean as well as each other are called ambiguous, and none of them is chosen."""

import pytest
from common_core.events.class_management import RosterStudent
from common_core.status_enums import NoMatchReason

from services.student_matching_service.matching import Match, Roster
from tests.unit.services.student_matching_service.test_matching import PROSE, student


def match(students: list[RosterStudent], head: str, tail: str = "") -> Match:
    """Match a text with this head and these last lines against a class."""
    return Roster(students).match(head + PROSE + tail)


def assert_nobody_is_chosen(suggested: Match, *students: RosterStudent) -> None:
    """It is ambiguous, and these are those it may be."""
    assert suggested.no_match_reason is NoMatchReason.AMBIGUOUS
    assert {each.student_id for each in suggested.suggestions} == {each.student_id for each in students}
    assert all(each.confidence_score <= 0.5 for each in suggested.suggestions)


@pytest.mark.parametrize(
    ("written", "one", "other"),
    [
        ("Björk", ("Björk", "Ekmark"), ("Saga", "Björk")),
        ("Suharto", ("Suharto", ""), ("Suharto", "Norén")),
        ("Suuharto", ("Suharto", ""), ("Suharto", "Norén")),
        ("Ana García", ("Ana", "García"), ("Ana", "García López")),
        ("Karl Ekmark", ("Karl", "Ekmark"), ("Karl-Erik", "Ekmark")),
        ("Asa Oberg", ("Asa", "Oberg"), ("Åsa", "Öberg")),
        ("Ali Omar", ("Ali", "Omar"), ("Omar", "Ali")),
        ("Tova Essen", ("Tova", "Essen"), ("Tova", "von Essen")),
        ("Tova L.", ("Tova", "Lindvall"), ("Tova", "Ljung")),
    ],
)
def test_all_whose_name_may_be_written_so_are_as_likely(
    written: str, one: tuple[str, str], other: tuple[str, str]
) -> None:
    students = [student(1, *one), student(2, *other)]

    suggested = match(students, written)

    assert_nobody_is_chosen(suggested, *students)
    assert len({each.confidence_score for each in suggested.suggestions}) == 1


def test_a_middle_name_in_place_of_the_first_is_less_likely_than_the_first_name() -> None:
    students = [student(1, "Maria", "Ekmark"), student(2, "Tova", "Ekmark", legal="Tova Maria Ekmark")]

    suggested = match(students, "Maria Ekmark")

    assert suggested.no_match_reason is None
    assert suggested.suggestions[0].student_id == students[0].student_id


def test_a_middle_name_alone_names_nobody() -> None:
    assert match([student(1, "Suharto", "", legal="Suharto Sukarno")], "Sukarno").suggestions == ()


@pytest.mark.parametrize("legal", ["Tova Maria Lindvall", None])
def test_a_middle_name_that_no_namesake_has_tells_none_apart(legal: str | None) -> None:
    students = [student(1, "Tova", "Lindvall", legal=legal), student(2, "Tova", "Lindvall")]

    assert_nobody_is_chosen(match(students, "Tova Elin Lindvall"), *students)


@pytest.mark.parametrize("short", ["Alex", "Kris", "Sam"])
def test_a_short_form_stands_for_all_names_that_begin_so(short: str) -> None:
    pairs = {"Alex": ("Alexander", "Alexandra"), "Kris": ("Kristina", "Kristoffer"), "Sam": ("Samuel", "Samira")}
    students = [student(number, name, "Ekmark") for number, name in enumerate(pairs[short])]

    assert_nobody_is_chosen(match(students, f"{short} Ekmark"), *students)


@pytest.mark.parametrize("hint", ["T.L.", "T L", "Alex"])
def test_initials_or_a_nickname_alone_suggest_nobody_but_say_that_several_may_be_meant(hint: str) -> None:
    names = ("Alexander", "Alexandra") if hint == "Alex" else ("Tova", "Tage")
    one, other = student(1, names[0], "Lindvall"), student(2, names[1], "Ljung")

    assert match([one], hint).suggestions == ()
    assert_nobody_is_chosen(match([one, other], hint), one, other)


@pytest.mark.parametrize(
    "text", [("Jane Eyre\nTova", ""), ("Jane Eyre\nt.l@elsewhere.example", ""), ("Jane Eyre", "Tova\n")]
)
def test_half_a_name_beside_a_strangers_still_says_that_several_may_be_meant(text: tuple[str, str]) -> None:
    lindvall, ljung = student(1, "Tova", "Lindvall"), student(2, "Tova", "Ljung")

    assert match([lindvall], *text).suggestions == ()
    assert_nobody_is_chosen(match([lindvall, ljung], *text), lindvall, ljung)


TOVA, BO = student(1, "Tova", "Lindvall"), student(2, "Bo", "Ekmark")


@pytest.mark.parametrize("title", ["", "Jane Eyre\n", "Lucas Thorsen\n"])
@pytest.mark.parametrize(
    "line",
    [
        "Tova Lindvall, Bo Ekmark",
        "Tova Lindvall and Bo Ekmark",
        "Tova Lindvall och Bo Ekmark, 9B",
        "Av Tova Lindvall & Bo Ekmark",
        "Namn: Tova Lindvall; Bo Ekmark",
        "Authors: Tova Lindvall, Bo Ekmark",
        "Student 1: Tova Lindvall\nStudent 2: Bo Ekmark",
        "Namn: Tova Lindvall\nGruppmedlemmar: Bo Ekmark",
    ],
)
def test_two_who_wrote_together_are_ambiguous_under_every_title(title: str, line: str) -> None:
    assert_nobody_is_chosen(match([TOVA, BO], title + line), TOVA, BO)


def test_two_who_sign_are_ambiguous() -> None:
    assert_nobody_is_chosen(match([TOVA, BO], "Jane Eyre", tail="Tova Lindvall och Bo Ekmark\n"), TOVA, BO)


@pytest.mark.parametrize("line", ["Tova Lindvall, Suharto", "Namn: Suharto, Tova Lindvall", "Till Hed, Tova Lindvall"])
def test_a_name_after_a_comma_is_another_author_where_it_is_all_of_a_students_name(line: str) -> None:
    other = student(3, "Till", "Hed") if "Till" in line else student(3, "Suharto", "")

    assert_nobody_is_chosen(match([TOVA, other], line), TOVA, other)


def test_a_name_after_a_comma_is_the_authors_own_where_it_is_no_other_students() -> None:
    suggested = match([TOVA, student(3, "Tova", "Ekmark")], "Lindvall, Tova")

    assert [each.student_id for each in suggested.suggestions] == [TOVA.student_id]


@pytest.mark.parametrize("line", ["Tova Lindvall and Zuzu Qvist", "Namn: Tova Lindvall och Zuzu Qvist"])
def test_who_wrote_together_with_somebody_unknown_is_not_chosen_either(line: str) -> None:
    assert_nobody_is_chosen(match([TOVA, BO], line), TOVA)


@pytest.mark.parametrize("head", ["Tova Lindvall: A Life\nBy Bo", "Ekmark, 9B\nTova Lindvall – ett liv"])
def test_a_full_name_beside_other_words_does_not_outweigh_half_a_name_alone(head: str) -> None:
    suggested = match([TOVA, BO], head)

    assert_nobody_is_chosen(suggested, TOVA, BO)


@pytest.mark.parametrize(
    "line",
    [
        "Tova Lindvall, Bo",
        "Namn: Tova Lindvall, Bo",
        "Av Tova, Bo och Saga",
        "Av: Tova, Bo, Saga",
        "By Tova, Bo and Saga",
        "Gruppmedlemmar: Tova, Bo, Saga",
        "Names:\nTova Lindvall\nBo Ekmark",
        "Gruppmedlemmar:\nTova Lindvall\nBo Ekmark\nSaga Björk",
        "Tova Lindvall samt Bo Ekmark",
    ],
)
def test_those_of_a_list_are_ambiguous_also_by_first_names(line: str) -> None:
    suggested = match([TOVA, BO, student(3, "Saga", "Björk")], line)

    assert suggested.no_match_reason is NoMatchReason.AMBIGUOUS
    assert TOVA.student_id in {each.student_id for each in suggested.suggestions}


def test_a_date_after_a_comma_is_not_a_student_called_like_the_month() -> None:
    suggested = match([TOVA, student(3, "Maj", "Ek")], "Tova Lindvall, 12 maj 2024")

    assert [each.student_id for each in suggested.suggestions] == [TOVA.student_id]


def test_a_stranger_whose_names_two_students_share_is_no_list() -> None:
    assert match([TOVA, BO], "Ekmark, Tova").suggestions == ()


def test_one_of_two_who_wrote_together_may_have_a_small_word_with_an_apostrophe() -> None:
    hof, suharto = student(3, "Sanne", "van 't Hof"), student(4, "Suharto", "")

    suggested = match([hof, suharto, student(5, "Suharto", "Norén")], "Full name: Sanne van 't Hof and Suharto")

    assert suggested.no_match_reason is NoMatchReason.AMBIGUOUS


@pytest.mark.parametrize("line", ["Till", "Till Hed, 9B", "Till Hed English 6"])
def test_students_whose_name_is_also_an_ordinary_word_are_ambiguous_like_others(line: str) -> None:
    one, other = student(3, "Till", "Hed"), student(4, "Till", "Hed")

    assert_nobody_is_chosen(match([one, other], line), one, other)


def test_one_whose_only_name_is_an_ordinary_word_is_as_likely_as_who_has_it_for_a_first_name() -> None:
    one, other = student(3, "Till", "Hed"), student(4, "Till", "")

    assert_nobody_is_chosen(match([one, other], "My Summer\nTill"), one, other)


@pytest.mark.parametrize("nickname", ["Dolph", "Nettie"])
def test_the_end_of_a_name_may_be_its_short_form(nickname: str) -> None:
    names = {"Dolph": ("Randolph", "Rudolph"), "Nettie": ("Annette", "Jeanette")}[nickname]
    students = [student(number, name, "Ekmark") for number, name in enumerate(names)]

    assert match(students[:1], f"{nickname} Ekmark").suggestions[0].confidence_score <= 0.9
    assert_nobody_is_chosen(match(students, f"{nickname} Ekmark"), *students)
