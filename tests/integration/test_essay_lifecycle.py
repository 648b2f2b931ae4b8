"""Every uploaded file is decided once, in upload order, whenever it comes; completion is said exactly once."""

import asyncio
import random
from typing import Any
from uuid import UUID, uuid4

import pytest
from common_core.events import (
    BatchContentProvisioningCompletedV1,
    BatchEssaysReadyV1,
    BatchStudentMatchingRequestedV1,
    EssayContentProvisionedV1,
    EssaySlotAssignedV1,
    ExcessContentProvisionedV1,
    InitiateStudentMatchingV1,
    Topic,
)
from common_core.status_enums import ClassType
from service_runtime.testing import Running, wait_until

from services.essay_lifecycle_service.service import service
from tests.integration.classroom import (
    BERIT,
    COURSE,
    Person,
    an_essay,
    cancelled,
    confirmed,
    content,
    failure,
    operator,
    other_teacher,
    registered,
)
from tests.integration.world import World


@pytest.fixture(scope="module")
async def lifecycle(shared_world: World) -> Running:
    return await shared_world.run(service)


@pytest.fixture
async def world(shared_world: World, lifecycle: Running) -> World:  # noqa: ARG001  # it must run
    return shared_world


async def completions(world: World, batch_id: UUID) -> list[BatchContentProvisioningCompletedV1]:
    return await world.listener.said(BatchContentProvisioningCompletedV1, batch_id)


async def completion(world: World, batch_id: UUID) -> BatchContentProvisioningCompletedV1:
    """The one completion of a batch, after all there is was handled."""
    await wait_until(lambda: completions(world, batch_id))
    (only,) = await all_done(world, batch_id)
    return only


async def all_done(world: World, batch_id: UUID) -> list[BatchContentProvisioningCompletedV1]:
    """The completions of a batch, after all there is was handled."""
    await wait_until(lambda: world.is_done(service))
    return await completions(world, batch_id)


async def excess(world: World, batch_id: UUID) -> list[tuple[str, str]]:
    """The names and reasons of the contents without a slot."""
    said = await world.listener.said(ExcessContentProvisionedV1, batch_id)
    return [(each.original_file_name, each.reason) for each in said]


async def names_of_slots(lifecycle: Running, batch_id: UUID) -> list[str | None]:
    answer = await Person(lifecycle).get(f"/batches/{batch_id}/essays")
    return [slot["original_file_name"] for slot in answer.raise_for_status().json()["slots"]]


async def parked(world: World, batch_id: UUID) -> int:
    database = await world.database(service)
    return len(await database.fetch("SELECT 1 FROM parked_messages WHERE key = $1", str(batch_id)))


async def test_contents_that_come_before_the_registration_wait_and_get_their_slots_in_upload_order(
    world: World, lifecycle: Running
) -> None:
    batch_id = uuid4()
    for number in range(12):
        await world.outside.publish(content(batch_id, f"{number}"))
    await wait_until(lambda: _parked_are(world, batch_id, 12))
    assert await world.listener.said(EssaySlotAssignedV1, batch_id) == []

    batch = registered(batch_id, 10)
    await world.outside.publish(batch)

    said = await completion(world, batch_id)
    assert [essay.original_file_name for essay in said.essays] == [f"{number}" for number in range(10)]
    assert [essay.essay_id for essay in said.essays] == list(batch.essay_ids)
    assert await excess(world, batch_id) == [("10", "no_available_slot"), ("11", "no_available_slot")]
    assert await names_of_slots(lifecycle, batch_id) == [f"{number}" for number in range(10)]


async def _parked_are(world: World, batch_id: UUID, count: int) -> bool:
    return await parked(world, batch_id) == count


async def test_contents_before_during_and_after_the_registration_keep_their_order(
    world: World, lifecycle: Running
) -> None:
    batch_id = uuid4()
    for number in range(60):
        if number == 20:
            await world.outside.publish(registered(batch_id, 50))
        await world.outside.publish(content(batch_id, f"{number}"))

    assert (await completion(world, batch_id)).provisioned_count == 50
    assert await names_of_slots(lifecycle, batch_id) == [f"{number}" for number in range(50)]
    assert [name for name, _ in await excess(world, batch_id)] == [f"{number}" for number in range(50, 60)]


async def test_failures_that_come_before_the_registration_wait_too(world: World) -> None:
    batch_id = uuid4()
    await world.outside.publish(failure(batch_id, "broken"))
    await world.outside.publish(content(batch_id, "sound"))
    await wait_until(lambda: _parked_are(world, batch_id, 2))

    await world.outside.publish(registered(batch_id, 2))

    said = await completion(world, batch_id)
    assert (said.provisioned_count, said.failed_count) == (1, 1)


async def test_many_batches_in_any_interleaving_of_their_messages_complete_once_with_the_right_counts(
    world: World,
) -> None:
    dice = random.Random(3)  # noqa: S311  # no secret
    batches: dict[UUID, tuple[int, int]] = {}
    messages: list[Any] = []
    for _ in range(25):
        batch_id, sound, broken, surplus = uuid4(), dice.randint(0, 4), dice.randint(0, 2), dice.randint(0, 2)
        if not sound + broken:
            broken = 1
        batches[batch_id] = (sound, broken)
        files = [content(batch_id, f"{number}") for number in range(sound)]
        files += [failure(batch_id, f"broken {number}") for number in range(broken)]
        files += dice.choices(files, k=surplus)
        messages += [registered(batch_id, sound + broken), *files]
    dice.shuffle(messages)

    for message in messages:
        topic = Topic.UPSTREAM if Topic.UPSTREAM in message.topics and dice.random() < 0.3 else None
        await world.outside.publish(message, topic=topic)

    await wait_until(lambda: world.is_done(service), 30)
    said = [each for each in await world.listener.said(BatchContentProvisioningCompletedV1) if each.batch_id in batches]
    assert len(said) == len(batches)
    assert {each.batch_id: (each.provisioned_count, each.failed_count) for each in said} == batches
    assert all(len(each.essays) == each.provisioned_count for each in said)


async def test_a_file_that_is_announced_again_is_not_decided_again(world: World, lifecycle: Running) -> None:
    batch_id, upload_id = uuid4(), uuid4()
    await world.outside.publish(registered(batch_id, 2))

    for text in ("first word", "second word", "first word"):
        await world.outside.publish(content(batch_id, text, upload_id=upload_id))

    await all_done(world, batch_id)
    assert await names_of_slots(lifecycle, batch_id) == ["first word", None]
    assert await excess(world, batch_id) == []


async def test_a_batch_that_is_registered_again_keeps_its_slots(world: World, lifecycle: Running) -> None:
    batch_id = uuid4()
    batch = registered(batch_id, 2)
    await world.outside.publish(batch)
    await world.outside.publish(content(batch_id, "1"))

    await world.outside.publish(registered(batch_id, 2))
    await world.outside.publish(content(batch_id, "2"))

    assert [essay.essay_id for essay in (await completion(world, batch_id)).essays] == list(batch.essay_ids)
    assert await names_of_slots(lifecycle, batch_id) == ["1", "2"]
    assert await parked(world, batch_id) == 0


async def test_the_same_text_twice_in_a_batch_is_excess_and_another_file_gets_the_slot(
    world: World, lifecycle: Running
) -> None:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 2))

    for name, text in (("a", "same"), ("copy of a", "same"), ("b", "other")):
        await world.outside.publish(content(batch_id, name, text=text))

    assert [each.original_file_name for each in (await completion(world, batch_id)).essays] == ["a", "b"]
    assert await excess(world, batch_id) == [("copy of a", "duplicate_content")]
    assert await names_of_slots(lifecycle, batch_id) == ["a", "b"]


async def test_a_batch_whose_files_all_fail_completes_without_essays(world: World) -> None:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 2))

    for name in ("a", "b", "c"):
        await world.outside.publish(failure(batch_id, name))

    said = await completion(world, batch_id)
    assert (said.expected_count, said.provisioned_count, said.failed_count, said.essays) == (2, 0, 2, ())


async def test_the_teacher_closes_a_batch_early_and_what_comes_later_is_excess(
    world: World, lifecycle: Running
) -> None:
    batch_id, teacher = uuid4(), Person(lifecycle)
    await world.outside.publish(registered(batch_id, 3))
    await world.outside.publish(content(batch_id, "in time"))
    await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, batch_id))

    first = await teacher.post(f"/batches/{batch_id}/close")
    again = await teacher.post(f"/batches/{batch_id}/close")
    await world.outside.publish(content(batch_id, "late"))

    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["completed"]
    assert [slot["state"] for slot in first.json()["slots"]] == ["assigned", "closed", "closed"]
    said = await completion(world, batch_id)
    assert (said.expected_count, said.provisioned_count, said.failed_count) == (3, 1, 0)
    assert await excess(world, batch_id) == [("late", "batch_closed")]


async def test_closing_several_times_at_once_while_contents_come_completes_a_batch_once(
    world: World, lifecycle: Running
) -> None:
    batch_id, teacher = uuid4(), Person(lifecycle)
    await world.outside.publish(registered(batch_id, 30))
    await world.outside.publish(content(batch_id, "in time"))
    await wait_until(lambda: world.listener.said(EssaySlotAssignedV1, batch_id))

    contents = [world.outside.publish(content(batch_id, f"{number}")) for number in range(20)]
    closings = [teacher.post(f"/batches/{batch_id}/close") for _ in range(6)]
    answers, _ = await asyncio.gather(asyncio.gather(*closings), asyncio.gather(*contents))

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [202]
    said = await completion(world, batch_id)
    assert said.provisioned_count + len(await excess(world, batch_id)) == 21
    assigned = await world.listener.said(EssaySlotAssignedV1, batch_id)
    assert [each.essay_id for each in assigned] == [essay.essay_id for essay in said.essays]


async def test_closing_a_batch_at_once_after_it_was_made_waits_until_it_is_heard_of(
    world: World, lifecycle: Running
) -> None:
    batch_id = uuid4()
    async with (await world.database(service)).holding("LOCK TABLE essay_batches IN SHARE MODE"):
        await world.outside.publish(registered(batch_id, 3))
        unknown = await Person(lifecycle).get(f"/batches/{uuid4()}/essays")

    answer = await Person(lifecycle).post(f"/batches/{batch_id}/close")

    assert unknown.status_code == 404
    assert answer.status_code == 202
    assert (await completion(world, batch_id)).provisioned_count == 0


async def test_a_cancelled_batch_never_completes_and_cannot_be_closed(world: World, lifecycle: Running) -> None:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 1))
    await world.outside.publish(cancelled(batch_id))
    await wait_until(lambda: world.is_done(service))

    refused = await Person(lifecycle).post(f"/batches/{batch_id}/close")
    await world.outside.publish(content(batch_id, "late"))

    assert refused.status_code == 409
    assert await all_done(world, batch_id) == []
    assert await excess(world, batch_id) == [("late", "batch_closed")]


async def test_what_waited_for_a_batch_that_is_cancelled_at_once_is_excess_or_completes_it_before(
    world: World,
) -> None:
    batch_id = uuid4()
    await world.outside.publish(content(batch_id, "early"))
    await wait_until(lambda: _parked_are(world, batch_id, 1))

    await world.outside.publish(registered(batch_id, 1))
    await world.outside.publish(cancelled(batch_id))

    completed = await all_done(world, batch_id)
    assert len(completed) + len(await excess(world, batch_id)) == 1


async def test_a_teacher_sees_slots_and_excess_of_their_batch(world: World, lifecycle: Running) -> None:
    batch_id = uuid4()
    batch = registered(batch_id, 3)
    await world.outside.publish(batch)
    one, two = content(batch_id, "1", text="same"), content(batch_id, "2", text="same")
    for message in (one, two, failure(batch_id, "3")):
        await world.outside.publish(message)
    await wait_until(lambda: world.is_done(service))

    seen = (await Person(lifecycle).get(f"/batches/{batch_id}/essays")).json()

    assert (seen["batch_id"], seen["expected_count"], seen["completed"]) == (str(batch_id), 3, False)
    assert seen["slots"][0] == {
        "essay_id": str(batch.essay_ids[0]),
        "state": "assigned",
        "file_upload_id": str(one.file_upload_id),
        "original_file_name": "1",
        "text_storage_id": "same",
    }
    assert [slot["state"] for slot in seen["slots"]] == ["assigned", "closed", "free"]
    assert seen["excess"] == [
        {"file_upload_id": str(two.file_upload_id), "original_file_name": "2", "reason": "duplicate_content"}
    ]


async def test_a_batch_of_another_teacher_does_not_exist_and_an_operator_may_only_look(
    world: World, lifecycle: Running
) -> None:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 1))
    path = f"/batches/{batch_id}"

    assert (await Person(lifecycle).get(f"{path}/essays")).status_code == 200
    assert (await other_teacher(lifecycle).get(f"{path}/essays")).status_code == 404
    assert (await other_teacher(lifecycle).post(f"{path}/close")).status_code == 404
    assert (await operator(lifecycle).get(f"{path}/essays")).status_code == 200
    assert (await operator(lifecycle).post(f"{path}/close")).status_code == 403
    assert await all_done(world, batch_id) == []


async def test_student_matching_is_routed_with_the_same_fields_and_its_cause(world: World) -> None:
    batch_id, essays = uuid4(), (an_essay(), an_essay())
    initiate = InitiateStudentMatchingV1(
        batch_id=batch_id, class_id=uuid4(), course_code=COURSE, teacher_id=BERIT, essays=essays
    )

    event_id = await world.outside.publish(initiate)

    (heard,) = await wait_until(lambda: world.listener.all_of(BatchStudentMatchingRequestedV1, batch_id))
    assert heard.event.model_dump() == initiate.model_dump()
    assert heard.envelope.causation_id == event_id


async def test_confirmed_associations_wait_for_the_content_and_then_make_the_essays_ready_once(world: World) -> None:
    batch_id, class_id = uuid4(), uuid4()
    await world.outside.publish(confirmed(batch_id, class_id))
    await world.outside.publish(registered(batch_id, 1, class_id))
    await wait_until(lambda: _parked_are(world, batch_id, 1))
    assert await world.listener.said(BatchEssaysReadyV1, batch_id) == []

    await world.outside.publish(content(batch_id, "1"))
    await world.outside.publish(confirmed(batch_id, class_id))

    await all_done(world, batch_id)
    (ready,) = await world.listener.said(BatchEssaysReadyV1, batch_id)
    assert ready.class_type is ClassType.REGULAR
    assert [essay.original_file_name for essay in ready.ready_essays] == ["1"]


async def test_the_essays_of_a_guest_batch_are_never_said_to_be_ready(world: World) -> None:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 1))
    await world.outside.publish(content(batch_id, "1"))

    await world.outside.publish(confirmed(batch_id, uuid4()))

    await completion(world, batch_id)
    assert await world.listener.said(BatchEssaysReadyV1, batch_id) == []


async def test_a_content_from_a_store_outside_gets_a_slot_like_ours(world: World) -> None:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 1))
    theirs: EssayContentProvisionedV1 = content(batch_id, "1", text="s3://essays/1")

    await world.outside.publish(theirs, topic=Topic.UPSTREAM, source="https://store.example")

    assert [essay.text_storage_id for essay in (await completion(world, batch_id)).essays] == ["s3://essays/1"]
