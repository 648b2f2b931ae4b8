"""What the essay lifecycle hears and what it decides."""

from common_core.events import (
    BatchCancelledV1,
    BatchEssaysRegisteredV1,
    BatchRetentionEndedV1,
    EssayContentProvisionedV1,
    EssayValidationFailedV1,
    Event,
    InitiateStudentMatchingV1,
    StudentAssociationsConfirmedV1,
    StudentErasedFromSlotsV1,
    StudentErasureRequestedV1,
)
from common_core.status_enums import RetainedData
from service_runtime import Handlers, UnitOfWork
from service_runtime.erasing import erase_traces

from services.essay_lifecycle_service.models import Erasure, EssayBatch, route

handlers = Handlers()


@handlers.on(BatchEssaysRegisteredV1, loads=EssayBatch)
async def batch_registered(work: UnitOfWork, event: BatchEssaysRegisteredV1) -> list[Event]:
    if await work.find(EssayBatch, event.batch_id) is None:
        work.add(EssayBatch.register(event))
    return []


@handlers.on(EssayContentProvisionedV1, loads=EssayBatch)
def content_provisioned(batch: EssayBatch, event: EssayContentProvisionedV1) -> list[Event]:
    return batch.provision(event)


@handlers.on(EssayValidationFailedV1, loads=EssayBatch)
def validation_failed(batch: EssayBatch, event: EssayValidationFailedV1) -> list[Event]:
    return batch.fail(event)


@handlers.on(BatchCancelledV1, loads=EssayBatch)
def batch_cancelled(batch: EssayBatch, _event: BatchCancelledV1) -> list[Event]:
    batch.cancel()
    return []


@handlers.on(InitiateStudentMatchingV1, loads=EssayBatch)
async def initiate_matching(work: UnitOfWork, event: InitiateStudentMatchingV1) -> list[Event]:
    batch = await work.find(EssayBatch, event.batch_id)
    # Nothing of the batch is needed to pass this on, so a batch that nobody registered here does not wait.
    return batch.initiate_matching(event) if batch else route(event)


@handlers.on(StudentAssociationsConfirmedV1, loads=EssayBatch)
def associations_confirmed(batch: EssayBatch, _event: StudentAssociationsConfirmedV1) -> list[Event]:
    return batch.associations_confirmed()


@handlers.on(BatchRetentionEndedV1, loads=EssayBatch)
def retention_ended(batch: EssayBatch, event: BatchRetentionEndedV1) -> list[Event]:
    if event.data is RetainedData.TEXTS:
        batch.erase_all_names()
    return []


@handlers.on(StudentErasureRequestedV1, loads=Erasure)
async def erase_student(work: UnitOfWork, event: StudentErasureRequestedV1) -> list[Event]:
    if await work.find(Erasure, event.erasure_id):
        return []
    for batch_id, essays in event.essays_by_batch().items():
        (await work.get(EssayBatch, batch_id)).erase_names([each.essay_id for each in essays])
    await erase_traces(work.session, event.ids, [event.class_id])
    work.add(Erasure.of(event, work.cause.at))
    return [StudentErasedFromSlotsV1(**event.whom, erased=len(event.essays))]
