"""The essay batches of a unit of work."""

from uuid import UUID

from common_core.errors import NotYet
from service_runtime import UnitOfWork
from service_runtime.auth import Caller

from services.essay_lifecycle_service.models import EssayBatch


class EssayBatches:
    """All batches known here, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def visible(self, batch_id: UUID, caller: Caller) -> EssayBatch:
        """A batch to look at; raises NotYet for one unknown here or not the caller's."""
        batch = await self._work.read(EssayBatch, batch_id)
        if batch is None or not caller.may_read(batch.teacher_id):
            raise NotYet("batch", batch_id)
        return batch

    async def owned(self, batch_id: UUID, teacher: Caller) -> EssayBatch:
        """A batch to change, locked; raises NotYet for one unknown here or not the teacher's."""
        batch = await self._work.find(EssayBatch, batch_id)
        if batch is None or batch.teacher_id != teacher.sub:
            raise NotYet("batch", batch_id)
        return batch
