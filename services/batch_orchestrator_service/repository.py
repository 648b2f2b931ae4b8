"""The batches of a unit of work."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from common_core.errors import DomainError, NotFound, NotYet
from common_core.events import Event, RegisterBatchV1
from common_core.status_enums import BatchStatus, RetainedData
from service_runtime import UnitOfWork
from service_runtime.auth import Caller, Role
from sqlalchemy import ColumnElement, DateTime, literal_column, select, tuple_
from uuid_utils.compat import uuid7

from services.batch_orchestrator_service.models import Batch, KnownClass
from services.batch_orchestrator_service.state_machine import OPEN

IN_STATE_SINCE = "COALESCE(CAST(history -> -1 ->> 'at' AS timestamptz), registered_at)"
"""`Batch.since`, as PostgreSQL reads it."""
in_state_since: ColumnElement[datetime] = literal_column(IN_STATE_SINCE, DateTime(timezone=True))


class ClassNotKnown(NotYet):
    """The class was not announced yet, or there is none of this id."""

    http_status = 422


class ClassOfAnotherTeacher(DomainError):
    """Only the teacher of a class may register batches for it."""

    http_status = 422

    def __init__(self, class_id: UUID) -> None:
        super().__init__(f"class_id: class {class_id} does not exist or is not yours")


class Batches:
    """All batches, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def register(self, command: RegisterBatchV1) -> list[Event]:
        """Register a batch, once; raises RegistrationDiffers, ClassNotKnown or ClassOfAnotherTeacher."""
        known = await self._work.find(Batch, command.batch_id)
        if known is not None:
            known.check_same(command)
            return []
        if command.class_id:
            await self._check_class(command.class_id, command.teacher_id)
        essay_ids = [uuid7() for _ in range(command.expected_essay_count)]
        batch, events = Batch.register(command, essay_ids, self._work.cause.at)
        self._work.add(batch)
        return events

    async def visible(self, batch_id: UUID, caller: Caller) -> Batch:
        """A batch to look at; raises NotFound for one that is not the caller's."""
        batch = await self._work.read(Batch, batch_id)
        if batch is None or not caller.may_read(batch.teacher_id):
            raise NotFound("batch", batch_id)
        return batch

    async def owned(self, batch_id: UUID, teacher: Caller) -> Batch:
        """A batch to change, locked; raises NotFound for one that is not the teacher's."""
        batch = await self._work.find(Batch, batch_id)
        if batch is None or batch.teacher_id != teacher.sub:
            raise NotFound("batch", batch_id)
        return batch

    async def page(self, caller: Caller, status: BatchStatus | None, limit: int, after: UUID | None) -> list[Batch]:
        """The caller's batches by id, from after the cursor on."""
        query = select(Batch).order_by(Batch.batch_id).limit(limit)
        if Role.OPERATOR not in caller.roles:
            query = query.where(Batch.teacher_id == caller.sub)
        if status:
            query = query.where(Batch.status == status)
        if after:
            query = query.where(Batch.batch_id > after)
        return list(await self._work.session.scalars(query))

    async def standing(
        self, statuses: Collection[BatchStatus], until: datetime, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[Batch]:
        """Whosever batches in these states since then or earlier, the longest there first; `after` a batch's place."""
        place = tuple_(in_state_since, Batch.batch_id)
        query = select(Batch).where(Batch.status.in_(statuses), in_state_since <= until).order_by(*place)
        if after:
            query = query.where(place > after)
        return list(await self._work.session.scalars(query.limit(limit)))

    async def past_retention(self, data: RetainedData, over_since: datetime, most: int) -> list[Batch]:
        """Batches that still have these data and were over at that time, locked; not those another process is at."""
        kept = Batch.keeps_texts if data is RetainedData.TEXTS else Batch.keeps_associations
        query = select(Batch.batch_id).where(kept, Batch.status.not_in(OPEN), in_state_since < over_since)
        locked = query.order_by(Batch.batch_id).limit(most).with_for_update(skip_locked=True)
        ids = list(await self._work.session.scalars(locked))
        return [await self._work.get(Batch, batch_id) for batch_id in ids]

    async def _check_class(self, class_id: UUID, teacher_id: str) -> None:
        known = await self._work.read(KnownClass, class_id)
        if known is None:
            raise ClassNotKnown("class", class_id)
        if known.teacher_id != teacher_id:
            raise ClassOfAnotherTeacher(class_id)
