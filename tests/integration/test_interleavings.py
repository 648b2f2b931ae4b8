"""Every interleaving of what is said about one batch, with repetitions and rollbacks: one end, one set of facts.

Messages of one topic keep their order, since Kafka keeps it; those of different topics meet in every way. The real
handlers decide on a real PostgreSQL; only the log is replaced by a list, so that every interleaving can be tried.
"""

import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

import pytest
from common_core.events import (
    Association,
    BatchAuthorMatchesSuggestedV1,
    BatchCancelledV1,
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    BatchEssaysRegisteredV1,
    BatchStudentMatchingRequestedV1,
    ClassRosterChangedV1,
    EssayContentProvisionedV1,
    EssayMatch,
    EssayRef,
    EssayValidationFailedV1,
    Event,
    InitiateStudentMatchingV1,
    RegisterBatchV1,
    StudentAssociationsConfirmedV1,
    StudentSuggestion,
    ValidationSummary,
)
from common_core.status_enums import (
    AssociationConfidenceLevel,
    AssociationValidationMethod,
    ClassType,
    CourseCode,
    FileErrorCode,
    StudentAssociationStatus,
)
from service_runtime import Service, unit_of_work
from service_runtime.delivery import Delivery
from service_runtime.messages import Message, decode
from service_runtime.parked import ParkedRecord
from service_runtime.retries import Retries
from service_runtime.service import Runtime
from service_runtime.testing import binary
from sqlalchemy import text

from services.batch_orchestrator_service.service import service as orchestrator
from services.class_management_service.service import service as class_management
from services.essay_lifecycle_service.service import service as lifecycle
from services.student_matching_service.service import service as matcher
from tests.exhaustive import EXHAUSTIVE
from tests.integration.world import World

FEW = 12
"""Histories with more interleavings are tried in every fourth of them, unless EXHAUSTIVE: all of them take minutes."""
NAMESPACE = UUID(int=7)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BATCH, CLASS, ESSAY, SECOND, STUDENT = (UUID(int=number) for number in range(1, 6))
ABOUT: dict[str, Any] = {"batch_id": BATCH, "course_code": CourseCode.SV1}
OWNED = {**ABOUT, "teacher_id": "berit", "class_id": CLASS}
REF = EssayRef(essay_id=ESSAY, text_storage_id="text", original_file_name="a.txt")


def roster(version: int, *students: UUID) -> Event:
    people = [{"student_id": each, "first_name": "Anna", "last_name": "Ek"} for each in students]
    whose = {"class_id": CLASS, "class_name": "9A", "course_code": CourseCode.SV1, "teacher_id": "berit"}
    return ClassRosterChangedV1.model_validate({**whose, "roster_version": version, "students": people})


def confirmed(student: UUID | None = STUDENT) -> Event:
    association = Association(
        essay_id=ESSAY,
        student_id=student,
        status=StudentAssociationStatus.CONFIRMED,
        validation_method=AssociationValidationMethod.HUMAN,
        validated_at=NOON,
    )
    return StudentAssociationsConfirmedV1(
        **ABOUT,
        class_id=CLASS,
        associations=(association,),
        timeout_triggered=False,
        validation_summary=ValidationSummary(human=1, timeout=0, auto=0),
    )


def completed() -> Event:
    counts = {"expected_count": 2, "provisioned_count": 1, "failed_count": 1}
    return BatchContentProvisioningCompletedV1(**OWNED, **counts, essays=(REF,))


def suggested() -> Event:
    score = {"confidence_score": 0.95, "confidence_level": AssociationConfidenceLevel.HIGH}
    best = StudentSuggestion(student_id=STUDENT, student_name="Anna Ek", **score, match_reasons=("first line",))
    return BatchAuthorMatchesSuggestedV1(**OWNED, results=(EssayMatch(**REF.model_dump(), suggestions=(best,)),))


def content(number: int) -> Event:
    return EssayContentProvisionedV1(
        batch_id=BATCH,
        file_upload_id=UUID(int=100 + number),
        original_file_name=f"{number}.txt",
        text_storage_id=f"text-{number}",
        file_size_bytes=9,
    )


def failed(number: int) -> Event:
    return EssayValidationFailedV1(
        batch_id=BATCH,
        file_upload_id=UUID(int=100 + number),
        original_file_name=f"{number}.txt",
        error_code=FileErrorCode.EMPTY_CONTENT,
        error_detail="empty",
        file_size_bytes=0,
    )


REGISTERED = BatchEssaysRegisteredV1(**OWNED, expected_essay_count=2, essay_ids=(ESSAY, SECOND))
CANCELLED = BatchCancelledV1(batch_id=BATCH, teacher_id="berit", cancelled_by="berit")
MATCHING = BatchStudentMatchingRequestedV1(**OWNED, essays=(REF,))


@dataclass(frozen=True)
class History:
    """What one service hears about one batch, topic by topic, and what of its tables must be the same at the end."""

    name: str
    service: Service
    topics: tuple[tuple[Event, ...], ...]
    state: str
    before: str = ""

    def interleavings(self) -> Iterator[tuple[Event, ...]]:
        """Every way in which the topics can meet."""
        places = [number for number, topic in enumerate(self.topics) for _ in topic]
        for order in sorted(set(itertools.permutations(places))):
            topics = [iter(topic) for topic in self.topics]
            yield tuple(next(topics[number]) for number in order)

    def tried(self) -> list[tuple[Event, ...]]:
        """All of them when there are few, or when time does not matter; else some."""
        every = list(self.interleavings())
        return every if EXHAUSTIVE or len(every) <= FEW else every[::4]


KNOWN_CLASS = f"""
    INSERT INTO classes (class_id, name, course_code, teacher_id, association_deadline_seconds, auto_confirm,
        roster_version) VALUES ('{CLASS}', '9A', 'SV1', 'berit', 60, {{auto}}, 2);
    INSERT INTO students (class_id, student_id, first_name, last_name) VALUES ('{CLASS}', '{STUDENT}', 'Anna', 'Ek')
"""  # noqa: S608  # constants
VALIDATIONS = """
    SELECT status, suggested_student_id, student_id, validation_status, validation_method
    FROM validations LEFT JOIN student_associations USING (batch_id)
"""
MATCHED = """
    SELECT closed, (SELECT max(roster_version) FROM known_rosters), (SELECT count(*) FROM timers) FROM match_requests
"""
HISTORIES = [
    History(
        "a batch becomes ready",
        orchestrator,
        (
            (roster(1),),
            (RegisterBatchV1(**OWNED, expected_essay_count=2),),
            (completed(), BatchEssaysReadyV1(**ABOUT, class_type=ClassType.REGULAR, ready_essays=(REF,))),
            (confirmed(),),
        ),
        "SELECT status, deferred, essays, students FROM batches",
    ),
    History(
        "slots are filled and closed",
        lifecycle,
        (
            (REGISTERED, InitiateStudentMatchingV1(**OWNED, essays=(REF,))),
            (content(1), failed(2), content(3)),
            (confirmed(),),
        ),
        "SELECT b.state, ready_said, s.state, s.file_upload_id FROM essay_batches b JOIN slots s USING (batch_id)",
    ),
    History(
        "the teacher is asked",
        class_management,
        ((MATCHING,), (suggested(), suggested())),
        VALIDATIONS,
        KNOWN_CLASS.format(auto=False),
    ),
    History(
        "clear suggestions are confirmed",
        class_management,
        ((MATCHING,), (suggested(),)),
        VALIDATIONS,
        KNOWN_CLASS.format(auto=True),
    ),
    History(
        "a batch is matched until it is decided",
        matcher,
        ((MATCHING,), (roster(1), roster(2, STUDENT))),
        MATCHED,
    ),
    History(
        "a batch that is confirmed is not matched",
        matcher,
        ((MATCHING,), (roster(1), roster(2, STUDENT), confirmed())),
        MATCHED,
    ),
    History(
        "a cancelled batch is not matched",
        matcher,
        ((CANCELLED,), (MATCHING,), (roster(1), roster(2, STUDENT))),
        MATCHED,
    ),
]


class Log:
    """Delivers messages to a service's handlers as the consumer would, without Kafka."""

    def __init__(self, runtime: Runtime, delivery: Delivery) -> None:
        self._runtime, self._delivery = runtime, delivery

    async def deliver(self, events: Sequence[Event], *, size: int) -> None:
        """All of them, in micro-batches of this size; then what was parked, until nothing is due."""
        for start in range(0, len(events), size):
            await self._delivery.deliver([message(event) for event in events[start : start + size]])
            await self._retry()

    async def settle(self) -> None:
        """Retry whatever waits, until it is done."""
        for _ in range(20):
            await self._execute("UPDATE parked_messages SET due_at = now() WHERE due_at < 'infinity'")
            await self._retry()

    async def end(self, state: str) -> tuple[list[Any], list[Any], int]:
        """The state of the tables, the facts that were said without their ids, and how much is left parked."""
        rows = await self._execute(state)
        said = await self._execute("SELECT type, data FROM outbox")
        facts = sorted((row.type, json.dumps(_timeless(json.loads(row.data)), sort_keys=True)) for row in said)
        (left,) = await self._execute("SELECT count(*) AS rows FROM parked_messages WHERE state <> 'dead'")
        return sorted(map(str, rows)), facts, left.rows

    async def forget(self) -> None:
        """Empty the inbox, as its retention does one day."""
        await self._execute("DELETE FROM inbox")

    async def clean(self) -> None:
        """Begin with empty tables."""
        # DELETE is quicker than TRUNCATE for a handful of rows; what refers to others goes first.
        for table in await self._tables():
            await self._execute(f"DELETE FROM {table.name}")  # noqa: S608  # names of our tables

    async def execute(self, statements: str) -> None:
        """What was there before."""
        for statement in filter(str.strip, statements.split(";")):
            await self._execute(statement)

    async def _retry(self) -> None:
        """Until nothing is due; a lost connection ends one attempt, as in the service's loop."""
        due = True
        while due:
            with contextlib.suppress(ConnectionError):
                due = await Retries(self._delivery).run_once()

    async def _tables(self) -> Sequence[Any]:
        referring = "SELECT 1 FROM pg_constraint WHERE contype = 'f' AND conrelid = pg_class.oid"
        return await self._execute(f"""
            SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
            AND relname <> 'alembic_version' ORDER BY NOT EXISTS ({referring})
        """)  # noqa: S608  # constants

    async def _execute(self, statement: str) -> Sequence[Any]:
        async with self._runtime.engine.begin() as connection:
            result = await connection.execute(text(statement))
            return result.all() if result.returns_rows else []


@asynccontextmanager
async def log_of(world: World, service: Service) -> AsyncIterator[Log]:
    """A service's handlers on a fresh database, without its loops."""
    database = await world.database(service)
    runtime = Runtime(service, world.settings(service.settings, database_url=database.url), None)
    try:
        yield Log(runtime, Delivery(runtime.units, service.handlers, runtime.settings))
    finally:
        await runtime.engine.dispose()


def message(event: Event) -> Message:
    """The event as the consumer reads it; the same event is always the same message."""
    data = event.model_dump_json().encode()
    event_id = str(uuid5(NAMESPACE, data))
    record = ParkedRecord(event.topic, 0, 0, str(event.key).encode(), data, binary(event, event_id))
    found = decode(record, {type(event).__name__: type(event)})
    assert found is not None
    return found


def _timeless(data: Any) -> Any:
    """Data without times and the ids that are made anew each time."""
    if isinstance(data, dict):
        return {
            name: _timeless(each)
            for name, each in data.items()
            if name not in ("deadline", "validated_at", "essay_ids")
        }
    return [_timeless(each) for each in data] if isinstance(data, list) else data


def as_they_are(events: Sequence[Event]) -> list[Event]:
    return list(events)


def twice_in_a_row(events: Sequence[Event]) -> list[Event]:
    return [event for event in events for _ in range(2)]


def the_whole_three_times(events: Sequence[Event]) -> list[Event]:
    return [*events] * 3


@pytest.mark.parametrize("repeat", [as_they_are, twice_in_a_row, the_whole_three_times], ids=lambda each: each.__name__)
@pytest.mark.parametrize("size", [1, 50], ids=["one by one", "in a micro-batch"])
@pytest.mark.parametrize("history", HISTORIES, ids=lambda each: each.name)
async def test_every_interleaving_has_one_end(
    world: World, history: History, size: int, repeat: Callable[[Sequence[Event]], list[Event]]
) -> None:
    ends = set()
    async with log_of(world, history.service) as log:
        for events in history.tried():
            await log.clean()
            await log.execute(history.before)
            await log.deliver(repeat(events), size=size)
            await log.settle()
            rows, facts, left = await log.end(history.state)
            assert left == 0, f"something still waits after {[type(each).__name__ for each in events]}"
            ends.add((tuple(rows), tuple(facts)))

    assert len(ends) == 1


@pytest.mark.parametrize("history", HISTORIES, ids=lambda each: each.name)
async def test_a_rollback_at_any_step_changes_nothing(
    world: World, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = next(history.interleavings())
    ends = []
    async with log_of(world, history.service) as log:
        for broken in range(-1, 2 * len(events)):
            steps = itertools.count()

            def break_once(place: str, steps: Iterator[int] = steps, broken: int = broken) -> None:
                if place == "unit_of_work.before_commit" and next(steps) == broken:
                    raise ConnectionResetError("the database went away before the commit")

            monkeypatch.setattr(unit_of_work, "failpoint", break_once)
            await log.clean()
            await log.execute(history.before)
            await log.deliver(events, size=1)
            await log.settle()
            ends.append(await log.end(history.state))

    assert all(end == ends[0] for end in ends)


@pytest.mark.parametrize("history", HISTORIES, ids=lambda each: each.name)
async def test_a_replay_with_an_empty_inbox_changes_nothing(world: World, history: History) -> None:
    events = next(history.interleavings())
    async with log_of(world, history.service) as log:
        await log.execute(history.before)
        await log.deliver(events, size=1)
        await log.settle()
        before = await log.end(history.state)

        await log.forget()
        await log.deliver(events, size=1)
        await log.settle()

        assert await log.end(history.state) == before
