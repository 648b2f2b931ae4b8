"""The fixed words of the domain: every state, reason and code that stands in an event or an answer."""

from enum import StrEnum


class BatchStatus(StrEnum):
    """How far a batch has come in the orchestrator."""

    AWAITING_CONTENT_VALIDATION = "awaiting_content_validation"
    AWAITING_STUDENT_VALIDATION = "awaiting_student_validation"
    STUDENT_VALIDATION_COMPLETED = "student_validation_completed"
    READY_FOR_PIPELINE_EXECUTION = "ready_for_pipeline_execution"
    CONTENT_INGESTION_FAILED = "content_ingestion_failed"
    CANCELLED = "cancelled"


class ClassType(StrEnum):
    """Whether a batch belongs to a class (REGULAR) or to none (GUEST)."""

    GUEST = "GUEST"
    REGULAR = "REGULAR"


class Language(StrEnum):
    """The language an essay is written in, as its ISO 639-1 code."""

    ENGLISH = "en"
    SWEDISH = "sv"


class CourseCode(StrEnum):
    """The course an assignment is given in."""

    ENG5 = "ENG5"
    ENG6 = "ENG6"
    ENG7 = "ENG7"
    SV1 = "SV1"
    SV2 = "SV2"
    SV3 = "SV3"

    @property
    def language(self) -> Language:
        """The language the course's essays are written in."""
        return Language.ENGLISH if self.value.startswith("ENG") else Language.SWEDISH


class SlotState(StrEnum):
    """Whether a slot still waits for a content, has one, or will never get one."""

    FREE = "free"
    ASSIGNED = "assigned"
    CLOSED = "closed"


class UploadState(StrEnum):
    """How far an uploaded file has come in the file service."""

    RECEIVED = "received"
    PROVISIONED = "provisioned"
    FAILED = "failed"


class FileErrorCode(StrEnum):
    """Why an uploaded file did not become a content."""

    EMPTY_CONTENT = "empty_content"
    CONTENT_TOO_SHORT = "content_too_short"
    CONTENT_TOO_LONG = "content_too_long"
    TEXT_EXTRACTION_FAILED = "text_extraction_failed"
    ENCRYPTED_FILE_UNSUPPORTED = "encrypted_file_unsupported"
    FILE_TYPE_UNSUPPORTED = "file_type_unsupported"
    FILE_TOO_LARGE = "file_too_large"


class ExcessReason(StrEnum):
    """Why a content got no slot."""

    NO_AVAILABLE_SLOT = "no_available_slot"
    BATCH_CLOSED = "batch_closed"
    DUPLICATE_CONTENT = "duplicate_content"


class NoMatchReason(StrEnum):
    """Why an essay got no clear suggestion."""

    NO_IDENTITY_FOUND = "no_identity_found"
    NO_STUDENT_FOUND = "no_student_found"
    AMBIGUOUS = "ambiguous"
    TEXT_UNAVAILABLE = "text_unavailable"
    ROSTER_UNAVAILABLE = "roster_unavailable"


class RetainedData(StrEnum):
    """What is kept of a batch that is over, each for a time of its own."""

    TEXTS = "texts"
    """Texts, files, the files' names, and words quoted from them."""
    ASSOCIATIONS = "associations"
    """Which student wrote which essay."""


class StudentAssociationStatus(StrEnum):
    """What has been decided about who wrote an essay."""

    PENDING_VALIDATION = "pending_validation"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    TIMEOUT_CONFIRMED = "timeout_confirmed"
    NO_MATCH = "no_match"


class AssociationValidationMethod(StrEnum):
    """Who decided about an association: a person, the deadline, or the class's setting for clear suggestions."""

    HUMAN = "human"
    TIMEOUT = "timeout"
    AUTO = "auto"


class AssociationConfidenceLevel(StrEnum):
    """How sure a suggestion is, in words."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NO_MATCH = "no_match"

    @classmethod
    def of(cls, score: float | None) -> "AssociationConfidenceLevel":
        """The word for a confidence score between 0 and 1; no score and 0 mean that nobody was found."""
        if not score:
            return cls.NO_MATCH
        if score > 0.9:
            return cls.HIGH
        return cls.MEDIUM if score >= 0.7 else cls.LOW
