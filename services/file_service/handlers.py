"""What the file service hears and what it decides."""

from common_core.events import (
    BatchCancelledV1,
    BatchEssaysRegisteredV1,
    BatchRetentionEndedV1,
    Event,
    StudentErasedFromFilesV1,
    StudentErasureRequestedV1,
)
from common_core.status_enums import RetainedData
from service_runtime import Handlers, SetTimer, UnitOfWork
from service_runtime.erasing import erase_traces
from service_runtime.handlers import Effect

from services.file_service.models import EXTRACT, Erasure, KnownBatch, Outcomes
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


@handlers.on(BatchRetentionEndedV1, loads=KnownBatch)
async def retention_ended(work: UnitOfWork, event: BatchRetentionEndedV1) -> list[Event]:
    batch = await work.get(KnownBatch, event.batch_id)
    if event.data is RetainedData.TEXTS:
        uploads = await Uploads(work).to_erase(event.batch_id)
        batch.keeps_texts = False
        await Contents(work).erase(uploads)
        await erase_traces(work.session, [upload.file_upload_id for upload in uploads], [])
    return []


@handlers.on(StudentErasureRequestedV1, loads=Erasure)
async def erase_student(work: UnitOfWork, event: StudentErasureRequestedV1) -> list[Event]:
    if await work.find(Erasure, event.erasure_id):
        return []
    uploads = []
    for batch_id, essays in event.essays_by_batch().items():
        await work.get(KnownBatch, batch_id)
        uploads += await Uploads(work).to_erase(batch_id, {each.text_storage_id for each in essays})
    erased = await Contents(work).erase(uploads)
    await erase_traces(work.session, [*event.ids, *(each.file_upload_id for each in uploads)], [event.class_id])
    work.add(Erasure.of(event, work.cause.at))
    return [StudentErasedFromFilesV1(**event.whom, erased=erased)]
