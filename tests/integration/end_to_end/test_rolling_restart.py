"""Every service is restarted, one after the other, while teachers work: they notice nothing but closed connections."""

import asyncio
from itertools import count

import httpx

from tests.integration.end_to_end.school import School, essay, moves
from tests.integration.end_to_end.test_regular_batch import WHOLE_WAY

SERVICES = {
    "BATCH_ORCHESTRATOR": "services.batch_orchestrator_service",
    "ESSAY_LIFECYCLE": "services.essay_lifecycle_service",
    "CLASS_MANAGEMENT": "services.class_management_service",
    "STUDENT_MATCHING": "services.student_matching_service",
    "FILE_SERVICE": "services.file_service",
}
AT_ONCE = 3


async def test_a_rolling_restart_under_load_fails_no_request_and_loses_no_batch(school: School) -> None:
    failed: list[str] = []

    async def note(response: httpx.Response) -> None:
        if response.is_server_error and not response.request.url.path.startswith("/readyz"):
            failed.append(f"{response.request.method} {response.request.url}: {response.status_code}")

    school.http.event_hooks["response"].append(note)
    over = asyncio.Event()
    teachers = [asyncio.create_task(work(school, over)) for _ in range(AT_ONCE)]

    for name, module in SERVICES.items():
        await school.restart(module)
        await school.get(name, "/readyz")
    over.set()
    batches = [batch for done in await asyncio.gather(*teachers) for batch in done]

    assert failed == []
    assert len(batches) >= AT_ONCE
    assert [moves(await school.batch(batch_id)) for batch_id in batches] == [WHOLE_WAY] * len(batches)


async def work(school: School, over: asyncio.Event) -> list[str]:
    """Take one batch after the other all the way; their ids."""
    ready = []
    for number in count():
        if over.is_set():
            break
        batch_id = await school.register(1)
        await school.upload(batch_id, essay("Bo Lindqvist", number))
        await school.until_asked(batch_id)
        await school.confirm(batch_id)
        await school.until(batch_id, "ready_for_pipeline_execution")
        ready.append(batch_id)
    return ready
