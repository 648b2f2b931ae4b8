"""When the teacher's time is over, good suggestions stand and the others have no student; there is one result."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from common_core.events import (
    EssayRef,
    StudentAssociationsConfirmedV1,
    StudentValidationRequestedV1,
)
from common_core.status_enums import AssociationValidationMethod, StudentAssociationStatus
from service_runtime.testing import Running, wait_until

from services.class_management_service.service import service
from tests.integration.classroom import Person, an_essay, cancelled, match, suggested
from tests.integration.skew import clock_off_by
from tests.integration.world import World

MODULE = "services.class_management_service.service"
CONFIRMED, REJECTED = StudentAssociationStatus.CONFIRMED, StudentAssociationStatus.REJECTED
BY_TIME, NO_MATCH = StudentAssociationStatus.TIMEOUT_CONFIRMED, StudentAssociationStatus.NO_MATCH
SOON, FIVE_MINUTES = 1, 300


@pytest.fixture(scope="module")
async def classes(shared_world: World) -> Running:
    return await shared_world.run(service)


@pytest.fixture
async def quiet_world(shared_world: World, classes: Running) -> World:  # noqa: ARG001  # it must run
    return shared_world


async def requested(world: World, batch_ids: Sequence[UUID]) -> bool:
    said = await world.listener.said(StudentValidationRequestedV1)
    return set(batch_ids) <= {each.batch_id for each in said}


async def results(world: World, batch_id: UUID) -> list[StudentAssociationsConfirmedV1]:
    return await world.listener.said(StudentAssociationsConfirmedV1, batch_id)


async def result(world: World, batch_id: UUID) -> StudentAssociationsConfirmedV1:
    """The one result of a batch, after all there is was handled."""
    await wait_until(lambda: results(world, batch_id))
    await wait_until(lambda: world.is_done(service))
    (only,) = await results(world, batch_id)
    return only


async def ask(world: World, class_id: UUID, student_id: UUID, batches: int = 1) -> dict[UUID, EssayRef]:
    """Batches of one essay with a good suggestion, whose teacher is asked."""
    asked = {uuid4(): an_essay() for _ in range(batches)}
    for batch_id, essay in asked.items():
        await world.outside.publish(suggested(batch_id, class_id, match(essay, student_id)))
    await wait_until(lambda: requested(world, list(asked)))
    return asked


def in_seconds(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def test_after_the_deadline_good_suggestions_stand_and_decisions_stay(
    quiet_world: World, classes: Running
) -> None:
    world, teacher, batch_id = quiet_world, Person(classes), uuid4()
    class_id, who = await teacher.make_class("Anna", "Bo", "Cy", "Dan", association_deadline_seconds=2)
    good, weak, ambiguous, shared, shared_too, nobody, chosen, refused = essays = [an_essay() for _ in range(8)]
    found = [
        match(good, who["Anna"], 0.7),
        match(weak, who["Cy"], 0.69),
        match(ambiguous, who["Cy"], 0.95, ambiguous=True),
        match(shared, who["Bo"], 0.95),
        match(shared_too, who["Bo"], 0.8),
        match(nobody),
        match(chosen, who["Dan"], 0.95),
        match(refused, uuid4(), 0.95),
    ]
    await world.outside.publish(suggested(batch_id, class_id, *found))
    await wait_until(lambda: requested(world, [batch_id]))
    path = f"/batches/{batch_id}/student-associations"
    await teacher.put(f"{path}/{chosen.essay_id}", {"student_id": str(who["Cy"])})
    await teacher.put(f"{path}/{refused.essay_id}", {"student_id": None})

    said = await result(world, batch_id)

    assert said.timeout_triggered
    assert said.validation_summary.model_dump() == {"human": 2, "timeout": 6, "auto": 0}
    final = {each.essay_id: (each.status, each.student_id) for each in said.associations}
    assert [final[essay.essay_id] for essay in essays] == [
        (BY_TIME, who["Anna"]),
        (NO_MATCH, None),
        (NO_MATCH, None),
        (NO_MATCH, None),
        (NO_MATCH, None),
        (NO_MATCH, None),
        (CONFIRMED, who["Cy"]),
        (REJECTED, None),
    ]
    by_people = {e.essay_id for e in said.associations if e.validation_method is AssociationValidationMethod.HUMAN}
    assert by_people == {chosen.essay_id, refused.essay_id}
    assert {each.validated_by for each in said.associations if each.essay_id not in by_people} == {None}
    assert (await teacher.get(path)).json()["status"] == "confirmed"


async def test_after_the_deadline_the_teacher_is_refused_even_with_the_same_decisions(
    quiet_world: World, classes: Running
) -> None:
    world, teacher = quiet_world, Person(classes)
    class_id, who = await teacher.make_class("Anna", association_deadline_seconds=SOON)
    ((batch_id, essay),) = (await ask(world, class_id, who["Anna"])).items()
    await result(world, batch_id)
    path, anna = f"/batches/{batch_id}/student-associations", str(who["Anna"])

    answers = [
        await teacher.put(f"{path}/{essay.essay_id}", {"student_id": anna}),
        await teacher.put(f"{path}/deadline", {"deadline": in_seconds(60)}),
        await teacher.post(
            f"{path}/confirm", {"associations": [{"essay_id": str(essay.essay_id), "student_id": anna}]}
        ),
        await teacher.post(f"{path}/confirm"),
    ]

    assert [answer.status_code for answer in answers] == [409] * 4
    assert len(await results(world, batch_id)) == 1


async def test_the_deadline_can_be_moved_in_both_directions_and_a_cancel_ends_it(
    quiet_world: World, classes: Running
) -> None:
    world, teacher = quiet_world, Person(classes)
    class_id, who = await teacher.make_class("Anna", association_deadline_seconds=2)
    called_off, later, as_it_was = await ask(world, class_id, who["Anna"], batches=3)
    await world.outside.publish(cancelled(called_off))

    moved = await teacher.put(f"/batches/{later}/student-associations/deadline", {"deadline": in_seconds(3_600)})
    assert moved.status_code == 200
    await result(world, as_it_was)

    assert (await results(world, later), await results(world, called_off)) == ([], [])
    open_batch = (await teacher.get(f"/batches/{later}/student-associations")).json()
    assert (open_batch["status"], open_batch["deadline"]) == ("open", moved.json()["deadline"])

    await teacher.put(f"/batches/{later}/student-associations/deadline", {"deadline": in_seconds(-1)})
    assert (await result(world, later)).timeout_triggered


async def test_teacher_and_deadline_racing_give_one_result(quiet_world: World, classes: Running) -> None:
    world, teacher = quiet_world, Person(classes)
    class_id, who = await teacher.make_class("Anna", "Bo")
    asked = await ask(world, class_id, who["Anna"], batches=24)

    async def race(head_start: int, batch_id: UUID, essay: EssayRef) -> bool:
        """The deadline is over, and the teacher confirms after so many looks; whether the teacher won."""
        path = f"/batches/{batch_id}/student-associations"
        (await teacher.put(f"{path}/deadline", {"deadline": in_seconds(-1)})).raise_for_status()
        for _ in range(head_start):
            await teacher.get(path)
        body = {"associations": [{"essay_id": str(essay.essay_id), "student_id": str(who["Bo"])}]}
        answer = await teacher.post(f"{path}/confirm", body)
        assert answer.status_code in (200, 409)
        return answer.status_code == 200

    won = await asyncio.gather(*(race(number % 4, *each) for number, each in enumerate(asked.items())))

    await wait_until(lambda: world.is_done(service))
    said = [each for each in await world.listener.said(StudentAssociationsConfirmedV1) if each.batch_id in asked]
    assert len(said) == len(asked) == len({each.batch_id for each in said})
    teachers = {batch_id for batch_id, mine in zip(asked, won, strict=True) if mine}
    for each in said:
        assert each.timeout_triggered == (each.batch_id not in teachers)
        (association,) = each.associations
        assert association.student_id == (who["Bo"] if each.batch_id in teachers else who["Anna"])


async def test_a_deadline_that_passed_while_the_service_was_down_is_kept_after_a_kill(world: World) -> None:
    async with world.running(service) as classes:
        class_id, who = await Person(classes).make_class("Anna", association_deadline_seconds=SOON)
    process = await world.process(service, MODULE)
    ((batch_id, _),) = (await ask(world, class_id, who["Anna"])).items()
    process.kill()
    database = await world.database(service)
    await wait_until(lambda: database.fetch("SELECT 1 FROM timers WHERE due_at < now()"))
    assert await results(world, batch_id) == []

    # The killed member is missed by its group for some seconds; a timer does not wait for that.
    async with world.running(service):
        await wait_until(lambda: results(world, batch_id))

    (said,) = await results(world, batch_id)
    assert said.timeout_triggered
    assert said.associations[0].status is BY_TIME


@pytest.mark.parametrize("minutes", [10, -10])
async def test_a_deadline_is_kept_by_the_databases_time_whatever_clock_the_process_has(
    world: World, minutes: int
) -> None:
    async with world.running(service) as classes:
        teacher = Person(classes)
        soon, who = await teacher.make_class("Anna", association_deadline_seconds=SOON)
        later, others = await teacher.make_class("Anna", association_deadline_seconds=FIVE_MINUTES)
    database = await world.database(service)
    (before,) = await database.fetch("SELECT now() AS at")
    await world.process(service, MODULE, variables=clock_off_by(minutes))

    (open_batch,) = await ask(world, later, others["Anna"])
    (closed_batch,) = await ask(world, soon, who["Anna"])
    (said,) = await wait_until(lambda: results(world, closed_batch))

    (after,) = await database.fetch("SELECT now() AS at")
    assert await results(world, open_batch) == []
    (asked,) = await world.listener.said(StudentValidationRequestedV1, open_batch)
    assert before["at"] <= asked.deadline - timedelta(seconds=FIVE_MINUTES) <= after["at"]
    (asked,) = await world.listener.said(StudentValidationRequestedV1, closed_batch)
    assert asked.deadline <= said.associations[0].validated_at <= after["at"]


async def test_two_instances_give_each_batch_one_result(world: World) -> None:
    classes = await world.run(service)
    await world.run(service)
    class_id, who = await Person(classes).make_class("Anna", association_deadline_seconds=SOON)

    asked = await ask(world, class_id, who["Anna"], batches=30)

    async def all_said() -> bool:
        said = await world.listener.said(StudentAssociationsConfirmedV1)
        return {each.batch_id for each in said} == set(asked)

    await wait_until(all_said)
    await wait_until(lambda: world.is_done(service))
    assert len(await world.listener.said(StudentAssociationsConfirmedV1)) == len(asked)
