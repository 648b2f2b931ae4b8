"""Checks of the log against the outbox: lost, invented, changed, out of order."""

from collections import defaultdict
from itertools import pairwise

from tests.chaos.evidence import TOPICS, Evidence, Row, Said

ROSTER = "ClassRosterChangedV1"
HEARS = {
    "batch_orchestrator_service": {
        "RegisterBatchV1",
        "BatchContentProvisioningCompletedV1",
        "StudentAssociationsConfirmedV1",
        "BatchEssaysReadyV1",
        ROSTER,
    },
    "essay_lifecycle_service": {
        "BatchEssaysRegisteredV1",
        "EssayContentProvisionedV1",
        "EssayValidationFailedV1",
        "InitiateStudentMatchingV1",
        "StudentAssociationsConfirmedV1",
        "BatchCancelledV1",
    },
    "class_management_service": {
        "BatchStudentMatchingRequestedV1",
        "BatchAuthorMatchesSuggestedV1",
        "BatchCancelledV1",
    },
    "student_matching_service": {
        "BatchStudentMatchingRequestedV1",
        "StudentAssociationsConfirmedV1",
        "BatchCancelledV1",
        ROSTER,
    },
    "file_service": {"BatchEssaysRegisteredV1", "BatchCancelledV1"},
}
"""Who must take in what, from interfaces.md."""


def everything_committed_is_published(evidence: Evidence) -> list[str]:
    """Every row that was ever committed to an outbox stands in its topic."""
    said = {(each.topic, each.id): each for each in evidence.records}
    return [
        f"{database}: {row['type']} {row['event_id']} of key {row['key']} was committed and never published"
        for database in TOPICS.values()
        for row in evidence.rows(database, "chaos_outbox_journal")
        if (row["topic"], str(row["event_id"])) not in said
    ]


def nothing_else_is_published(evidence: Evidence) -> list[str]:
    """Every record was committed to the outbox of the service the topic belongs to."""
    committed = {topic: _committed(evidence, topic) for topic in TOPICS}
    return [
        f"{_place(each)}: {each.type} {each.id} was published and never committed"
        for each in evidence.records
        if each.topic in TOPICS and each.id not in committed[each.topic]
    ]


def one_id_is_one_content(evidence: Evidence) -> list[str]:
    """All records of one (source, id) are equal, and are what was committed."""
    found = []
    for record in evidence.records:
        first = evidence.first[record.source, record.id]
        said = (record.topic, record.partition, record.key, record.headers, record.value)
        if said != (first.topic, first.partition, first.key, first.headers, first.value):
            found.append(f"{_place(record)}: {record.type} {record.id} differs from {_place(first)}")
    for topic in TOPICS:
        committed = _committed(evidence, topic)
        for record in evidence.records:
            row = committed.get(record.id)
            if record.topic == topic and row is not None and _differs(record, row):
                found.append(f"{_place(record)}: {record.type} {record.id} is not what was committed")
    return found


def first_publications_are_in_recorded_order(evidence: Evidence) -> list[str]:
    """For each (topic, key), in one partition, events stand for the first time in the order of their recording."""
    found = []
    queues: dict[tuple[str, str], list[Said]] = defaultdict(list)
    for record in evidence.first.values():
        if record.topic in TOPICS:
            queues[record.topic, record.key].append(record)
    committed = {topic: _committed(evidence, topic) for topic in TOPICS}
    for (topic, key), records in queues.items():
        if len({each.partition for each in records}) > 1:
            found.append(f"{topic}: key {key} stands in several partitions")
        positions = [(committed[topic][each.id]["position"], each) for each in records if each.id in committed[topic]]
        for (before, earlier), (after, later) in pairwise(positions):
            if after < before:
                found.append(f"{topic}, key {key}: {later.type} (recorded {after}) after {earlier.type} ({before})")
    return found


def every_cause_was_said(evidence: Evidence) -> list[str]:
    """A causation id is the id of a message that stands in a topic."""
    known = {each.id for each in evidence.records}
    causes = ((each, each.attributes.get("causationid")) for each in evidence.first.values() if each.topic in TOPICS)
    return [
        f"{_place(each)}: {each.type} {each.id} is caused by {cause}, which nobody said"
        for each, cause in causes
        if cause is not None and cause not in known
    ]


def every_message_is_in_the_inbox(evidence: Evidence) -> list[str]:
    """No message was passed over: each service has seen every message of the types it handles."""
    found = []
    for database, types in HEARS.items():
        seen = {(row["source"], row["event_id"]) for row in evidence.rows(database, "inbox")}
        found += [
            f"{database} has never taken in {each.type} {each.id} at {_place(each)}"
            for each in evidence.events(*types)
            if (each.source, each.id) not in seen
        ]
    return found


def _committed(evidence: Evidence, topic: str) -> dict[str, Row]:
    rows = evidence.rows(TOPICS[topic], "chaos_outbox_journal")
    return {str(row["event_id"]): row for row in rows if row["topic"] == topic}


def _differs(record: Said, row: Row) -> bool:
    attributes = record.attributes
    said = (record.type, record.key, record.value, attributes.get("correlationid"), attributes.get("causationid"))
    return said != (row["type"], row["key"], row["data"], row["correlation_id"], row["causation_id"])


def _place(record: Said) -> str:
    return f"{record.topic}/{record.partition}@{record.offset}"
