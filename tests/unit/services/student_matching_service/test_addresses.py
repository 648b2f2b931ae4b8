"""Addresses are read as schools make them of names."""

import pytest

from services.student_matching_service.matching import Roster
from tests.unit.services.student_matching_service.test_matching import NORA, PROSE, student

JAN_ERIK = student(8, "Jan-Erik", "van 't Öst")


@pytest.mark.parametrize(
    ("local", "confidence"),
    [
        ("janerik.vantost", 0.95),
        ("jan.ost2", 0.95),
        ("ost_jan", 0.95),
        ("j.vantost", 0.7),
        ("jano", 0.7),
        ("JANOST07", 0.7),
        ("j.o", 0.0),
        ("jan", 0.4),
        ("vera.ost", 0.0),
    ],
)
def test_the_letters_before_the_at_sign_are_compared_with_all_forms_of_the_name(local: str, confidence: float) -> None:
    suggestions = Roster([JAN_ERIK, NORA]).match(f"The Sea\n{local}@elsewhere.example" + PROSE).suggestions

    assert [s.confidence_score >= confidence for s in suggestions if s.student_id == JAN_ERIK.student_id] == (
        [True] if confidence else []
    )
    assert all(s.student_id == JAN_ERIK.student_id for s in suggestions)


def test_an_address_that_fits_two_is_ambiguous() -> None:
    roster = Roster([student(8, "Siri", "Holm"), student(9, "Signe", "Holm")])

    assert roster.match("The Sea\ns.holm@elsewhere.example" + PROSE).no_match_reason == "ambiguous"
