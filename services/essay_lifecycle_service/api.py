"""What teachers and operators ask the essay lifecycle."""

from uuid import UUID

from common_core.events.base import Contract
from common_core.status_enums import ExcessReason, SlotState
from fastapi import Response
from service_runtime.auth import Reader, Teacher
from service_runtime.http import Work, router

from services.essay_lifecycle_service.models import EssayBatch, UploadOutcome
from services.essay_lifecycle_service.repository import EssayBatches
from services.essay_lifecycle_service.state_machine import ContentState

routes = router()


class SlotView(Contract):
    """A slot, and the file that took or closed it."""

    essay_id: UUID
    state: SlotState
    file_upload_id: UUID | None
    original_file_name: str | None
    text_storage_id: str | None


class ExcessView(Contract):
    """A file that got no slot, and why."""

    file_upload_id: UUID
    original_file_name: str
    reason: ExcessReason


class EssaysView(Contract):
    """The slots of a batch and the files without one."""

    batch_id: UUID
    expected_count: int
    completed: bool
    slots: tuple[SlotView, ...]
    excess: tuple[ExcessView, ...]

    @classmethod
    def of(cls, batch: EssayBatch) -> "EssaysView":
        """What a batch's essays look like from outside."""
        excess = [upload for upload in batch.uploads if upload.outcome is UploadOutcome.EXCESS]
        return cls(
            batch_id=batch.batch_id,
            expected_count=len(batch.slots),
            completed=not any(slot.state is SlotState.FREE for slot in batch.slots),
            slots=tuple(SlotView.model_validate(slot, from_attributes=True) for slot in batch.slots),
            excess=tuple(ExcessView.model_validate(upload, from_attributes=True) for upload in excess),
        )


@routes.get("/batches/{batch_id}/essays")
async def show_essays(work: Work, caller: Reader, batch_id: UUID) -> EssaysView:
    """The slots of a batch: free, assigned or closed; and the files that got none."""
    return EssaysView.of(await EssayBatches(work).visible(batch_id, caller))


@routes.post("/batches/{batch_id}/close", status_code=202)
async def close_batch(work: Work, teacher: Teacher, batch_id: UUID, response: Response) -> EssaysView:
    """Take no more files for a batch: 202, or 200 when its content was complete already."""
    batch = await EssayBatches(work).owned(batch_id, teacher)
    if batch.state is ContentState.COMPLETED:
        response.status_code = 200
    work.publish(batch.close())
    return EssaysView.of(batch)
