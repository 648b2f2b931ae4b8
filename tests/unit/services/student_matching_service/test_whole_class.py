"""What one essay says depends on the others: two for one student are both looked at, and a text decides for itself."""

from common_core.events.class_management import RosterStudent
from common_core.status_enums import NoMatchReason

from services.student_matching_service.matching import Match, Roster
from tests.unit.services.student_matching_service.test_matching import NORA, PROSE, TOVA, student

TOVE = student(11, "Tova", "Ekmark")


def matches(*heads: str, students: tuple[RosterStudent, ...] = (TOVA, NORA, TOVE)) -> list[Match]:
    """What is found when the essays of a batch have these heads."""
    roster = Roster(students)
    return roster.conclude([roster.look(head + PROSE) for head in heads], [f"{n}.txt" for n, _ in enumerate(heads, 1)])


def test_two_essays_that_name_one_student_are_both_for_the_teacher() -> None:
    hers, also_hers, noras = matches("Tova Lindvall", "Namn: Tova Lindvall", "Nora Storvik")

    for match, other in ((hers, "2.txt"), (also_hers, "1.txt")):
        assert match.suggestions[0].student_id == TOVA.student_id
        assert match.suggestions[0].confidence_score <= 0.9
        assert f"Tova Lindvall is also named by another essay, '{other}', so please look at each." in (
            match.suggestions[0].match_reasons
        )
    assert noras.suggestions[0].confidence_score > 0.9


def test_of_two_essays_that_name_one_student_the_one_with_a_slip_is_less_sure() -> None:
    slip, exact = matches("Tova Lindval", "Tova Lindvall")

    assert slip.suggestions[0].confidence_score < 0.7 < exact.suggestions[0].confidence_score <= 0.9


def test_of_two_who_are_as_likely_the_one_with_another_essay_comes_second_and_it_stays_ambiguous() -> None:
    (alone,) = matches("Tova")
    beside, _ = matches("Tova", "Tova Lindvall")

    assert alone.suggestions[0].confidence_score == alone.suggestions[1].confidence_score
    assert beside.no_match_reason is NoMatchReason.AMBIGUOUS
    first, second = beside.suggestions
    assert (first.student_id, second.student_id) == (TOVE.student_id, TOVA.student_id)
    assert second.confidence_score < alone.suggestions[1].confidence_score < first.confidence_score <= 0.5
    assert "Tova Lindvall is named by another essay, '2.txt'." in first.match_reasons


def test_namesakes_are_not_told_apart_by_each_others_essays() -> None:
    author = student(20, "Vera", "Holm", email="vera.1@school.example")
    beside, _ = matches("Vera Holm", "Vera Holm\nvera.1@school.example", students=(author, student(21, "Vera", "Holm")))

    assert beside.no_match_reason is NoMatchReason.AMBIGUOUS
    assert len({each.confidence_score for each in beside.suggestions}) == 1


def test_two_authors_stay_two_though_one_has_an_essay_of_their_own() -> None:
    both, _ = matches("Tova Lindvall and Nora Storvik", "Tova Lindvall")

    assert both.no_match_reason is NoMatchReason.AMBIGUOUS
    assert len({each.confidence_score for each in both.suggestions}) == 1


def test_an_initial_is_worth_less_where_another_essay_has_the_full_name_and_both_are_for_the_teacher() -> None:
    hinted, named = matches("N. Storvik", "Nora Storvik")

    assert hinted.suggestions[0].confidence_score < 0.7 < named.suggestions[0].confidence_score <= 0.9
    assert "But another essay, '2.txt', names Nora Storvik more surely." in hinted.suggestions[0].match_reasons


def test_a_title_about_a_student_who_has_an_essay_is_for_the_teacher_as_well() -> None:
    about, named = matches("Nora Storvik: A Life", "Nora Storvik")

    assert about.suggestions[0].confidence_score < 0.7 < named.suggestions[0].confidence_score <= 0.9


def test_a_first_name_alone_suggests_nobody_who_is_named_in_full_elsewhere() -> None:
    alone, named = matches("Nora", "Nora Storvik")

    assert alone == Match(no_match_reason=NoMatchReason.NO_STUDENT_FOUND)
    assert named.suggestions[0].confidence_score > 0.9


def test_the_order_of_the_essays_changes_nothing() -> None:
    heads = ["Tova", "Tova Lindvall", "Nora Storvik", "N. Storvik"]

    scores = [[(s.student_id, s.confidence_score) for s in match.suggestions] for match in matches(*heads)]
    turned = [[(s.student_id, s.confidence_score) for s in match.suggestions] for match in matches(*reversed(heads))]

    assert scores == turned[::-1]
