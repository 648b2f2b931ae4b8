"""What the student matching says: who might have written each essay, and why."""

from common_core.events.base import Contract, Event, Text, Topic
from common_core.events.words import (
    BatchId,
    ClassId,
    Confidence,
    EssayRef,
    StudentErased,
    StudentId,
    TeacherId,
)
from common_core.status_enums import AssociationConfidenceLevel, CourseCode, NoMatchReason


class Evidence(Contract):
    """The words in an essay that point to a student."""

    found: Text
    """The words as they stand in the essay."""
    where: Text
    """The place they stand at, such as the first line or a header field."""


class StudentSuggestion(Contract):
    """A student who might have written the essay."""

    student_id: StudentId
    student_name: Text
    """The student's name as it stands in the roster."""
    confidence_score: Confidence
    confidence_level: AssociationConfidenceLevel
    match_reasons: tuple[Text, ...]
    """What the suggestion rests on, the strongest first."""
    evidence: tuple[Evidence, ...] | None = None
    """What was found in the essay."""


class EssayMatch(EssayRef):
    """What was found out about who wrote one essay."""

    suggestions: tuple[StudentSuggestion, ...]
    """The students who might have written it, the best first."""
    no_match_reason: NoMatchReason | None = None


class BatchAuthorMatchesSuggestedV1(Event, topic=Topic.STUDENT_MATCHING, key="batch_id", upstream=True):
    """The essays of a batch were compared with the roster of its class."""

    batch_id: BatchId
    class_id: ClassId
    course_code: CourseCode
    teacher_id: TeacherId
    results: tuple[EssayMatch, ...]
    """One entry per essay, with or without a suggestion."""


class StudentErasedFromMatchingV1(StudentErased, Event, topic=Topic.STUDENT_MATCHING, key="erasure_id"):
    """The student matching has nothing more about a student."""
