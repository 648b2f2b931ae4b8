"""What a teacher decides about who wrote which essay, and how that reads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from common_core.status_enums import AssociationValidationMethod, UploadState

from scriptorium.views import Association, Essays, File, Student

IN_A_SLOT = "in a slot"

type Choose = Callable[[Association, Sequence[Student]], UUID | None]
"""Who of the students that have no essay yet wrote one without a suggestion; None: none of them."""


@dataclass(frozen=True)
class Row:
    """What became of one file."""

    file: str
    student: str
    how: str
    confidence: float | None = None


def decide(associations: Sequence[Association], students: Sequence[Student], choose: Choose) -> dict[UUID, UUID | None]:
    """The teacher's own decisions: one for every essay that has no suggestion to accept."""
    taken = {who for each in associations for who in (each.suggested_student_id, each.student_id)}
    decisions: dict[UUID, UUID | None] = {}
    for association in associations:
        if association.validation_method is None and association.suggested_student_id is None:
            chosen = choose(association, [student for student in students if student.student_id not in taken])
            decisions[association.essay_id] = chosen
            taken.add(chosen)
    return decisions


def none_of_them(_: Association, __: Sequence[Student]) -> None:
    """Choose nobody."""


def by_handwriting(association: Association, students: Sequence[Student]) -> UUID | None:
    """Choose one whose name stands in the essay, or else the last: the teacher of the demonstration knows them all."""
    found = {word for evidence in association.evidence for word in evidence.found.casefold().split()}
    named = [each for each in students if found & {each.first_name.casefold(), each.last_name.casefold()}]
    return next((student.student_id for student in (*named, *reversed(students))), None)


def fate(file: File, essays: Essays) -> str:
    """What has become of a file so far."""
    if file.state is UploadState.FAILED:
        return f"not accepted: {_words(file.error_code)}"
    if file.file_upload_id in essays.surplus:
        return f"surplus: {_words(essays.surplus[file.file_upload_id])}"
    if file.file_upload_id in essays.taken:
        return IN_A_SLOT
    return "read" if file.state is UploadState.PROVISIONED else "uploaded"


def suggestion(association: Association, students: Iterable[Student]) -> str:
    """Who is suggested."""
    if association.suggested_student_id is None:
        return f"no suggestion: {_words(association.no_match_reason)}"
    return f"suggested: {_name(association.suggested_student_id, students)} ({association.confidence_score or 0:.3f})"


def how(association: Association) -> str:
    """How it was decided."""
    if association.validation_method is AssociationValidationMethod.TIMEOUT:
        return "decided by the deadline"
    if association.validation_method is AssociationValidationMethod.AUTO:
        return "confirmed without a person"
    if association.student_id is None:
        return f"none of my students ({_words(association.no_match_reason)})"
    if association.student_id == association.suggested_student_id:
        return "suggestion accepted"
    return f"chosen ({_words(association.no_match_reason)})"


def rows(
    files: Iterable[File], essays: Essays, decided: Iterable[Association], students: Sequence[Student]
) -> list[Row]:
    """What became of every file, in the order of their uploads."""
    by_essay = {association.essay_id: association for association in decided}
    essay_of = {file: by_essay.get(essay) for file, essay in essays.taken.items()}
    return [_row(file, essays, essay_of.get(file.file_upload_id), students) for file in files]


def _row(file: File, essays: Essays, association: Association | None, students: Sequence[Student]) -> Row:
    if association is None:
        state = fate(file, essays)
        return Row(file.original_file_name, "", "guest: no student asked for" if state == IN_A_SLOT else state)
    confidence = association.confidence_score if association.student_id == association.suggested_student_id else None
    return Row(file.original_file_name, _name(association.student_id, students), how(association), confidence)


def _name(student_id: UUID | None, students: Iterable[Student]) -> str:
    return next((student.name for student in students if student.student_id == student_id), "")


def _words(code: str | None) -> str:
    return (code or "nothing found").replace("_", " ")
