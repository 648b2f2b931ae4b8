"""Content completed, confirmed and essays ready in every order, with every repetition: READY, once, the whole way."""

from collections.abc import Sequence
from itertools import permutations, product
from typing import Any
from uuid import UUID, uuid4

import pytest
from common_core.events import (
    Association,
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    BatchReadyForPipelineExecutionV1,
    ClassRosterChangedV1,
    EssayRef,
    Event,
    InitiateStudentMatchingV1,
    RegisterBatchV1,
    StudentAssociationsConfirmedV1,
    ValidationSummary,
)
from common_core.status_enums import (
    AssociationValidationMethod,
    BatchStatus,
    ClassType,
    CourseCode,
    StudentAssociationStatus,
)
from pydantic import TypeAdapter
from service_runtime.testing import a_cause, wait_until

from services.batch_orchestrator_service.models import HistoryEntry
from services.batch_orchestrator_service.service import service
from tests.integration.world import World

WHOLE_WAY = [
    (BatchStatus.AWAITING_STUDENT_VALIDATION, "content_completed"),
    (BatchStatus.STUDENT_VALIDATION_COMPLETED, "associations_confirmed"),
    (BatchStatus.READY_FOR_PIPELINE_EXECUTION, "essays_ready"),
]
KINDS = ("completed", "confirmed", "ready")


def stories() -> list[tuple[str, ...]]:
    """Every distinct order of the three messages, each said once or twice, and some with each said three times."""
    found = {
        order
        for counts in product((1, 2), repeat=3)
        for order in permutations([kind for kind, count in zip(KINDS, counts, strict=True) for _ in range(count)])
    }
    rounds = {kinds * 3 for kinds in permutations(KINDS)}
    in_a_row = {tuple(kind for kind in kinds for _ in range(3)) for kinds in permutations(KINDS)}
    return sorted(found | rounds | in_a_row)


class Batch:
    """What is said about one batch by the services around the orchestrator."""

    def __init__(self, class_id: UUID | None) -> None:
        self.id, self.class_id = uuid4(), class_id
        self.essay = EssayRef(essay_id=uuid4(), text_storage_id="text", original_file_name="a.txt")
        self.student = uuid4()
        self.about: dict[str, Any] = {"batch_id": self.id, "course_code": CourseCode.SV1}

    def registration(self) -> Event:
        """The command that makes it."""
        return RegisterBatchV1(**self.about, teacher_id="berit", expected_essay_count=1, class_id=self.class_id)

    def message(self, kind: str) -> Event:
        """One of the three messages."""
        match kind:
            case "completed":
                counts = {"expected_count": 1, "provisioned_count": 1, "failed_count": 0}
                whose = {"class_id": self.class_id, "teacher_id": "berit"}
                return BatchContentProvisioningCompletedV1(**self.about, **whose, **counts, essays=(self.essay,))
            case "confirmed":
                return StudentAssociationsConfirmedV1(
                    **self.about,
                    class_id=self.class_id or uuid4(),
                    associations=(self.association(),),
                    timeout_triggered=False,
                    validation_summary=ValidationSummary(human=1, timeout=0, auto=0),
                )
            case _:
                return BatchEssaysReadyV1(**self.about, class_type=ClassType.REGULAR, ready_essays=(self.essay,))

    def association(self) -> Association:
        """Who wrote its essay."""
        return Association(
            essay_id=self.essay.essay_id,
            student_id=self.student,
            status=StudentAssociationStatus.CONFIRMED,
            validation_method=AssociationValidationMethod.HUMAN,
            validated_at=a_cause().at,
        )


@pytest.fixture(scope="module")
async def class_id(shared_world: World) -> UUID:
    """A class the orchestrator hears of."""
    known = uuid4()
    about = {"class_id": known, "class_name": "9A", "course_code": CourseCode.SV1, "teacher_id": "berit"}
    await shared_world.outside.publish(ClassRosterChangedV1(**about, roster_version=1, students=()))
    return known


async def say(world: World, batch: Batch, story: Sequence[str], *, same_id: bool) -> None:
    """Publish a story; a repetition has the same id, as from a producer that tries again, or a new one."""
    ids = {kind: str(uuid4()) for kind in story}
    for kind in story:
        await world.outside.publish(batch.message(kind), event_id=ids[kind] if same_id else None)


async def all_ready(world: World, batches: Sequence[Batch]) -> bool:
    """Whether these batches are ready and the orchestrator has nothing left to do or to say."""
    database = await world.database(service)
    query = "SELECT count(*) AS ready FROM batches WHERE batch_id = ANY($1) AND status = $2"
    ready = BatchStatus.READY_FOR_PIPELINE_EXECUTION.value
    rows = await database.fetch(query, [batch.id for batch in batches], ready)
    return bool(rows[0]["ready"] == len(batches)) and await world.is_done(service)


async def check(world: World, batches: Sequence[Batch]) -> None:
    """Every batch came the whole way and said each thing once, and nothing is left over."""
    database = await world.database(service)
    history = TypeAdapter(tuple[HistoryEntry, ...])
    for batch in batches:
        (row,) = await database.fetch("SELECT history FROM batches WHERE batch_id = $1", batch.id)
        moves = [(move.to_status, move.trigger) for move in history.validate_json(row["history"])]
        assert moves == WHOLE_WAY
        assert len(await world.listener.said(InitiateStudentMatchingV1, batch.id)) == 1
        (ready,) = await world.listener.said(BatchReadyForPipelineExecutionV1, batch.id)
        assert [(essay.essay_id, essay.student_id) for essay in ready.essays] == [(batch.essay.essay_id, batch.student)]
    assert await database.count("outbox") == 0
    assert await database.count("parked_messages") == 0


@pytest.mark.parametrize("same_id", [True, False], ids=["same ids", "new ids"])
@pytest.mark.parametrize("micro_batch", [500, 1], ids=["in micro-batches", "one by one"])
async def test_every_order_with_every_repetition_ends_ready_once(
    shared_world: World, class_id: UUID, micro_batch: int, same_id: bool
) -> None:
    chosen = stories() if micro_batch > 1 else stories()[::4]
    batches = [Batch(class_id) for _ in chosen]
    for batch in batches:
        await shared_world.outside.publish(batch.registration())
    for batch, story in zip(batches, chosen, strict=True):
        await say(shared_world, batch, story, same_id=same_id)

    async with shared_world.running(service, micro_batch=micro_batch):
        await wait_until(lambda: all_ready(shared_world, batches), 60)

    await check(shared_world, batches)


@pytest.mark.parametrize("place", range(4))
async def test_the_registration_may_come_before_between_or_after_them(
    shared_world: World, class_id: UUID, place: int
) -> None:
    batches = [Batch(class_id) for _ in permutations(KINDS)]
    async with shared_world.running(service):
        for number in range(4):
            for batch, story in zip(batches, permutations(KINDS), strict=True):
                if number == place:
                    await shared_world.outside.publish(batch.registration())
                if number < 3:
                    await say(shared_world, batch, [story[number]], same_id=False)
            await wait_until(lambda: shared_world.has_read_everything(service))
        await wait_until(lambda: all_ready(shared_world, batches), 30)

    await check(shared_world, batches)


async def test_a_guest_batch_is_ready_on_its_content_and_ignores_the_rest(shared_world: World) -> None:
    batch = Batch(None)
    await shared_world.outside.publish(batch.registration())

    for kind in ("confirmed", "completed", "ready", "completed"):
        await shared_world.outside.publish(batch.message(kind))
    async with shared_world.running(service):
        await wait_until(lambda: all_ready(shared_world, [batch]), 30)

    assert len(await shared_world.listener.said(BatchReadyForPipelineExecutionV1, batch.id)) == 1
    assert not await shared_world.listener.said(InitiateStudentMatchingV1, batch.id)
