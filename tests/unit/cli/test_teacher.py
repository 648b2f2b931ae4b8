"""What the teacher of the command decides, and how it reads."""

from uuid import UUID, uuid4

import pytest
from common_core.events import Evidence
from common_core.status_enums import (
    AssociationValidationMethod,
    ExcessReason,
    FileErrorCode,
    NoMatchReason,
    SlotState,
    UploadState,
)
from scriptorium.teacher import Row, by_handwriting, decide, fate, none_of_them, rows, suggestion
from scriptorium.views import Association, Essays, Excess, File, Slot, Student

ELSA = Student(student_id=uuid4(), first_name="Elsa", last_name="Berg")
HUGO = Student(student_id=uuid4(), first_name="Hugo", last_name="Berg")
CLASS = [ELSA, HUGO]


def an_association(
    suggested: Student | None = None,
    chosen: Student | None = None,
    reason: NoMatchReason | None = None,
    found: str = "",
    method: AssociationValidationMethod | None = None,
) -> Association:
    return Association(
        essay_id=uuid4(),
        original_file_name="a.txt",
        suggested_student_id=suggested and suggested.student_id,
        student_id=chosen and chosen.student_id,
        confidence_score=0.97 if suggested else None,
        no_match_reason=reason,
        evidence=[Evidence(found=found, where="first line")] if found else [],
        validation_method=method,
    )


def a_file(state: UploadState = UploadState.PROVISIONED, error: FileErrorCode | None = None) -> File:
    return File(file_upload_id=uuid4(), original_file_name="a.txt", state=state, error_code=error)


def slots(*files: File, essay_id: UUID | None = None) -> Essays:
    taken = [
        Slot(essay_id=essay_id or uuid4(), state=SlotState.ASSIGNED, file_upload_id=each.file_upload_id)
        for each in files
    ]
    return Essays(slots=taken, excess=[])


def test_only_essays_without_a_suggestion_are_decided() -> None:
    clear, unclear = an_association(suggested=ELSA), an_association(reason=NoMatchReason.NO_IDENTITY_FOUND)

    assert decide([clear, unclear], CLASS, none_of_them) == {unclear.essay_id: None}


def test_what_is_decided_already_stays() -> None:
    decided = an_association(chosen=HUGO, method=AssociationValidationMethod.AUTO)

    assert decide([decided], CLASS, by_handwriting) == {}


def test_the_demonstration_chooses_a_student_whose_name_is_in_the_essay() -> None:
    ambiguous = an_association(reason=NoMatchReason.AMBIGUOUS, found="E. Berg, elsa")
    assert decide([ambiguous], CLASS, by_handwriting) == {ambiguous.essay_id: ELSA.student_id}


def test_the_demonstration_gives_no_student_two_essays() -> None:
    essays = [an_association(suggested=ELSA), *(an_association(reason=NoMatchReason.AMBIGUOUS) for _ in range(2))]

    assert list(decide(essays, CLASS, by_handwriting).values()) == [HUGO.student_id, None]


def test_the_fate_of_a_file_is_told() -> None:
    read, failed, surplus = a_file(), a_file(UploadState.FAILED, FileErrorCode.EMPTY_CONTENT), a_file()
    essays = Essays(excess=[Excess(file_upload_id=surplus.file_upload_id, reason=ExcessReason.DUPLICATE_CONTENT)])

    assert fate(a_file(UploadState.RECEIVED), essays) == "uploaded"
    assert fate(read, essays) == "read"
    assert fate(read, slots(read)) == "in a slot"
    assert fate(failed, slots(failed)) == "not accepted: empty content"
    assert fate(surplus, essays) == "surplus: duplicate content"


def test_a_suggestion_reads_with_its_confidence() -> None:
    assert suggestion(an_association(suggested=HUGO), CLASS) == "suggested: Hugo Berg (0.970)"
    assert suggestion(an_association(reason=NoMatchReason.AMBIGUOUS), CLASS) == "no suggestion: ambiguous"


@pytest.mark.parametrize(
    ("association", "row"),
    [
        (
            an_association(suggested=ELSA, chosen=ELSA, method=AssociationValidationMethod.HUMAN),
            Row("a.txt", "Elsa Berg", "suggestion accepted", 0.97),
        ),
        (
            an_association(chosen=HUGO, reason=NoMatchReason.AMBIGUOUS, method=AssociationValidationMethod.HUMAN),
            Row("a.txt", "Hugo Berg", "chosen (ambiguous)"),
        ),
        (
            an_association(reason=NoMatchReason.NO_IDENTITY_FOUND, method=AssociationValidationMethod.HUMAN),
            Row("a.txt", "", "none of my students (no identity found)"),
        ),
    ],
)
def test_the_table_says_how_it_was_decided(association: Association, row: Row) -> None:
    file = a_file()

    assert rows([file], slots(file, essay_id=association.essay_id), [association], CLASS) == [row]


def test_the_table_has_every_file_even_those_without_an_essay() -> None:
    guest, failed = a_file(), a_file(UploadState.FAILED, FileErrorCode.CONTENT_TOO_SHORT)

    assert [row.how for row in rows([guest, failed], slots(guest, failed), [], [])] == [
        "guest: no student asked for",
        "not accepted: content too short",
    ]
