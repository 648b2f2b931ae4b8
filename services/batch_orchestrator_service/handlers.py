"""What the orchestrator hears and what it decides."""

from common_core.events import (
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    ClassRosterChangedV1,
    Event,
    RegisterBatchV1,
    StudentAssociationsConfirmedV1,
    StudentErasedFromBatchesV1,
    StudentErasureRequestedV1,
)
from service_runtime import Cause, Handlers, UnitOfWork
from service_runtime.erasing import erase_traces

from services.batch_orchestrator_service.models import Batch, Erasure, KnownClass
from services.batch_orchestrator_service.repository import Batches

handlers = Handlers()


@handlers.on(ClassRosterChangedV1, loads=KnownClass)
async def class_changed(work: UnitOfWork, event: ClassRosterChangedV1) -> list[Event]:
    known = await work.find(KnownClass, event.class_id)
    if known is None:
        work.add(KnownClass(class_id=event.class_id, teacher_id=event.teacher_id, roster_version=event.roster_version))
    elif event.roster_version > known.roster_version:
        known.teacher_id, known.roster_version = event.teacher_id, event.roster_version
    return []


@handlers.on(RegisterBatchV1, loads=Batch)
async def register_batch(work: UnitOfWork, command: RegisterBatchV1) -> list[Event]:
    return await Batches(work).register(command)


@handlers.on(BatchContentProvisioningCompletedV1, loads=Batch)
def content_completed(batch: Batch, event: BatchContentProvisioningCompletedV1, cause: Cause) -> list[Event]:
    return batch.content_completed(event.essays, cause)


@handlers.on(StudentAssociationsConfirmedV1, loads=Batch)
def associations_confirmed(batch: Batch, event: StudentAssociationsConfirmedV1, cause: Cause) -> list[Event]:
    return batch.associations_confirmed({each.essay_id: each.student_id for each in event.associations}, cause)


@handlers.on(BatchEssaysReadyV1, loads=Batch)
def essays_ready(batch: Batch, event: BatchEssaysReadyV1, cause: Cause) -> list[Event]:
    return batch.essays_ready(event.ready_essays, cause)


@handlers.on(StudentErasureRequestedV1, loads=Erasure)
async def erase_student(work: UnitOfWork, event: StudentErasureRequestedV1) -> list[Event]:
    if await work.find(Erasure, event.erasure_id):
        return []
    for batch_id, essays in event.essays_by_batch().items():
        (await work.get(Batch, batch_id)).erase_names([each.essay_id for each in essays])
    await erase_traces(work.session, event.ids, [event.class_id])
    work.add(Erasure.of(event, work.cause.at))
    return [StudentErasedFromBatchesV1(**event.whom, erased=len(event.essays))]
