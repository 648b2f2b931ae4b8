"""kill -9 of a service in the middle of its work loses nothing."""

import pytest

from tests.integration.end_to_end.school import School, essay


async def test_a_crash_of_the_file_service_after_the_202_loses_no_file(school: School) -> None:
    batch_id = await school.register(30)
    await school.upload(batch_id, *(essay("Bo Lindqvist", number) for number in range(30)))

    await school.kill("services.file_service")

    assert len(await school.until_asked(batch_id)) == 30


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
