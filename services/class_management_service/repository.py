"""The classes and validations of a unit of work."""

from uuid import UUID

from common_core.errors import NotFound, NotYet
from common_core.status_enums import StudentAssociationStatus
from service_runtime import UnitOfWork
from service_runtime.auth import Caller, Role
from sqlalchemy import select

from services.class_management_service.models import SchoolClass, StudentAssociation, Validation
from services.class_management_service.state_machine import ValidationStatus


class Classes:
    """All classes, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def known(self, class_id: UUID) -> SchoolClass:
        """A class to look at; raises NotYet."""
        school_class = await self._work.read(SchoolClass, class_id)
        if school_class is None:
            raise NotYet("class", class_id)
        return school_class

    async def of(self, validation: Validation) -> SchoolClass:
        """The class of a validation; raises NotFound for a batch that was cancelled before it had one."""
        if validation.class_id is None:
            raise NotFound("class of batch", validation.batch_id)
        return await self.known(validation.class_id)

    async def visible(self, class_id: UUID, caller: Caller) -> SchoolClass:
        """A class to look at; raises NotFound for one that is not the caller's."""
        school_class = await self._work.read(SchoolClass, class_id)
        if school_class is None or not caller.may_read(school_class.teacher_id):
            raise NotFound("class", class_id)
        return school_class

    async def owned(self, class_id: UUID, teacher: Caller) -> SchoolClass:
        """A class to change, locked; raises NotFound for one that is not the teacher's."""
        school_class = await self._work.find(SchoolClass, class_id)
        if school_class is None or school_class.teacher_id != teacher.sub:
            raise NotFound("class", class_id)
        return school_class

    async def locked(self, class_id: UUID) -> SchoolClass:
        """A class to change, locked, whosever it is; raises NotFound."""
        school_class = await self._work.find(SchoolClass, class_id)
        if school_class is None:
            raise NotFound("class", class_id)
        return school_class

    async def all_of(self, caller: Caller) -> list[SchoolClass]:
        """The caller's classes, oldest first."""
        query = select(SchoolClass).order_by(SchoolClass.class_id)
        if Role.OPERATOR not in caller.roles:
            query = query.where(SchoolClass.teacher_id == caller.sub)
        return list(await self._work.session.scalars(query))


class Validations:
    """All validations the teacher was asked for, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def visible(self, batch_id: UUID, caller: Caller) -> Validation:
        """A validation to look at; raises NotYet before the teacher is asked, and for one not the caller's."""
        validation = await self._work.read(Validation, batch_id)
        if validation is None or validation.status is ValidationStatus.EXPECTED:
            raise NotYet("the validation of batch", batch_id)
        if not caller.may_read(validation.teacher_id):
            raise NotYet("the validation of batch", batch_id)
        return validation

    async def suggesting_others(self, school_class: SchoolClass) -> list[Validation]:
        """Those of a class, locked, in which somebody who is not in it is suggested for an undecided essay."""
        suggested = StudentAssociation.suggested_student_id
        query = select(StudentAssociation.batch_id).where(
            StudentAssociation.class_id == school_class.class_id,
            StudentAssociation.validation_status == StudentAssociationStatus.PENDING_VALIDATION,
            suggested.is_not(None) & suggested.not_in(school_class.student_ids),
        )
        ids = set(await self._work.session.scalars(query))
        await self._work.load(Validation, ids)
        return [await self._work.get(Validation, batch_id) for batch_id in ids]

    async def owned(self, batch_id: UUID, teacher: Caller) -> Validation:
        """A validation to decide about, locked; raises NotYet like visible."""
        validation = await self._work.find(Validation, batch_id)
        if validation is None or validation.status is ValidationStatus.EXPECTED or validation.teacher_id != teacher.sub:
            raise NotYet("the validation of batch", batch_id)
        return validation
