"""What a teacher does is one trace, through outbox, Kafka, handlers, timers and jobs of every service."""

from itertools import pairwise
from uuid import uuid4

from service_runtime.testing import wait_until

from tests.integration.end_to_end.collector import Collected, Collector
from tests.integration.end_to_end.school import School, essay

UPLOADED = [
    "file-service: POST /v1/batches/{batch_id}/files",
    "file-service: prepare extract",
    "file-service: timer extract",
    "file-service: publish EssayContentProvisionedV1",
    "essay-lifecycle: handle EssayContentProvisionedV1",
    "essay-lifecycle: publish BatchContentProvisioningCompletedV1",
    "batch-orchestrator: handle BatchContentProvisioningCompletedV1",
    "batch-orchestrator: publish InitiateStudentMatchingV1",
    "essay-lifecycle: handle InitiateStudentMatchingV1",
    "essay-lifecycle: publish BatchStudentMatchingRequestedV1",
    "student-matching: handle BatchStudentMatchingRequestedV1",
    "student-matching: prepare match",
    "student-matching: timer match",
    "student-matching: publish BatchAuthorMatchesSuggestedV1",
    "class-management: handle BatchAuthorMatchesSuggestedV1",
    "class-management: publish StudentValidationRequestedV1",
]


def titles(spans: list[Collected]) -> dict[str, str]:
    """The title of each span by its id."""
    return {each.id: f"{each.service}: {each.name}" for each in spans}


async def traced(collector: Collector, trace: str, last: str) -> list[Collected]:
    """A trace, once this span and the parents of all are there; else AssertionError with what came instead."""

    def complete() -> list[Collected]:
        spans = collector.of(trace)
        known = {each.id for each in spans}
        roots = {each.parent for each in spans} - known
        return spans if last in titles(spans).values() and len(roots) == 1 else []

    try:
        return await wait_until(complete, 30)
    except AssertionError as error:
        error.add_note("\n".join(map(str, collector.of(trace))))
        raise


async def heard(collector: Collector, service: str, kind: str, key: str) -> None:
    """Wait until this service has handled this event: what it said of its own is told by another trace."""

    def handled() -> bool:
        return any(
            (each.service, each.name, each.attributes.get("key")) == (service, f"handle {kind}", key)
            for each in collector.spans
        )

    await wait_until(handled, 30)


async def test_an_upload_is_one_trace_through_all_five_services(school: School, collector: Collector) -> None:
    batch_id = await school.register(1)
    # Whichever of two events comes last causes what needs both: here that shall be the upload.
    await heard(collector, "essay-lifecycle", "BatchEssaysRegisteredV1", batch_id)
    await heard(collector, "student-matching", "ClassRosterChangedV1", school.class_id)
    trace, caller = uuid4().hex, uuid4().hex[:16]
    school.http.headers["traceparent"] = f"00-{trace}-{caller}-01"
    await school.upload(batch_id, essay("Bo Lindqvist"))
    del school.http.headers["traceparent"]
    await school.until_asked(batch_id)

    spans = await traced(collector, trace, UPLOADED[-1])

    title = titles(spans)
    parents = {title[each.id]: title.get(each.parent, each.parent) for each in spans}
    assert set(UPLOADED) <= set(parents)
    assert parents[UPLOADED[0]] == caller
    for before, after in pairwise(UPLOADED):
        # A job and its decision are both children of who set the timer.
        assert parents[after] == (parents[before] if ": timer " in after else before)
    assert len({each.attributes["correlation_id"] for each in spans}) == 1


async def test_what_a_teacher_does_next_is_another_trace(school: School, collector: Collector) -> None:
    batch_id = await school.register(1)
    await school.upload(batch_id, essay("Bo Lindqvist"))
    await school.until_asked(batch_id)
    await school.confirm(batch_id)
    await school.until(batch_id, "ready_for_pipeline_execution")

    def of_batch(name: str) -> list[Collected]:
        return [each for each in collector.spans if each.name == name and each.attributes.get("key") == batch_id]

    (suggested,) = await wait_until(lambda: of_batch("handle BatchAuthorMatchesSuggestedV1"))
    (ready,) = await wait_until(lambda: of_batch("publish BatchReadyForPipelineExecutionV1"))
    assert suggested.trace != ready.trace
    await traced(collector, ready.trace, "class-management: POST /v1/batches/{batch_id}/student-associations/confirm")


async def test_who_asks_whether_a_service_lives_leaves_no_span(school: School, collector: Collector) -> None:
    await school.get("FILE_SERVICE", "/readyz")
    await school.register(1)

    await wait_until(lambda: [each for each in collector.spans if each.name == "POST /v1/batches"])
    assert not [each for each in collector.spans if "readyz" in each.name or "healthz" in each.name]
