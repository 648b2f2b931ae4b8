"""What a teacher decides about who wrote which essay, and how that reads afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from common_core.status_enums import AssociationValidationMethod, UploadState

from scriptorium.views import Association, Essays, File, Student

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
    taken = {each.suggested_student_id for each in associations} | {each.student_id for each in associations}
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
    named = (each for each in students if found & {each.first_name.casefold(), each.last_name.casefold()})
    chosen = next(named, None) or (students[-1] if students else None)
    return chosen.student_id if chosen else None


def fate(file: File, essays: Essays | None) -> str:
    """What has become of a file so far."""
    if file.state is UploadState.FAILED:
        return f"not accepted: {_words(file.error_code)}"
    if essays and (reason := essays.reasons.get(file.file_upload_id)):
        return f"surplus: {_words(reason)}"
    if essays and file.file_upload_id in essays.taken:
        return "in a slot"
    return "read" if file.state is UploadState.PROVISIONED else "uploaded"


def settled(file: File, essays: Essays | None) -> bool:
    """Whether nothing more happens to a file."""
    return file.state is UploadState.FAILED or (essays is not None and file.file_upload_id in essays.decided)


def suggestion(association: Association, students: Sequence[Student]) -> str:
    """Who is suggested, in words."""
    if association.suggested_student_id:
        score = f"{association.confidence_score:.2f}" if association.confidence_score is not None else "unknown"
        return f"suggested: {_names(students).get(association.suggested_student_id, '?')} ({score})"
    return f"no clear suggestion: {_words(association.no_match_reason)}"


def rows(
    files: Iterable[File], essays: Essays | None, decided: Iterable[Association], students: Sequence[Student]
) -> list[Row]:
    """What became of every file, in the order of their uploads."""
    by_essay = {association.essay_id: association for association in decided}
    essay_of = essays.taken if essays else {}
    found: list[Row] = []
    for file in files:
        essay_id = essay_of.get(file.file_upload_id)
        if essay_id and file.state is not UploadState.FAILED:
            found.append(_row(file, by_essay.get(essay_id), _names(students)))
        else:
            found.append(Row(file.original_file_name, "", fate(file, essays)))
    return found


def _row(file: File, association: Association | None, names: Mapping[UUID, str]) -> Row:
    if association is None:
        return Row(file.original_file_name, "", "guest: no student asked for")
    chosen = association.student_id
    confidence = association.confidence_score if chosen and chosen == association.suggested_student_id else None
    return Row(file.original_file_name, names.get(chosen, "?") if chosen else "", how(association), confidence)


def how(association: Association) -> str:
    """How it was decided, in words."""
    if association.validation_method is AssociationValidationMethod.TIMEOUT:
        return "decided by the deadline"
    if association.validation_method is AssociationValidationMethod.AUTO:
        return "confirmed without a person"
    if association.student_id is None:
        return f"none of my students ({_words(association.no_match_reason)})"
    if association.student_id == association.suggested_student_id:
        return "suggestion accepted"
    return f"chosen by the teacher ({_words(association.no_match_reason)})"


def _names(students: Iterable[Student]) -> dict[UUID, str]:
    return {student.student_id: student.name for student in students}


def _words(code: str | None) -> str:
    return (code or "nothing found").replace("_", " ")
