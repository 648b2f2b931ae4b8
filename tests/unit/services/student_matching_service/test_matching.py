"""The author is suggested with honest confidence; in doubt nobody is."""

import random
from uuid import UUID

import pytest
from common_core.events.class_management import RosterStudent
from common_core.events.student_matching import StudentSuggestion
from common_core.status_enums import AssociationConfidenceLevel, NoMatchReason
from hypothesis import given, settings
from hypothesis import strategies as st

from services.student_matching_service import vocabulary
from services.student_matching_service.matching import Match, Roster

PROSE = "\n\nThe old man went down to the sea that night, and Nora Storvik saw him there until the morning.\n" * 3


def student(
    number: int, first_name: str, last_name: str, legal: str | None = None, email: str | None = None
) -> RosterStudent:
    """A student whose id is a number."""
    return RosterStudent(
        student_id=UUID(int=number), first_name=first_name, last_name=last_name, legal_full_name=legal, email=email
    )


TOVA = student(1, "Tova", "Lindvall", email="Tova.Lindvall@school.example")
ASA = student(2, "Åsa", "Öström")
NORA = student(3, "Nora", "Storvik")
KARL = student(4, "Karl-Erik", "af Ekfeldt")
CLASS = [TOVA, ASA, NORA, KARL]


def match(head: str, *others: RosterStudent, tail: str = "") -> Match:
    """Match a text with this head and these last lines against the class and others."""
    return Roster([*CLASS, *others]).match(head + PROSE + tail)


def only(suggested: Match) -> StudentSuggestion:
    """The one suggestion of a clear match."""
    assert suggested.no_match_reason is None
    (suggestion,) = suggested.suggestions
    return suggestion


@pytest.mark.parametrize(
    "head",
    [
        "Tova Lindvall",
        "TOVA LINDVALL 2024-05-12",
        "Lindvall, Tova",
        "Namn: Tova Lindvall\nLärare: Nora Storvik",
        "Student\tTova Lindvall\tClass\t9B",
        "My Summer\nBy Tova Lindvall",
        "My Summer\nTova Lindvall\nEnglish 6",
        "Title: The Sea\nAuthor: Vera Holmdal\nTova Lindvall",
        "My Summer\ntova.lindvall@SCHOOL.example",
    ],
)
def test_the_full_name_or_the_address_is_suggested_with_high_confidence(head: str) -> None:
    suggestion = only(match(head))

    assert suggestion.student_id == TOVA.student_id
    assert suggestion.confidence_level is AssociationConfidenceLevel.HIGH


@pytest.mark.parametrize(
    ("head", "who", "low", "high"),
    [
        ("Asa Ostrom", ASA, 0.95, 1),
        ("Aasa Oestroem", ASA, 0.95, 1),
        ("Karl Erik Ekfeldt", KARL, 0.95, 1),
        ("Namn: Tova Lindvll", TOVA, 0.9, 0.995),
        ("T. Lindvall", TOVA, 0.7, 0.9),
        ("Tova L.", TOVA, 0.7, 0.9),
        ("tova.lindvall@elsewhere.example", TOVA, 0.9, 0.999),
        ("t.lindvall@elsewhere.example", TOVA, 0.7, 0.9),
        ("My Hero – Tova Lindvall", TOVA, 0.7, 0.9),
        ("The Sea, av Tova Lindvall", TOVA, 0.9, 1),
        ("The Sea av Tova Lindvall", TOVA, 0.7, 0.9),
        ("Review of a novel by Tova Lindvall", TOVA, 0.5, 0.7),
        ("Karaktärsanalys av Tova Lindvall", TOVA, 0.5, 0.7),
        ("The novel was written by Tova Lindvall", TOVA, 0.5, 0.7),
        ("Filmen regisserades av Tova Lindvall", TOVA, 0.5, 0.7),
        ("Tove Lindvall", TOVA, 0.5, 0.7),
        ("Mitt namn är Tova Lindvall", TOVA, 0.9, 1),
        ("En betraktelse och skildring av Tova Lindvall", TOVA, 0.5, 0.7),
        ("Tova", TOVA, 0.7, 0.9),
    ],
)
def test_the_less_the_text_says_the_lower_the_confidence(
    head: str, who: RosterStudent, low: float, high: float
) -> None:
    suggestion = only(match(head))

    assert suggestion.student_id == who.student_id
    assert low <= suggestion.confidence_score <= high


def test_a_signature_is_less_sure_than_a_first_line() -> None:
    signed, headed = (
        only(match(head, tail=tail)) for head, tail in (("My Summer", "Tova Lindvall\n"), ("Tova Lindvall", ""))
    )

    assert 0.7 <= signed.confidence_score < headed.confidence_score


def test_a_text_that_names_nobody_says_so() -> None:
    assert match("The Old Man and the Sea") == Match(no_match_reason=NoMatchReason.NO_IDENTITY_FOUND)


@pytest.mark.parametrize("head", ["Name: Vera Holmdal", "Vera Holmdal", "Tova Holmdal", "vera@elsewhere.example"])
def test_an_author_outside_the_class_is_not_matched(head: str) -> None:
    assert match(head) == Match(no_match_reason=NoMatchReason.NO_STUDENT_FOUND)


@pytest.mark.parametrize(
    "head",
    [
        "Teacher: Tova Lindvall",
        "Tova Lindvall (teacher)",
        "Tova Lindvall, lärare",
        "Rektor Tova Lindvall",
        "Dear Tova Lindvall,",
        "The hero: Tova Lindvall",
    ],
)
def test_a_student_who_is_taught_addressed_or_told_about_is_not_the_author(head: str) -> None:
    assert match(head).suggestions == ()


@pytest.mark.parametrize(
    ("head", "other"),
    [
        ("Tova Lindvall", student(9, "Tova", "Lindvall")),
        ("Tova", student(9, "Tova", "Ekfeldt")),
        ("T. Lindvall", student(9, "Tage", "Lindvall")),
        ("Tova Linvall", student(9, "Tova", "Linnvall")),
        ("Tova Lindvall and Vide Ekmark", student(9, "Vide", "Ekmark")),
        ("Tova Lindvall\nNamn: Vide Ekmark", student(9, "Vide", "Ekmark")),
    ],
)
def test_equally_likely_students_are_ambiguous_and_none_can_be_picked(head: str, other: RosterStudent) -> None:
    suggested = match(head, other)

    assert suggested.no_match_reason is NoMatchReason.AMBIGUOUS
    assert {s.student_id for s in suggested.suggestions} == {TOVA.student_id, other.student_id}
    assert all(s.confidence_score <= 0.5 for s in suggested.suggestions)


@pytest.mark.parametrize(
    "head",
    ["Tova Lindvall\nt.l@school.example", "Tova Maria Lindvall", "Namn: Tova M. Lindvall", "Lindvall, Tova Maria"],
)
def test_an_address_or_a_middle_name_breaks_the_tie(head: str) -> None:
    author = student(8, "Tova", "Lindvall", legal="Tova Maria Lindvall", email="t.l@school.example")
    namesake = student(9, "Tova", "Lindvall", legal="Tova Elin Lindvall")

    best, *others = Roster([author, namesake]).match(head + PROSE).suggestions

    assert best.student_id == author.student_id
    assert best.confidence_score > 0.9
    assert all(other.confidence_score < 0.1 for other in others)


def test_a_slip_that_makes_another_students_name_is_taken_as_written() -> None:
    best = match("Tova Lindvall", student(9, "Tova", "Lindwall")).suggestions[0]

    assert best.student_id == TOVA.student_id
    assert best.confidence_score > 0.9


def test_contradicting_places_lower_the_confidence_and_are_told() -> None:
    best = match("Tova Lindvall", tail="Nora Storvik\n").suggestions[0]

    assert best.confidence_score < 0.7
    assert "Last lines say 'Nora Storvik', which does not fit Tova Lindvall." in best.match_reasons


def test_a_label_outweighs_a_name_in_the_title() -> None:
    best = match("Nora Storvik: A Life\nName: Tova Lindvall").suggestions[0]

    assert best.student_id == TOVA.student_id
    assert best.confidence_level is AssociationConfidenceLevel.MEDIUM


def test_a_stranger_in_the_authors_field_lowers_the_confidence() -> None:
    suggestion = only(match("Name: Vera Holmdal\nTova Lindvall"))

    assert suggestion.confidence_level is not AssociationConfidenceLevel.HIGH


def test_the_reason_says_what_was_found_where_and_who_else_is_close() -> None:
    suggestion = only(match("Asa Ostrom"))

    assert suggestion.match_reasons == (
        "First line says 'Asa Ostrom'; this matches Åsa Öström without accents; no other student is close.",
    )
    assert suggestion.evidence is not None
    assert [(piece.found, piece.where) for piece in suggestion.evidence] == [("Asa Ostrom", "first line")]


def test_the_reason_says_who_is_next_and_how_far_behind() -> None:
    best, other = match("Tova Lindvall", tail="Nora Storvik\n").suggestions

    distance = f"{best.confidence_score - other.confidence_score:.2f}"
    assert best.match_reasons[0].endswith(f"; next is Nora Storvik, {distance} behind.")
    assert other.match_reasons[0].endswith(f"; Tova Lindvall is closer by {distance}.")


@pytest.mark.parametrize("head", ["Till Hed", "Till Hed, 9B", "Till H."])
def test_a_name_that_is_also_an_ordinary_word_is_found(head: str) -> None:
    assert only(match(head, student(9, "Till", "Hed"))).student_name == "Till Hed"


def test_an_ordinary_word_beside_a_name_is_not_taken_for_a_student_called_so() -> None:
    assert match("Till Tova Lindvall", student(9, "Till", "Hed")).suggestions == ()


@pytest.mark.parametrize("half", ["Tova", "T. Lindvall", "Lindvall", "Tova Lindvall: A Life"])
def test_half_a_name_or_one_beside_other_words_is_nothing_beside_the_full_name_of_a_stranger(half: str) -> None:
    assert match(f"Vera Holmdal\n{half}").no_match_reason is NoMatchReason.NO_STUDENT_FOUND


@pytest.mark.parametrize("written", ["T. Lindvall", "Tova", "Toby Lindvall", "Vera Tova Lindvall", "Tava Lindvell"])
def test_a_name_not_written_in_full_is_never_taken_without_a_look(written: str) -> None:
    author = student(9, "Tobias", "Lindvall") if written.startswith("Toby") else student(9, "Tova", "Lindvall")

    suggestion = only(Roster([author]).match(written + PROSE))

    assert suggestion.confidence_level is not AssociationConfidenceLevel.HIGH


@pytest.mark.parametrize(("known", "written"), [("Alva", "Alma"), ("Jasper", "Jesper"), ("Anders", "Andors")])
def test_a_slip_that_makes_another_name_or_that_no_finger_makes_is_looked_at(known: str, written: str) -> None:
    suggestion = only(Roster([student(9, known, "Ekmark")]).match(f"{written} Ekmark{PROSE}"))

    assert suggestion.confidence_level is not AssociationConfidenceLevel.HIGH


@pytest.mark.parametrize("written", ["Andees Ekmark", "Andres Ekmark", "Anderss Ekmark", "Anders Ekmrk"])
def test_a_slip_of_the_finger_needs_no_look(written: str) -> None:
    suggestion = only(Roster([student(9, "Anders", "Ekmark")]).match(written + PROSE))

    assert suggestion.confidence_level is AssociationConfidenceLevel.HIGH


def test_a_student_with_one_name_is_not_taken_without_a_look_when_it_is_misspelled() -> None:
    suggestion = only(Roster([student(9, "Sukarno", "")]).match("Namn: Sukkarno" + PROSE))

    assert suggestion.confidence_level is AssociationConfidenceLevel.MEDIUM


def test_at_most_three_students_are_suggested() -> None:
    namesakes = [student(number, "Tova", "Lindvall") for number in range(10, 20)]

    assert len(match("Tova Lindvall", *namesakes).suggestions) == 3


def test_an_empty_class_matches_nobody() -> None:
    assert Roster([]).match("Tova Lindvall" + PROSE).suggestions == ()


NO_NAMES = vocabulary.SOMEBODY_ELSE | vocabulary.BESIDE_NAMES | vocabulary.PARTICLES | vocabulary.LABELS.keys()
NAMES = st.text("abdeiklmnorstuvåäö", min_size=4, max_size=9).filter(lambda word: word not in NO_NAMES).map(str.title)


@settings(deadline=None)
@given(
    first_name=NAMES, last_name=NAMES, place=st.sampled_from(["{}", "Namn: {}", "My Summer\nBy {}", "{} 2024-05-12"])
)
def test_two_students_of_the_same_name_are_always_ambiguous(first_name: str, last_name: str, place: str) -> None:
    roster = Roster([student(8, first_name, last_name), student(9, first_name, last_name)])

    suggested = roster.match(place.format(f"{first_name} {last_name}") + PROSE)

    assert suggested.no_match_reason is NoMatchReason.AMBIGUOUS
    assert len({s.confidence_score for s in suggested.suggestions}) == 1
    assert all(s.confidence_score <= 0.5 for s in suggested.suggestions)


@pytest.mark.parametrize("line", ["{} and {}", "{} & {}", "Namn: {} och {}"])
@pytest.mark.parametrize("other", [NORA, student(5, "Suharto", "")])
def test_two_who_wrote_together_are_ambiguous_whoever_stands_below(line: str, other: RosterStudent) -> None:
    names = line.format("Tova Lindvall", f"{other.first_name} {other.last_name}".strip())

    suggested = match(f"{names}\nJane Eyre", other)

    assert suggested.no_match_reason is NoMatchReason.AMBIGUOUS
    assert {each.student_id for each in suggested.suggestions} == {TOVA.student_id, other.student_id}


@settings(deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=6), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_roster_changes_nothing(
    names: list[tuple[str, str]], author: int, order: random.Random
) -> None:
    students = [student(number, *name) for number, name in enumerate(names, start=10)]
    text = " ".join(names[author % len(names)]) + PROSE
    shuffled = order.sample(students, len(students))

    assert Roster(shuffled).match(text) == Roster(students).match(text)


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=500), st.text(max_size=20), st.text(max_size=20))
def test_no_text_and_no_name_is_too_strange(text: str, first_name: str, last_name: str) -> None:
    strange = student(9, first_name.replace("\0", ""), last_name.replace("\0", ""))

    for head in (text, f"{first_name} {last_name}\n{text}", f"Namn: {first_name} {last_name}\n{text}"):
        suggested = Roster([*CLASS, strange]).match(head)
        assert all(0 <= s.confidence_score <= 1 for s in suggested.suggestions)
