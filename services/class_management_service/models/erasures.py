"""The erasure of a student: asked for once, and done when every service has said so."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from common_core.events import (
    Event,
    StudentDataErasedV1,
    StudentErased,
    StudentErasedFromBatchesV1,
    StudentErasedFromFilesV1,
    StudentErasedFromMatchingV1,
    StudentErasedFromSlotsV1,
    StudentErasureRequestedV1,
    StudentEssayRef,
)
from service_runtime.tables import Json
from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from services.class_management_service.models.base import Base

ANSWERS: tuple[type[Event], ...] = (
    StudentErasedFromBatchesV1,
    StudentErasedFromFilesV1,
    StudentErasedFromMatchingV1,
    StudentErasedFromSlotsV1,
)
"""What the other services say when they have erased a student, one of each."""
EVERYWHERE = {answer.topic.value for answer in ANSWERS}


class StudentErasure(Base):
    """A student of a class who was erased, by ids only, and which services have done so."""

    __tablename__ = "erasures"
    __table_args__ = (Index(None, "class_id", "student_id", unique=True),)

    erasure_id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID]
    student_id: Mapped[UUID]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    erased: Mapped[Mapping[str, int]] = mapped_column(Json(dict[str, int]), default_factory=dict)
    """How many essays or files each service has erased, by its name."""

    @property
    def waits_for(self) -> list[str]:
        """The services that have not answered."""
        return sorted(EVERYWHERE - set(self.erased))

    @property
    def complete(self) -> bool:
        """Whether every service has erased the student."""
        return not self.waits_for

    def asked(self, roster_version: int, essays: Sequence[StudentEssayRef]) -> StudentErasureRequestedV1:
        """What the other services are to erase."""
        return StudentErasureRequestedV1(**self._whom(), roster_version=roster_version, essays=tuple(essays))

    def answered(self, service: str, answer: StudentErased) -> list[Event]:
        """A service has erased the student; said of all of them, once."""
        if service in self.erased:
            return []
        self.erased = {**self.erased, service: answer.erased}
        return [StudentDataErasedV1(**self._whom())] if self.complete else []

    def _whom(self) -> dict[str, UUID]:
        return {"erasure_id": self.erasure_id, "class_id": self.class_id, "student_id": self.student_id}
