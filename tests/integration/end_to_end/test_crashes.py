"""kill -9 of a service in the middle of its work loses nothing."""

import asyncio
from typing import Any

import pytest
from service_runtime.testing import wait_until

from tests.integration.end_to_end.school import School, essay


async def test_a_crash_of_the_file_service_after_the_202_loses_no_file(school: School) -> None:
    batch_id = await school.register(30)
    await school.upload(batch_id, *(essay("Bo Lindqvist", number) for number in range(30)))

    await school.kill("services.file_service")

    assert len(await school.until_asked(batch_id)) == 30


async def test_a_folder_sent_file_by_file_and_once_more_after_a_crash_is_taken_once(school: School) -> None:
    batch_id = await school.register(15, guest=True)
    path = f"/v1/batches/{batch_id}/files"

    async def send(number: int) -> Any:
        part = ("files", (f"{number:02}.txt", essay("Bo Lindqvist", number)))
        answer = await school.request("POST", "FILE_SERVICE", path, key=f"{batch_id} {number}", files=[part])
        return answer.raise_for_status().json()

    sending = [asyncio.create_task(send(number)) for number in range(15)]
    await wait_until(lambda: any(each.done() for each in sending))
    await school.kill("services.file_service")
    answers = await asyncio.gather(*sending)
    again = await asyncio.gather(*(send(number) for number in range(15)))

    assert again == answers
    stored = await school.get("FILE_SERVICE", path)
    assert sorted(each["original_file_name"] for each in stored) == [f"{number:02}.txt" for number in range(15)]
    batch = await school.until(batch_id, "ready_for_pipeline_execution")
    assert len({each["essay_id"] for each in batch["essays"]}) == 15


@pytest.mark.parametrize(
    "module",
    [
        "services.batch_orchestrator_service",
        "services.essay_lifecycle_service",
        "services.class_management_service",
        "services.student_matching_service",
    ],
)
async def test_a_batch_becomes_ready_although_a_service_is_killed(school: School, module: str) -> None:
    batch_id = await school.register(10)
    await school.upload(batch_id, *(essay("Carla Reyes", number) for number in range(10)))
    await school.kill(module)
    await school.until_asked(batch_id)

    await school.confirm(batch_id)
    await school.kill(module)

    batch = await school.until(batch_id, "ready_for_pipeline_execution")
    assert len(batch["history"]) == 3
