"""What the file service hears and what it decides."""

from common_core.events import BatchCancelledV1, BatchEssaysRegisteredV1, Event
from service_runtime import Handlers, SetTimer, UnitOfWork
from service_runtime.handlers import Effect

from services.file_service.models import EXTRACT, KnownBatch, Outcomes
from services.file_service.reading import read_files
from services.file_service.repository import Contents, Uploads

handlers = Handlers()


@handlers.on(BatchEssaysRegisteredV1, loads=KnownBatch)
async def batch_registered(work: UnitOfWork, event: BatchEssaysRegisteredV1) -> list[Event]:
    if await work.find(KnownBatch, event.batch_id) is None:
        work.add(KnownBatch(batch_id=event.batch_id, teacher_id=event.teacher_id))
    return []


@handlers.on(BatchCancelledV1, loads=KnownBatch)
def batch_cancelled(batch: KnownBatch, _event: BatchCancelledV1) -> list[Event]:
    batch.cancelled = True
    return []


@handlers.on_timer(EXTRACT, loads=KnownBatch, prepare=read_files)
async def files_read(work: UnitOfWork, batch: KnownBatch, outcomes: Outcomes) -> list[Effect]:
    uploads = await Uploads(work).by_id([upload_id for upload_id, _ in outcomes])
    effects: list[Effect] = [event for upload_id, each in outcomes for event in uploads[upload_id].decide(each)]
    await Contents(work).store_texts([outcome.text for _, outcome in outcomes if outcome.text is not None])
    if await Uploads(work).any_received(batch.batch_id):
        effects.append(SetTimer(EXTRACT, batch.batch_id, work.cause.at))
    return effects
