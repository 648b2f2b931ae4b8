"""The chaos checker finds nothing in a sound history, and each lie by the check that is there for it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from tests.chaos.checker import CHECKS, violations
from tests.chaos.evidence import RUNTIME_TABLES, TABLES, TOPICS, Evidence, Said
from tests.chaos.journal import AskedBatch, Journal
from tests.chaos.log import HEARS

BATCH, CLASS, ESSAY, UPLOAD, STUDENT = (str(uuid4()) for _ in range(5))
WAY = [
    "awaiting_content_validation",
    "awaiting_student_validation",
    "student_validation_completed",
    "ready_for_pipeline_execution",
]
HISTORY: list[tuple[str, str, dict[str, Any]]] = [
    ("class-management", "ClassRosterChangedV1", {"class_id": CLASS, "roster_version": 1}),
    ("batch-orchestrator", "BatchEssaysRegisteredV1", {}),
    ("file-service", "EssayContentProvisionedV1", {"file_upload_id": UPLOAD}),
    ("file-service", "EssayContentProvisionedV1", {"file_upload_id": "surplus"}),
    ("essay-lifecycle", "EssaySlotAssignedV1", {"essay_id": ESSAY, "file_upload_id": UPLOAD}),
    ("essay-lifecycle", "BatchContentProvisioningCompletedV1", {}),
    ("essay-lifecycle", "ExcessContentProvisionedV1", {"file_upload_id": "surplus"}),
    ("batch-orchestrator", "InitiateStudentMatchingV1", {}),
    ("essay-lifecycle", "BatchStudentMatchingRequestedV1", {}),
    ("student-matching", "BatchAuthorMatchesSuggestedV1", {}),
    ("class-management", "StudentValidationRequestedV1", {}),
    (
        "class-management",
        "StudentAssociationsConfirmedV1",
        {"associations": [{"essay_id": ESSAY, "student_id": STUDENT}]},
    ),
    ("essay-lifecycle", "BatchEssaysReadyV1", {}),
    (
        "batch-orchestrator",
        "BatchReadyForPipelineExecutionV1",
        {"essays": [{"essay_id": ESSAY, "student_id": STUDENT}]},
    ),
]


def said(topic: str, kind: str, data: Mapping[str, Any], offset: int, cause: str | None) -> Said:
    """A record in binary mode."""
    event_id, key = str(uuid4()), str(data.get("batch_id", data.get("class_id")))
    attributes = {"id": event_id, "source": f"/{topic}", "type": kind, "correlationid": "c"}
    attributes |= {"causationid": cause} if cause else {}
    headers = tuple((f"ce_{name}", value.encode()) for name, value in attributes.items())
    return Said(topic, 0, offset, key, headers, json.dumps(data).encode(), f"/{topic}", event_id, kind, data)


def committed(record: Said, position: int) -> dict[str, Any]:
    """The outbox row behind a record."""
    attributes = record.attributes
    row = {"position": position, "event_id": record.id, "type": record.type, "topic": record.topic, "key": record.key}
    about = {"correlation_id": "c", "causation_id": attributes.get("causationid"), "data": record.value}
    return {**row, **about}


def sound() -> Evidence:
    """A REGULAR batch on its way to READY, with one file too many."""
    records: list[Said] = []
    for offset, (topic, kind, data) in enumerate(HISTORY):
        about = data if "class_id" in data else {"batch_id": BATCH, **data}
        records.append(said(topic, kind, about, offset, records[-1].id if records else None))
    databases: dict[str, dict[str, list[Any]]] = {
        name: {table: [] for table in (*RUNTIME_TABLES, *TABLES[name])} for name in TOPICS.values()
    }
    for record in records:
        databases[TOPICS[record.topic]]["chaos_outbox_journal"].append(committed(record, record.offset))
        for name, types in HEARS.items():
            if record.type in types:
                databases[name]["inbox"].append({"source": record.source, "event_id": record.id})
    moves = [{"from_status": before, "to_status": after} for before, after in pairwise(WAY)]
    batch = {"batch_id": BATCH, "class_id": CLASS, "status": WAY[-1], "history": moves}
    slot = {"essay_id": ESSAY, "batch_id": BATCH, "state": "assigned", "file_upload_id": UPLOAD, "text_storage_id": "t"}
    databases["batch_orchestrator_service"]["batches"].append(batch)
    databases["essay_lifecycle_service"]["slots"].append(slot)
    asked = AskedBatch(BATCH, CLASS, 1, registered=True, ends=[WAY[-1]], uploads=[UPLOAD, "surplus"])
    asked.decisions = {ESSAY: STUDENT}
    return Evidence(records, databases, Journal(batches={BATCH: asked}))


def index(evidence: Evidence, kind: str) -> int:
    return next(number for number, record in enumerate(evidence.records) if record.type == kind)


def lost(evidence: Evidence) -> None:
    del evidence.records[index(evidence, "StudentValidationRequestedV1")]


def invented(evidence: Evidence) -> None:
    evidence.records.append(said("student-matching", "BatchAuthorMatchesSuggestedV1", {"batch_id": BATCH}, 99, None))


def changed_on_the_way(evidence: Evidence) -> None:
    evidence.records.append(replace(evidence.records[0], offset=99, value=b"{}"))


def overtaken(evidence: Evidence) -> None:
    rows = evidence.rows("essay_lifecycle_service", "chaos_outbox_journal")
    rows[1] = {**rows[1], "position": 98}


def without_a_cause(evidence: Evidence) -> None:
    found = index(evidence, "StudentValidationRequestedV1")
    headers = tuple(
        (name, b"nobody" if name == "ce_causationid" else value) for name, value in evidence.records[found].headers
    )
    evidence.records[found] = replace(evidence.records[found], headers=headers)


def passed_over(evidence: Evidence) -> None:
    evidence.databases["file_service"]["inbox"].clear()


def said_twice(evidence: Evidence) -> None:
    again = said("batch-orchestrator", "BatchReadyForPipelineExecutionV1", evidence.records[-1].data, 99, None)
    evidence.records.append(again)
    evidence.databases["batch_orchestrator_service"]["chaos_outbox_journal"].append(committed(again, 99))


def shared_slot(evidence: Evidence) -> None:
    slots = evidence.databases["essay_lifecycle_service"]["slots"]
    slots[0] = {**slots[0], "file_upload_id": "another"}


def another_order(evidence: Evidence) -> None:
    first, second = (number for number, each in enumerate(evidence.records) if each.topic == "file-service")
    records = evidence.records
    records[first], records[second] = records[second], records[first]


def undecided_file(evidence: Evidence) -> None:
    evidence.journal.batches[BATCH].uploads.append("vanished")


def forgotten_decision(evidence: Evidence) -> None:
    evidence.journal.batches[BATCH].decisions[ESSAY] = None


def two_answers(evidence: Evidence) -> None:
    evidence.journal.wrong_answers.append("the same key, another answer")


def wrong_end(evidence: Evidence) -> None:
    evidence.journal.batches[BATCH].ends = ["cancelled"]


def gap_in_the_history(evidence: Evidence) -> None:
    batches = evidence.databases["batch_orchestrator_service"]["batches"]
    batches[0] = {**batches[0], "history": batches[0]["history"][1:]}


def timer_left(evidence: Evidence) -> None:
    evidence.databases["class_management_service"]["timers"].append({"name": "d", "attempts": 0, "last_error": None})


def dead_letter(evidence: Evidence) -> None:
    row = {"state": "dead", "source": "/s", "event_id": "1", "type": "T", "reason": "bug", "error": "why"}
    evidence.databases["file_service"]["parked_messages"].append(row)


LIES: dict[str, Callable[[Evidence], None]] = {
    "published": lost,
    "committed": invented,
    "one content": changed_on_the_way,
    "order": overtaken,
    "causes": without_a_cause,
    "taken in": passed_over,
    "effects once": said_twice,
    "slots": shared_slot,
    "upload order": another_order,
    "files": undecided_file,
    "decisions": forgotten_decision,
    "answers": two_answers,
    "end state": wrong_end,
    "history": gap_in_the_history,
    "nothing left": timer_left,
    "dead letters": dead_letter,
}


def test_a_sound_history_has_no_violations() -> None:
    found = violations(sound())

    assert {check: each for check, each in found.items() if each} == {}


def test_every_check_has_a_lie() -> None:
    assert LIES.keys() == CHECKS.keys()


@pytest.mark.parametrize("check", LIES)
def test_a_lie_is_seen(check: str) -> None:
    evidence = sound()

    LIES[check](evidence)

    seen = violations(Evidence(evidence.records, evidence.databases, evidence.journal))
    assert seen[check]
