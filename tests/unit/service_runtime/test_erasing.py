"""What is blanked of a message that names somebody who is erased, and that it can still be decoded."""

import json
from typing import Any, get_args
from uuid import UUID

import pytest
from common_core.events import ERASED, BatchAuthorMatchesSuggestedV1, ClassRosterChangedV1, Event
from pydantic import BaseModel
from service_runtime.erasing import PERSONAL, QUOTING, blanked, blanked_bytes

GONE, OTHER, ESSAY, CLASS = (str(UUID(int=number)) for number in range(1, 5))
ABOUT = {"class_id": CLASS, "course_code": "SV1", "teacher_id": "berit"}

# Texts in events that are nobody's: words of ours, of teachers, and ids.
NOBODYS = {"teacher_id", "assignment", "class_name", "reason", "cancelled_by", "validated_by", "error_detail", "where"}
NOBODYS |= {"text_storage_id", "raw_file_storage_id", "content_sha256"}


def student(student_id: str, name: str) -> dict[str, Any]:
    return {"student_id": student_id, "first_name": name, "last_name": "Ek", "legal_full_name": None, "email": "a@b.se"}


def suggestion(student_id: str, name: str) -> dict[str, Any]:
    score = {"confidence_score": 0.9, "confidence_level": "medium"}
    quoting = {"match_reasons": ["next is Anna Ek"], "evidence": [{"found": name, "where": "first line"}]}
    return {"student_id": student_id, "student_name": name, **score, **quoting}


def result(essay_id: str, *suggestions: dict[str, Any]) -> dict[str, Any]:
    named = {"essay_id": essay_id, "text_storage_id": "text", "original_file_name": "anna.txt"}
    return {**named, "suggestions": list(suggestions), "no_match_reason": "ambiguous"}


def test_of_a_roster_only_the_erased_student_is_blanked() -> None:
    students = [student(GONE, "Anna"), student(OTHER, "Bo")]
    data = {**ABOUT, "class_name": "9A", "roster_version": 1, "students": students}

    left: Any = blanked(data, {GONE})

    assert left["students"][1] == students[1]
    assert left["students"][0] == {
        "student_id": GONE,
        "first_name": ERASED,
        "last_name": ERASED,
        "legal_full_name": None,
        "email": ERASED,
    }
    assert ClassRosterChangedV1.model_validate_json(json.dumps(left))


def test_of_suggestions_the_student_their_essay_and_all_quotes_are_blanked() -> None:
    results = [result(ESSAY, suggestion(OTHER, "Bo")), result(OTHER, suggestion(GONE, "Anna"), suggestion(OTHER, "Bo"))]

    left: Any = blanked({**ABOUT, "batch_id": CLASS, "results": results}, {GONE, ESSAY})

    assert [each["original_file_name"] for each in left["results"]] == [ERASED, "anna.txt"]
    names = [[each["student_name"] for each in essay["suggestions"]] for essay in left["results"]]
    assert names == [[ERASED], [ERASED, "Bo"]]
    assert "next is" not in json.dumps(left)
    assert "found" not in json.dumps(left)
    assert BatchAuthorMatchesSuggestedV1.model_validate_json(json.dumps(left))


def test_ids_are_found_however_they_are_written_and_within_an_envelope() -> None:
    essay = "ABCDEF00-0000-7000-8000-000000000001"

    left = blanked({"data": {"essay_id": essay, "original_file_name": "anna.txt"}}, {essay.lower()})

    assert left == {"data": {"essay_id": essay, "original_file_name": ERASED}}


def test_bytes_stay_as_they_are_where_nothing_is_personal_and_go_where_nobody_can_read_them() -> None:
    harmless = f'{{ "student_id" : "{GONE}" }}'.encode()

    assert blanked_bytes(harmless, {GONE}) == harmless
    for unreadable in (f"{GONE} is Anna", f'{"[" * 5_000}"{GONE}"{"]" * 5_000}'):
        assert blanked_bytes(unreadable.encode(), {GONE}) == ERASED.encode()


@pytest.mark.parametrize("kind", Event.types.values(), ids=lambda kind: kind.__name__)
def test_every_text_of_an_event_is_known_as_personal_or_not(kind: type[Event]) -> None:
    unknown = set(texts(kind)) - PERSONAL - QUOTING - NOBODYS

    assert not unknown, f"{unknown}: add to PERSONAL in erasing.py what may be somebody's, else to NOBODYS here"


def texts(kind: type[BaseModel]) -> set[str]:
    """The names of all fields of texts, at any depth."""
    found = set()
    for name, field in kind.model_fields.items():
        parts = all_parts(field.annotation)
        found |= {name} if str in parts else set()
        for part in parts:
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= texts(part)
    return found


def all_parts(annotation: Any) -> list[Any]:
    return [annotation, *(part for each in get_args(annotation) for part in all_parts(each))]
