"""Why a decision is refused, and the way out."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from common_core.errors import DomainError

from services.class_management_service.state_machine import ValidationStatus

NAMED = 5
"""So many batches stand in the sentence; the list has all."""


class NotOpen(DomainError):
    """Decisions can be made only while the validation is open."""

    def __init__(self, status: ValidationStatus) -> None:
        super().__init__(f"the validation of this batch is {status}, so nothing can be decided any more")


class EssayNotOfBatch(DomainError):
    """The essay belongs to another batch, or to none."""

    def __init__(self, essay_id: UUID) -> None:
        super().__init__(f"essay {essay_id} is not of this batch; see its student-associations for the essays it has")


class StudentNotInClass(DomainError):
    """Only students of the class can be chosen; update the roster first."""

    def __init__(self, student_id: UUID) -> None:
        super().__init__(f"student {student_id} is not in the class; update the roster first, or choose null")


class Undecided(DomainError):
    """Confirming needs every essay decided."""

    def __init__(self, essay_ids: Sequence[UUID]) -> None:
        super().__init__(f"{len(essay_ids)} essays are not decided; decide them, or send accept_suggestions")
        self._essay_ids = essay_ids

    @property
    def details(self) -> Mapping[str, object]:
        """The essays that are not decided."""
        return {"undecided": [str(essay_id) for essay_id in self._essay_ids]}


class AlreadyConfirmed(DomainError):
    """The associations are final, by the deadline or by other decisions than were sent."""

    def __init__(self, batch_id: UUID, timeout_triggered: bool) -> None:
        how = "by their deadline" if timeout_triggered else "already, and not as you sent them"
        super().__init__(f"the associations of batch {batch_id} were confirmed {how}; they are final")


class StillDeciding(DomainError):
    """Until it is decided who wrote them, essays of the student could be missed, or another's be erased."""

    def __init__(self, batch_ids: Sequence[UUID]) -> None:
        named = ", ".join(map(str, batch_ids[:NAMED]))
        more = f" and {len(batch_ids) - NAMED} more" if len(batch_ids) > NAMED else ""
        super().__init__(f"essays of the class are being decided; confirm or cancel batch {named}{more}, then erase")
        self._batch_ids = batch_ids

    @property
    def details(self) -> Mapping[str, object]:
        """The batches that are not final."""
        return {"undecided_batches": [str(batch_id) for batch_id in self._batch_ids]}
