"""Erasing a student: what is kept here goes at once, what others keep by event; and finding what there is."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from common_core.errors import NotFound
from common_core.events import ERASED, StudentEssayRef
from common_core.status_enums import StudentAssociationStatus
from service_runtime import UnitOfWork
from service_runtime.erasing import erase_traces
from sqlalchemy import ColumnElement, and_, or_, select, update
from uuid_utils.compat import uuid7

from services.class_management_service.errors import StillDeciding
from services.class_management_service.models import SchoolClass, StudentAssociation, StudentErasure, Validation
from services.class_management_service.state_machine import ValidationStatus

BEING_DECIDED = (ValidationStatus.EXPECTED, ValidationStatus.OPEN)


class StudentData:
    """What is kept about a student of a class, through one unit of work."""

    def __init__(self, work: UnitOfWork, school_class: SchoolClass, student_id: UUID) -> None:
        self._work = work
        self._class = school_class
        self._student_id = student_id

    async def erasure(self) -> StudentErasure | None:
        """The erasure of the student, if it was asked for."""
        query = select(StudentErasure).where(
            StudentErasure.class_id == self._class.class_id, StudentErasure.student_id == self._student_id
        )
        found: StudentErasure | None = await self._work.session.scalar(query)
        return found

    async def essays(self) -> list[StudentAssociation]:
        """The student's essays, also when they have left the class."""
        query = select(StudentAssociation).where(self._theirs()).order_by(StudentAssociation.essay_id)
        return list(await self._work.session.scalars(query))

    async def erase(self, by: str) -> StudentErasure:
        """Erase the student everywhere; again the same is fine. Raises StillDeciding, and NotFound for nobody's id."""
        if known := await self.erasure():
            return known
        essays = await self.essays()
        if not essays and self._student_id not in self._class.known_ids:
            raise NotFound("student", self._student_id)
        await self._check_decided()
        refs = [StudentEssayRef.model_validate(essay, from_attributes=True) for essay in essays]
        at = self._work.cause.at
        about: dict[str, Any] = {"class_id": self._class.class_id, "student_id": self._student_id}
        erasure = self._work.add(StudentErasure(erasure_id=uuid7(), requested_by=by, requested_at=at, **about))
        announced = self._class.erase(self._student_id)
        asked = erasure.asked(self._class.roster_version, refs)
        self._work.publish([*announced, asked])
        await self._erase_here(asked.ids)
        return erasure

    async def _check_decided(self) -> None:
        query = select(Validation.batch_id).where(
            Validation.class_id == self._class.class_id, Validation.status.in_(BEING_DECIDED)
        )
        if batches := list(await self._work.session.scalars(query.order_by(Validation.batch_id))):
            raise StillDeciding(batches)

    async def _erase_here(self, ids: Collection[UUID | str]) -> None:
        theirs = update(StudentAssociation).where(self._theirs())
        await self._work.session.execute(theirs.values(original_file_name=ERASED))
        of_class = update(StudentAssociation).where(StudentAssociation.class_id == self._class.class_id)
        # What explains other essays of the class may name the student, too; all of it is decided.
        await self._work.session.execute(of_class.values(evidence=(), match_reasons=()))
        await erase_traces(self._work.session, ids, [self._class.class_id])

    def _theirs(self) -> ColumnElement[bool]:
        """Decided to be the student's, or, where nobody has decided, suggested: a cancelled batch stays so for ever."""
        undecided = StudentAssociation.validation_status == StudentAssociationStatus.PENDING_VALIDATION
        suggested = StudentAssociation.suggested_student_id == self._student_id
        decided = StudentAssociation.student_id == self._student_id
        return and_(StudentAssociation.class_id == self._class.class_id, or_(decided, and_(undecided, suggested)))
