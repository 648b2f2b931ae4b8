"""The words on the wire, as other people's programs know them."""

from enum import StrEnum

import pytest
from common_core import status_enums as words
from common_core.status_enums import AssociationConfidenceLevel, CourseCode, Language

WIRE = {
    words.BatchStatus: "awaiting_content_validation awaiting_student_validation student_validation_completed "
    "ready_for_pipeline_execution content_ingestion_failed cancelled",
    words.StudentAssociationStatus: "pending_validation confirmed rejected timeout_confirmed no_match",
    words.AssociationValidationMethod: "human timeout auto",
    words.AssociationConfidenceLevel: "high medium low no_match",
    words.CourseCode: "ENG5 ENG6 ENG7 SV1 SV2 SV3",
    words.ClassType: "GUEST REGULAR",
    words.FileErrorCode: "empty_content content_too_short content_too_long text_extraction_failed "
    "encrypted_file_unsupported file_type_unsupported file_too_large",
    words.ExcessReason: "no_available_slot batch_closed duplicate_content",
    words.NoMatchReason: "no_identity_found no_student_found ambiguous text_unavailable roster_unavailable",
    words.RetainedData: "texts associations",
    words.SlotState: "free assigned closed",
    words.UploadState: "received provisioned failed",
}


@pytest.mark.parametrize("enum", WIRE, ids=lambda enum: enum.__name__)
def test_the_values_are_the_published_ones(enum: type[StrEnum]) -> None:
    assert {str(member) for member in enum} == set(WIRE[enum].split())


@pytest.mark.parametrize("enum", WIRE, ids=lambda enum: enum.__name__)
def test_every_member_is_named_like_its_value(enum: type[StrEnum]) -> None:
    assert all(member.name == member.value.upper() for member in enum)


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (1.0, "high"),
        (0.9000001, "high"),
        (0.9, "medium"),
        (0.7, "medium"),
        (0.6999999, "low"),
        (0.0000001, "low"),
        (0.0, "no_match"),
        (None, "no_match"),
    ],
)
def test_a_score_has_a_word(score: float | None, level: str) -> None:
    assert AssociationConfidenceLevel.of(score) is AssociationConfidenceLevel(level)


def test_every_course_has_its_language() -> None:
    assert [course.language for course in CourseCode] == [Language.ENGLISH] * 3 + [Language.SWEDISH] * 3
