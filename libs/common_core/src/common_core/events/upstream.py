"""What systems outside may ask of us; they may also publish every event marked `upstream=True`."""

from common_core.events.base import Event, Topic
from common_core.events.words import Assignment, BatchId, ClassId, ExpectedEssayCount, TeacherId
from common_core.status_enums import CourseCode


class RegisterBatchV1(Event, topic=Topic.UPSTREAM, key="batch_id"):
    """Register a batch: the command behind `POST /v1/batches`, for systems that speak Kafka."""

    batch_id: BatchId
    teacher_id: TeacherId
    course_code: CourseCode
    expected_essay_count: ExpectedEssayCount
    class_id: ClassId | None = None
    """The class of a REGULAR batch; a GUEST batch has none."""
    assignment: Assignment | None = None
