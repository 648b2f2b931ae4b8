"""A REGULAR batch through five processes: from a teacher's files to READY, and every way off the path."""

from service_runtime.testing import wait_until

from tests.integration.end_to_end.school import School, essay, moves

WHOLE_WAY = [
    ("awaiting_content_validation", "awaiting_student_validation", "content_completed"),
    ("awaiting_student_validation", "student_validation_completed", "associations_confirmed"),
    ("student_validation_completed", "ready_for_pipeline_execution", "essays_ready"),
]


async def test_a_folder_of_essays_becomes_a_ready_batch(school: School) -> None:
    batch_id = await school.register(3)

    await school.upload(batch_id, essay("Asa Ostrom"), essay("Namn: Bo Lindqvist", 1), essay("Reyes, Carla", 2))
    await school.until_asked(batch_id)
    await school.confirm(batch_id)
    batch = await school.until(batch_id, "ready_for_pipeline_execution")

    assert moves(batch) == WHOLE_WAY
    by_name = {each["original_file_name"]: each["student_id"] for each in batch["essays"]}
    students = school.students
    assert by_name == {
        "file-0.txt": students["Åsa Öström"],
        "file-1.txt": students["Bo Lindqvist"],
        "file-2.txt": students["Carla Reyes"],
    }


async def test_a_failed_file_closes_a_slot_and_a_surplus_file_gets_none(school: School) -> None:
    batch_id = await school.register(2)

    await school.upload(batch_id, b"", essay("Bo Lindqvist", 1), essay("Carla Reyes", 2))
    await school.until_asked(batch_id)
    await school.confirm(batch_id)
    batch = await school.until(batch_id, "ready_for_pipeline_execution")

    assert [each["original_file_name"] for each in batch["essays"]] == ["file-1.txt"]
    slots = await school.get("ESSAY_LIFECYCLE", f"/v1/batches/{batch_id}/essays")
    assert [slot["state"] for slot in slots["slots"]] == ["closed", "assigned"]
    assert [each["reason"] for each in slots["excess"]] == ["no_available_slot"]


async def test_a_batch_whose_files_all_fail_ends_as_failed(school: School) -> None:
    batch_id = await school.register(2)

    await school.upload(batch_id, b"", b"too short")

    batch = await school.until(batch_id, "content_ingestion_failed")
    assert moves(batch) == [("awaiting_content_validation", "content_ingestion_failed", "content_failed")]


async def test_closing_early_goes_on_with_what_is_there(school: School) -> None:
    batch_id = await school.register(5)
    await school.upload(batch_id, essay("Bo Lindqvist"))

    async def assigned() -> bool:
        slots = await school.get("ESSAY_LIFECYCLE", f"/v1/batches/{batch_id}/essays")
        return any(slot["state"] == "assigned" for slot in slots["slots"])

    await wait_until(assigned)
    await school.post("ESSAY_LIFECYCLE", f"/v1/batches/{batch_id}/close")

    assert len(await school.until_asked(batch_id)) == 1


async def test_the_teacher_chooses_where_nothing_was_found(school: School) -> None:
    batch_id = await school.register(1)
    await school.upload(batch_id, essay("Untitled"))
    asked = await school.until_asked(batch_id)

    await school.confirm(batch_id, {asked["file-0.txt"]["essay_id"]: school.students["Carla Reyes"]})

    batch = await school.until(batch_id, "ready_for_pipeline_execution")
    assert batch["essays"][0]["student_id"] == school.students["Carla Reyes"]


async def test_cancelling_ends_the_open_validation(school: School) -> None:
    batch_id = await school.register(1)
    await school.upload(batch_id, essay("Bo Lindqvist"))
    await school.until_asked(batch_id)

    await school.post("BATCH_ORCHESTRATOR", f"/v1/batches/{batch_id}/cancel")

    async def ended() -> bool:
        path = f"/v1/batches/{batch_id}/student-associations"
        return bool((await school.get("CLASS_MANAGEMENT", path))["status"] == "cancelled")

    await wait_until(ended)
    assert (await school.batch(batch_id))["status"] == "cancelled"
