"""What the matcher remembers: rosters, and which batches it was asked about."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from common_core.events import (
    BatchAuthorMatchesSuggestedV1,
    BatchStudentMatchingRequestedV1,
    ClassRosterChangedV1,
    EssayMatch,
    EssayRef,
    RosterStudent,
)
from common_core.status_enums import CourseCode
from service_runtime import CancelTimer, SetTimer
from service_runtime.erasing import ErasedStudent
from service_runtime.handlers import Effect
from service_runtime.tables import NAMING, TYPES, Json, add_runtime_tables
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column, relationship

MATCH = "match"
ROOM = 800_000
"""Bytes for all results of a batch: what is larger is not taken by Kafka, and the teacher would never be asked."""


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The tables of this service's database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = TYPES


add_runtime_tables(Base.metadata)


class KnownRoster(Base):
    """The students of a class, as last announced."""

    __tablename__ = "known_rosters"

    class_id: Mapped[UUID] = mapped_column(primary_key=True)
    roster_version: Mapped[int]
    students: Mapped[tuple[RosterStudent, ...]] = mapped_column(Json(tuple[RosterStudent, ...]))

    @classmethod
    def of(cls, event: ClassRosterChangedV1) -> "KnownRoster":
        """The roster an event announced."""
        return cls(class_id=event.class_id, roster_version=event.roster_version, students=event.students)

    def update(self, event: ClassRosterChangedV1) -> bool:
        """Take over a newer roster; whether it was newer."""
        newer = event.roster_version > self.roster_version
        if newer:
            self.roster_version, self.students = event.roster_version, event.students
        return newer


class Erasure(ErasedStudent, Base):
    """A student who was erased here: ids only."""

    __tablename__ = "erasures"


class MatchRequest(Base):
    """A batch whose authors are to be found, until its associations are decided or it is cancelled."""

    __tablename__ = "match_requests"

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID | None] = mapped_column(index=True, default=None)
    course_code: Mapped[CourseCode | None] = mapped_column(default=None)
    teacher_id: Mapped[str | None] = mapped_column(default=None)
    essays: Mapped[tuple[EssayRef, ...]] = mapped_column(Json(tuple[EssayRef, ...]), default=())
    requested_at: Mapped[datetime | None] = mapped_column(default=None)
    closed: Mapped[bool] = mapped_column(default=False)
    roster: Mapped[KnownRoster | None] = relationship(
        primaryjoin="foreign(MatchRequest.class_id) == KnownRoster.class_id", viewonly=True, lazy="selectin", init=False
    )

    @classmethod
    def of(cls, event: BatchStudentMatchingRequestedV1, at: datetime) -> "MatchRequest":
        """The request an event made."""
        return cls(**event.model_dump(exclude={"essays"}), essays=event.essays, requested_at=at)

    @classmethod
    def over(cls, batch_id: UUID) -> "MatchRequest":
        """A batch whose end was heard before the request: nothing is to be found any more."""
        return cls(batch_id=batch_id, closed=True)

    def again(self, at: datetime) -> list[Effect]:
        """Match, or match anew: what is under way counts no more."""
        return [] if self.closed else [SetTimer(MATCH, self.batch_id, at)]

    def matched(self, results: Sequence[EssayMatch]) -> list[Effect]:
        """Say what was found out, unless it is decided already."""
        if self.closed or self.class_id is None or self.course_code is None or self.teacher_id is None:
            return []
        suggested = BatchAuthorMatchesSuggestedV1(
            batch_id=self.batch_id,
            class_id=self.class_id,
            course_code=self.course_code,
            teacher_id=self.teacher_id,
            results=_with_room_for_all(results),
        )
        return [suggested]

    def close(self) -> list[Effect]:
        """The associations are decided, or the batch is cancelled."""
        self.closed = True
        return [CancelTimer(MATCH, self.batch_id)]

    def erase_names(self, essay_ids: Collection[UUID]) -> None:
        """Forget what the files of these essays were called."""
        self.essays = tuple(each.erased() if each.essay_id in essay_ids else each for each in self.essays)


def _with_room_for_all(results: Sequence[EssayMatch]) -> tuple[EssayMatch, ...]:
    """The results, with less evidence for each suggestion where otherwise they would be too large to be said."""
    for pieces in (None, 2, 1):
        said = tuple(_with_evidence(result, pieces) for result in results)
        if sum(len(result.model_dump_json().encode()) for result in said) <= ROOM:
            return said
    return tuple(_with_evidence(result, 0) for result in results)


def _with_evidence(result: EssayMatch, most: int | None) -> EssayMatch:
    shorter = [
        each.model_copy(update={"match_reasons": each.match_reasons[:most], "evidence": (each.evidence or ())[:most]})
        for each in result.suggestions
    ]
    return result.model_copy(update={"suggestions": tuple(shorter)})
