"""Checks of how things stand at the end: states, histories, and that nothing is left lying about."""

import json
from collections import Counter, defaultdict
from itertools import pairwise

from tests.chaos.evidence import TOPICS, Evidence, Row, Said

CONTENT, STUDENTS = "awaiting_content_validation", "awaiting_student_validation"
VALIDATED, READY = "student_validation_completed", "ready_for_pipeline_execution"
FAILED, CANCELLED = "content_ingestion_failed", "cancelled"
LONG_WAY = [CONTENT, STUDENTS, VALIDATED, READY]
WAYS = {
    (READY, False): [[CONTENT, READY]],
    (READY, True): [LONG_WAY],
    (FAILED, False): [[CONTENT, FAILED]],
    (FAILED, True): [[CONTENT, FAILED]],
    (CANCELLED, False): [[CONTENT, CANCELLED]],
    (CANCELLED, True): [[*LONG_WAY[:count], CANCELLED] for count in (1, 2, 3)],
}
"""By end state, and whether the batch has a class."""
SAID = {
    READY: "BatchReadyForPipelineExecutionV1",
    FAILED: "BatchContentIngestionFailedV1",
    CANCELLED: "BatchCancelledV1",
}


def every_batch_is_in_its_end_state(evidence: Evidence) -> list[str]:
    """The state is one the teacher's wishes allow, the same everywhere, and said once."""
    found = []
    rows = {str(row["batch_id"]): row for row in evidence.rows("batch_orchestrator_service", "batches")}
    said = {status: evidence.by_batch(kind) for status, kind in SAID.items()}
    for batch_id, asked in evidence.journal.batches.items():
        if not asked.registered:
            continue
        status = rows[batch_id]["status"] if batch_id in rows else "unknown"
        if status not in asked.ends:
            found.append(f"batch {batch_id} is {status}; allowed: {', '.join(asked.ends)}; {asked.gave_up or ''}")
        for other, by_batch in said.items():
            if (batch_id in by_batch) != (other == status):
                found.append(f"batch {batch_id} is {status}, and {SAID[other]}: {len(by_batch.get(batch_id, ()))}")
    wanted = defaultdict(set)
    for slot in evidence.rows("essay_lifecycle_service", "slots"):
        if slot["text_storage_id"]:
            wanted[str(slot["batch_id"])].add(str(slot["essay_id"]))
    confirmed = evidence.by_batch("StudentAssociationsConfirmedV1")
    for batch_id, ready in said[READY].items():
        found += _essays_differ(batch_id, ready[0], wanted[batch_id], confirmed.get(batch_id, []))
    return found


def _essays_differ(batch_id: str, ready: Said, wanted: set[str], confirmations: list[Said]) -> list[str]:
    """READY carries exactly the essays of the slots, with the students that were confirmed."""
    essays = {each["essay_id"]: each.get("student_id") for each in ready.data["essays"]}
    found = []
    if essays.keys() != wanted:
        found.append(f"batch {batch_id} is ready with {len(essays)} essays, its slots have {len(wanted)}")
    for confirmed in confirmations:
        students = {each["essay_id"]: each["student_id"] for each in confirmed.data["associations"]}
        if students != essays:
            found.append(f"batch {batch_id} is ready with other students than confirmed")
    return found


def every_batch_came_its_way(evidence: Evidence) -> list[str]:
    """The recorded history is one of the ways to this state, without a gap."""
    found = []
    for row in evidence.rows("batch_orchestrator_service", "batches"):
        moves = _json(row["history"])
        way = [moves[0]["from_status"] if moves else CONTENT, *(move["to_status"] for move in moves)]
        chained = all(before["to_status"] == after["from_status"] for before, after in pairwise(moves))
        if row["status"] in SAID and (not chained or way not in WAYS[row["status"], row["class_id"] is not None]):
            found.append(f"batch {row['batch_id']} is {row['status']} by the way {' > '.join(way)}")
    return found


def nothing_is_left_over(evidence: Evidence) -> list[str]:
    """No outbox row, no message that waits or fails, no timer."""
    found = []
    for database in TOPICS.values():
        left: Counter[str] = Counter()
        for row in evidence.rows(database, "outbox"):
            left[f"outbox: {row['type']}"] += 1
        for row in evidence.rows(database, "parked_messages"):
            if row["state"] != "dead":
                left[f"parked: {row['type']} {row['state']} {row['reason']} ({row['error'][:100]})"] += 1
        for row in evidence.rows(database, "timers"):
            left[f"timer: {row['name']} attempts {row['attempts']} ({row['last_error']})"] += 1
        found += [f"{database}: {count} of {what}" for what, count in left.items()]
    return found


def only_what_was_provoked_is_dead(evidence: Evidence) -> list[str]:
    """Each provoked message is a dead letter, once, and no other message is."""
    provoked = {tuple(each) for each in evidence.journal.provoked}
    dead = Counter(
        (database, row["source"], row["event_id"])
        for database in TOPICS.values()
        for row in evidence.rows(database, "parked_messages")
        if row["state"] == "dead"
    )
    found = [f"provoked and not dead: {each}" for each in provoked if each not in dead]
    found += [f"dead {count} times: {each}" for each, count in dead.items() if count > 1]
    return found + [f"dead and not provoked: {_why(evidence, *each)}" for each in dead if each not in provoked]


def _why(evidence: Evidence, database: str, source: str, event_id: str) -> str:
    rows = evidence.rows(database, "parked_messages")
    row = next(row for row in rows if (row["source"], row["event_id"]) == (source, event_id))
    return f"{database} {row['type']} {source} {event_id}: {row['reason']} {row['error'][:200]}"


def _json(value: object) -> list[Row]:
    found: list[Row] = json.loads(value) if isinstance(value, str) else value  # type: ignore[assignment]  # JSONB
    return found
