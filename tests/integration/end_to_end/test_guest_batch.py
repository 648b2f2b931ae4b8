"""A GUEST batch: no class, so nobody has to say who wrote what."""

from uuid import uuid4

from service_runtime.testing import wait_until

from tests.integration.end_to_end.school import School, essay, moves


async def test_a_guest_batch_is_ready_when_its_content_is_complete(school: School) -> None:
    batch_id = await school.register(2, guest=True)

    await school.upload(batch_id, essay("Bo Lindqvist"), essay("Nobody in particular", 1))

    batch = await school.until(batch_id, "ready_for_pipeline_execution")
    assert moves(batch) == [("awaiting_content_validation", "ready_for_pipeline_execution", "content_completed")]
    assert [each["student_id"] for each in batch["essays"]] == [None, None]


async def test_a_system_outside_registers_a_batch_and_brings_its_own_contents(school: School) -> None:
    batch_id = str(uuid4())
    content = {"batch_id": batch_id, "original_file_name": "a.txt", "file_size_bytes": 7}
    registration = {"teacher_id": school.teacher_id, "course_code": "ENG6", "expected_essay_count": 2}

    for number in range(2):
        stored = {"file_upload_id": str(uuid4()), "text_storage_id": f"elsewhere/{number}"}
        await school.publish("upstream", "EssayContentProvisionedV1", {**content, **stored})
    await school.publish("upstream", "RegisterBatchV1", {"batch_id": batch_id, **registration})

    async def registered() -> bool:
        return (await school.request("GET", "BATCH_ORCHESTRATOR", f"/v1/batches/{batch_id}")).is_success

    await wait_until(registered)
    batch = await school.until(batch_id, "ready_for_pipeline_execution")
    assert [each["text_storage_id"] for each in batch["essays"]] == ["elsewhere/0", "elsewhere/1"]
