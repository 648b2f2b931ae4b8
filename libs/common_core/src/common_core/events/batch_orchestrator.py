"""What the batch orchestrator says: what becomes of a batch as a whole."""

from common_core.events.base import Event, Name, Text, Topic
from common_core.events.words import (
    Assignment,
    BatchId,
    ClassId,
    EssayId,
    EssayRef,
    ExpectedEssayCount,
    StudentErased,
    StudentId,
    TeacherId,
)
from common_core.status_enums import CourseCode, RetainedData


class BatchEssaysRegisteredV1(Event, topic=Topic.BATCH_ORCHESTRATOR, key="batch_id"):
    """A batch was registered and its slots have their essay ids."""

    batch_id: BatchId
    teacher_id: TeacherId
    course_code: CourseCode
    class_id: ClassId | None = None
    """The class of a REGULAR batch; a GUEST batch has none."""
    assignment: Assignment | None = None
    expected_essay_count: ExpectedEssayCount
    essay_ids: tuple[EssayId, ...]
    """The ids of the slots, one for each expected essay."""


class InitiateStudentMatchingV1(Event, topic=Topic.BATCH_ORCHESTRATOR, key="batch_id"):
    """Find out which students of the class wrote the essays of this batch."""

    batch_id: BatchId
    class_id: ClassId
    course_code: CourseCode
    teacher_id: TeacherId
    essays: tuple[EssayRef, ...]
    """The essays whose students are to be found."""


class StudentEssay(EssayRef):
    """An essay together with the student who wrote it, where one is known."""

    student_id: StudentId | None = None
    """The student who wrote it; absent where none was found or chosen, and in a GUEST batch."""


class BatchReadyForPipelineExecutionV1(Event, topic=Topic.BATCH_ORCHESTRATOR, key="batch_id"):
    """A batch may enter the processing pipelines: every essay is stored in the orchestrator."""

    batch_id: BatchId
    course_code: CourseCode
    teacher_id: TeacherId
    class_id: ClassId | None = None
    """The class of a REGULAR batch; a GUEST batch has none."""
    essays: tuple[StudentEssay, ...]
    """Every essay of the batch that has a content."""


class BatchContentIngestionFailedV1(Event, topic=Topic.BATCH_ORCHESTRATOR, key="batch_id"):
    """No file of a batch became an essay, so the batch ends here."""

    batch_id: BatchId
    teacher_id: TeacherId
    reason: Text
    """What happened, in a sentence for the teacher."""


class BatchCancelledV1(Event, topic=Topic.BATCH_ORCHESTRATOR, key="batch_id"):
    """A batch was called off; what is still under way for it has no effect."""

    batch_id: BatchId
    teacher_id: TeacherId
    cancelled_by: Name
    """The person who called it off."""


class BatchRetentionEndedV1(Event, topic=Topic.BATCH_ORCHESTRATOR, key="batch_id"):
    """A batch has been over for so long that some of its data are to be erased everywhere."""

    batch_id: BatchId
    data: RetainedData


class StudentErasedFromBatchesV1(StudentErased, Event, topic=Topic.BATCH_ORCHESTRATOR, key="erasure_id"):
    """The orchestrator has nothing more about a student."""
