"""What the orchestrator hears and what it decides."""

from common_core.events import (
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    ClassRosterChangedV1,
    Event,
    RegisterBatchV1,
    StudentAssociationsConfirmedV1,
)
from service_runtime import Cause, Handlers, UnitOfWork

from services.batch_orchestrator_service.models import Batch, KnownClass
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
