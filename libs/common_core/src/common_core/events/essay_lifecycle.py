"""What the essay lifecycle says: which content got which slot, when that is complete, and when essays are ready."""

from common_core.events.base import Event, Topic
from common_core.events.words import (
    BatchId,
    ClassId,
    Count,
    EssayId,
    EssayRef,
    FileName,
    FileUploadId,
    StudentErased,
    TeacherId,
    TextStorageId,
)
from common_core.status_enums import ClassType, CourseCode, ExcessReason


class EssaySlotAssignedV1(Event, topic=Topic.ESSAY_LIFECYCLE, key="batch_id"):
    """A content got a slot of its batch."""

    batch_id: BatchId
    essay_id: EssayId
    file_upload_id: FileUploadId
    text_storage_id: TextStorageId
    original_file_name: FileName


class ExcessContentProvisionedV1(Event, topic=Topic.ESSAY_LIFECYCLE, key="batch_id"):
    """A content got no slot of its batch."""

    batch_id: BatchId
    file_upload_id: FileUploadId
    text_storage_id: TextStorageId
    original_file_name: FileName
    reason: ExcessReason


class BatchContentProvisioningCompletedV1(Event, topic=Topic.ESSAY_LIFECYCLE, key="batch_id"):
    """Every slot of a batch has its content or is closed; said exactly once per batch."""

    batch_id: BatchId
    class_id: ClassId | None = None
    """The class of a REGULAR batch; a GUEST batch has none."""
    course_code: CourseCode
    teacher_id: TeacherId
    expected_count: Count
    """How many slots the batch has."""
    provisioned_count: Count
    """How many slots have a content; 0 when every file failed."""
    failed_count: Count
    """How many files failed, each closing one slot."""
    essays: tuple[EssayRef, ...]
    """The essays that have a content."""


class BatchStudentMatchingRequestedV1(Event, topic=Topic.ESSAY_LIFECYCLE, key="batch_id"):
    """The essays of a batch may now be matched with the students of its class."""

    batch_id: BatchId
    class_id: ClassId
    course_code: CourseCode
    teacher_id: TeacherId
    essays: tuple[EssayRef, ...]
    """The essays whose students are to be found."""


class BatchEssaysReadyV1(Event, topic=Topic.ESSAY_LIFECYCLE, key="batch_id"):
    """The students of a batch are confirmed and its essays may be processed."""

    batch_id: BatchId
    course_code: CourseCode
    class_type: ClassType
    ready_essays: tuple[EssayRef, ...]
    """The essays that have a content."""


class StudentErasedFromSlotsV1(StudentErased, Event, topic=Topic.ESSAY_LIFECYCLE, key="erasure_id"):
    """The essay lifecycle has nothing more about a student."""
