"""What the matcher remembers: the newest roster, and each batch until its associations are decided."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from common_core.events import (
    ERASED,
    BatchAuthorMatchesSuggestedV1,
    BatchStudentMatchingRequestedV1,
    ClassRosterChangedV1,
    EssayMatch,
    EssayRef,
    Evidence,
    RosterStudent,
    StudentSuggestion,
)
from common_core.status_enums import AssociationConfidenceLevel, CourseCode, NoMatchReason
from service_runtime import CancelTimer, SetTimer

from services.student_matching_service.models import MATCH, KnownRoster, MatchRequest

BATCH, CLASS = UUID(int=1), UUID(int=2)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
ESSAY = EssayRef(essay_id=UUID(int=3), text_storage_id="text-1", original_file_name="1.txt")
RESULT = EssayMatch(**ESSAY.model_dump(), suggestions=(), no_match_reason=NoMatchReason.NO_IDENTITY_FOUND)


def roster(version: int, *names: str) -> ClassRosterChangedV1:
    return ClassRosterChangedV1(
        class_id=CLASS,
        class_name="9B",
        course_code=CourseCode.SV1,
        teacher_id="berit",
        roster_version=version,
        students=tuple(
            RosterStudent(student_id=UUID(int=100 + number), first_name=name, last_name="Ek")
            for number, name in enumerate(names)
        ),
    )


def a_request() -> MatchRequest:
    event = BatchStudentMatchingRequestedV1(
        batch_id=BATCH, class_id=CLASS, course_code=CourseCode.SV1, teacher_id="berit", essays=(ESSAY,)
    )
    return MatchRequest.of(event, NOW)


def test_a_newer_roster_replaces_the_known_one() -> None:
    known = KnownRoster.of(roster(1))

    assert known.update(roster(2, "Anna"))
    assert (known.roster_version, [student.first_name for student in known.students]) == (2, ["Anna"])


@pytest.mark.parametrize("version", [2, 1])
def test_an_older_roster_or_the_same_again_changes_nothing(version: int) -> None:
    known = KnownRoster.of(roster(2, "Anna"))

    assert not known.update(roster(version, "Bo"))
    assert [student.first_name for student in known.students] == ["Anna"]


def test_a_request_remembers_what_was_asked_and_when() -> None:
    request = a_request()

    assert (request.batch_id, request.class_id, request.essays, request.requested_at) == (BATCH, CLASS, (ESSAY,), NOW)


def test_matching_begins_at_once_and_again_when_it_must() -> None:
    request, later = a_request(), NOW + timedelta(minutes=1)

    assert request.again(NOW) == [SetTimer(MATCH, BATCH, NOW)]
    assert request.again(later) == [SetTimer(MATCH, BATCH, later)]


def test_what_was_found_out_is_said_with_all_about_the_batch() -> None:
    assert a_request().matched([RESULT]) == [
        BatchAuthorMatchesSuggestedV1(
            batch_id=BATCH, class_id=CLASS, course_code=CourseCode.SV1, teacher_id="berit", results=(RESULT,)
        )
    ]


@pytest.mark.parametrize(("essays", "words", "kept"), [(1, 9_000, 5), (500, 10, 5), (500, 60, 2), (500, 900, 0)])
def test_a_large_batch_is_suggested_with_less_evidence_rather_than_not_at_all(
    essays: int, words: int, kept: int
) -> None:
    sentences = tuple(f"{number} {'word ' * words}" for number in range(5))
    suggestion = StudentSuggestion(
        student_id=UUID(int=9),
        student_name="Anna Ek",
        confidence_score=0.9,
        confidence_level=AssociationConfidenceLevel.MEDIUM,
        match_reasons=sentences,
        evidence=tuple(Evidence(found=sentence, where="first line") for sentence in sentences),
    )
    result = EssayMatch(**ESSAY.model_dump(), suggestions=(suggestion,))

    (said,) = a_request().matched([result] * essays)

    assert isinstance(said, BatchAuthorMatchesSuggestedV1)
    assert len(said.model_dump_json().encode()) < 900_000
    assert {each.suggestions[0].match_reasons for each in said.results} == {sentences[:kept]}
    assert {each.suggestions[0].student_id for each in said.results} == {UUID(int=9)}


def test_once_the_associations_are_decided_nothing_is_matched_or_said_any_more() -> None:
    request = a_request()

    assert request.close() == [CancelTimer(MATCH, BATCH)]
    assert request.again(NOW) == []
    assert request.matched([RESULT]) == []


def test_a_batch_that_was_over_before_its_request_is_never_matched() -> None:
    batch = MatchRequest.over(BATCH)

    assert batch.again(NOW) == []
    assert batch.matched([RESULT]) == []


def test_the_name_of_an_erased_essay_is_forgotten_and_the_others_stay() -> None:
    request = a_request()
    other = ESSAY.model_copy(update={"essay_id": UUID(int=4)})
    request.essays = (ESSAY, other)

    request.erase_names([ESSAY.essay_id, UUID(int=99)])

    assert [essay.original_file_name for essay in request.essays] == [ERASED, "1.txt"]
