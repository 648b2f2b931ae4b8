"""Every event, by publisher: what is said, on which topic, under which key."""

from common_core.events.base import Contract, Event, Topic
from common_core.events.batch_orchestrator import (
    BatchCancelledV1,
    BatchContentIngestionFailedV1,
    BatchEssaysRegisteredV1,
    BatchReadyForPipelineExecutionV1,
    BatchRetentionEndedV1,
    InitiateStudentMatchingV1,
    StudentErasedFromBatchesV1,
    StudentEssay,
)
from common_core.events.class_management import (
    Association,
    ClassRosterChangedV1,
    RosterStudent,
    StudentAssociationsConfirmedV1,
    StudentDataErasedV1,
    StudentErasureRequestedV1,
    StudentValidationRequestedV1,
    ValidationSummary,
)
from common_core.events.essay_lifecycle import (
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    BatchStudentMatchingRequestedV1,
    EssaySlotAssignedV1,
    ExcessContentProvisionedV1,
    StudentErasedFromSlotsV1,
)
from common_core.events.file_service import EssayContentProvisionedV1, EssayValidationFailedV1, StudentErasedFromFilesV1
from common_core.events.student_matching import (
    BatchAuthorMatchesSuggestedV1,
    EssayMatch,
    Evidence,
    StudentErasedFromMatchingV1,
    StudentSuggestion,
)
from common_core.events.upstream import RegisterBatchV1
from common_core.events.words import ERASED, EssayRef, StudentErased, StudentEssayRef

__all__ = [
    "ERASED",
    "Association",
    "BatchAuthorMatchesSuggestedV1",
    "BatchCancelledV1",
    "BatchContentIngestionFailedV1",
    "BatchContentProvisioningCompletedV1",
    "BatchEssaysReadyV1",
    "BatchEssaysRegisteredV1",
    "BatchReadyForPipelineExecutionV1",
    "BatchRetentionEndedV1",
    "BatchStudentMatchingRequestedV1",
    "ClassRosterChangedV1",
    "Contract",
    "EssayContentProvisionedV1",
    "EssayMatch",
    "EssayRef",
    "EssaySlotAssignedV1",
    "EssayValidationFailedV1",
    "Event",
    "Evidence",
    "ExcessContentProvisionedV1",
    "InitiateStudentMatchingV1",
    "RegisterBatchV1",
    "RosterStudent",
    "StudentAssociationsConfirmedV1",
    "StudentDataErasedV1",
    "StudentErased",
    "StudentErasedFromBatchesV1",
    "StudentErasedFromFilesV1",
    "StudentErasedFromMatchingV1",
    "StudentErasedFromSlotsV1",
    "StudentErasureRequestedV1",
    "StudentEssay",
    "StudentEssayRef",
    "StudentSuggestion",
    "StudentValidationRequestedV1",
    "Topic",
    "ValidationSummary",
]
