"""A written name is worth as much for a student as its words say, and no more."""

from uuid import UUID

import pytest
from common_core.events.class_management import RosterStudent

from services.student_matching_service.likeness import likeness, written_names
from services.student_matching_service.names import StudentName


def worth(written: str, first_name: str, last_name: str, legal_full_name: str | None = None) -> float:
    """What the best reading of a written name is worth for a student; 0 when it is somebody else."""
    student = StudentName.of(
        RosterStudent(
            student_id=UUID(int=1), first_name=first_name, last_name=last_name, legal_full_name=legal_full_name
        )
    )
    return max((like.worth for name in written_names(written) if (like := likeness(name, student))), default=0.0)


@pytest.mark.parametrize(
    ("written", "first_name", "last_name"),
    [
        ("Tova Lindvall", "Tova", "Lindvall"),
        ("Lindvall, Tova", "Tova", "Lindvall"),
        ("tova LINDVALL", "Tova", "Lindvall"),
        ("Asa Ostrom", "Åsa", "Öström"),
        ("Karl Erik Ekfeldt", "Karl-Erik", "af Ekfeldt"),
        ("Karl-Erik af Ekfeldt", "Karl Erik", "Ekfeldt"),
        ("Liv ODalen", "Liv", "O'Dalen"),
        ("Nour Almasri", "Nour", "al-Masri"),
        ("TovaLindvall", "Tova", "Lindvall"),
        ("Tova Lindvall", "Tova Maria", "Lindvall"),
        ("Lindvall Tova", "Tova", "Lindvall"),
    ],
)
def test_the_full_name_is_worth_more_than_nine_tenths(written: str, first_name: str, last_name: str) -> None:
    assert worth(written, first_name, last_name) > 0.9


@pytest.mark.parametrize(
    ("written", "first_name", "last_name", "low", "high"),
    [
        ("Tova Lindval", "Tova", "Lindvall", 0.8, 0.9),
        ("T. Lindvall", "Tova", "Lindvall", 0.75, 0.85),
        ("Tova L", "Tova", "Lindvall", 0.75, 0.85),
        ("Alex Lindvall", "Alexandra", "Lindvall", 0.7, 0.85),
        ("Tova Lindvall", "Tova", "Lindvall-Storvik", 0.7, 0.9),
        ("Tova", "Tova", "Lindvall", 0.4, 0.6),
        ("Lindvall", "Tova", "Lindvall", 0.3, 0.5),
        ("Rova Lindvall", "Tova", "Lindvall", 0.4, 0.7),
    ],
)
def test_less_of_a_name_is_worth_less(written: str, first_name: str, last_name: str, low: float, high: float) -> None:
    assert low <= worth(written, first_name, last_name) <= high


@pytest.mark.parametrize(
    "written", ["Tova Storvik", "Nora Lindvall", "Tova Karenina", "T. S.", "T", "A Day in Tova's Life", ""]
)
def test_a_name_that_only_shares_a_word_is_somebody_elses(written: str) -> None:
    assert worth(written, "Tova", "Lindvall") == 0


def test_the_legal_name_is_a_full_name_even_where_the_student_is_called_otherwise() -> None:
    assert worth("Maria Katarina Lindvall", "Kajsa", "Lindvall", "Maria Katarina Lindvall") > 0.9


def test_a_middle_name_confirms_or_doubts() -> None:
    own = worth("Tova Maria Lindvall", "Tova", "Lindvall", "Tova Maria Lindvall")
    unknown = worth("Tova Maria Lindvall", "Tova", "Lindvall")
    another = worth("Tova Maria Lindvall", "Tova", "Lindvall", "Tova Elin Lindvall")

    assert own > unknown > another


def test_another_first_name_in_the_place_of_one_makes_it_somebody_else() -> None:
    assert worth("Anna Lena Storvik", "Anna-Sofia", "Storvik") == 0
    assert worth("Anna Storvik", "Anna-Sofia", "Storvik") > 0.9


@pytest.mark.parametrize(("written", "first_name", "last_name"), [("Kim Al", "Kim", "Al"), ("Liv Van", "Liv", "Van")])
def test_a_particle_is_a_name_where_the_surname_ends(written: str, first_name: str, last_name: str) -> None:
    assert worth(written, first_name, last_name) > 0.9
    assert worth(written, first_name, "Storvik") == 0


def test_an_initial_stands_for_all_surnames() -> None:
    assert worth("Tova S.", "Tova", "Storvik-Lindvall") == worth("Tova S.", "Tova", "Storvik")


def test_a_student_with_one_name_only_is_found_by_it() -> None:
    assert worth("Tova", "Tova", "") > 0.8
