"""The words all events are made of: ids, names, numbers, and the reference to an essay."""

from datetime import UTC, datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, Field

from common_core.events.base import Contract, Name, Text

BatchId = Annotated[UUID, Field(description="The batch this is about.")]
ClassId = Annotated[UUID, Field(description="The class this is about.")]
EssayId = Annotated[UUID, Field(description="The essay; given to its slot at registration.")]
StudentId = Annotated[UUID, Field(description="The student.")]
ErasureId = Annotated[UUID, Field(description="The request to erase a student, made once.")]
FileUploadId = Annotated[UUID, Field(description="The uploaded file.")]
TeacherId = Annotated[Name, Field(description="The teacher who owns the batch or class.")]

TextStorageId = Annotated[Name, Field(description="Where the text is stored; opaque, equal for equal texts.")]
RawFileStorageId = Annotated[Name, Field(description="Where the file is stored as it was uploaded; opaque.")]
FileName = Annotated[Text, Field(description="What the file was called where it came from.")]
Assignment = Annotated[Text, Field(description="What the students were asked to write.")]

# PostgreSQL's integer and bigint end here; a larger number would fail on every retry instead of being refused once.
ExpectedEssayCount = Annotated[int, Field(ge=1, le=500, description="How many slots the batch has.")]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
FileSize = Annotated[int, Field(ge=0, le=2**63 - 1, description="The size of the uploaded file in bytes.")]
RosterVersion = Annotated[int, Field(ge=1, le=2**31 - 1, description="Grows by one with every change of the roster.")]
Confidence = Annotated[
    float, Field(ge=0, le=1, allow_inf_nan=False, description="How sure the suggestion is, from 0 to 1.")
]


def _in_the_calendar(time: datetime) -> datetime:
    try:
        time.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie in the years 1 to 9999, also in UTC") from None
    return time


Time = Annotated[AwareDatetime, AfterValidator(_in_the_calendar)]
"""A moment with its zone; RFC 3339 on the wire."""

ERASED = "(erased)"
"""Stands where something personal stood."""


class EssayRef(Contract):
    """An essay that has its content, and where its text is stored."""

    essay_id: EssayId
    text_storage_id: TextStorageId
    original_file_name: FileName

    def erased(self) -> Self:
        """The same without the file's name, which may be a person's."""
        return self.model_copy(update={"original_file_name": ERASED})


class StudentEssayRef(Contract):
    """One of a student's essays, by ids only."""

    batch_id: BatchId
    essay_id: EssayId
    text_storage_id: TextStorageId


class StudentErased(Contract):
    """What each service says when it has nothing more about a student."""

    erasure_id: ErasureId
    class_id: ClassId
    student_id: StudentId
    erased: Count
    """How many essays or files were erased here; 0 when there was nothing."""
