"""Checks of what was said about each batch: every effect once, and all of one mind."""

from collections import Counter
from collections.abc import Callable

from tests.chaos.evidence import Evidence, Said

ONCE: dict[str, Callable[[Said], object]] = {
    "BatchEssaysRegisteredV1": lambda each: each.data["batch_id"],
    "EssaySlotAssignedV1": lambda each: each.data["essay_id"],
    "ExcessContentProvisionedV1": lambda each: each.data["file_upload_id"],
    "BatchContentProvisioningCompletedV1": lambda each: each.data["batch_id"],
    "InitiateStudentMatchingV1": lambda each: each.data["batch_id"],
    "BatchStudentMatchingRequestedV1": lambda each: each.data["batch_id"],
    "StudentValidationRequestedV1": lambda each: each.data["batch_id"],
    "StudentAssociationsConfirmedV1": lambda each: each.data["batch_id"],
    "BatchEssaysReadyV1": lambda each: each.data["batch_id"],
    "BatchReadyForPipelineExecutionV1": lambda each: each.data["batch_id"],
    "BatchContentIngestionFailedV1": lambda each: each.data["batch_id"],
    "BatchCancelledV1": lambda each: each.data["batch_id"],
    "ClassRosterChangedV1": lambda each: (each.data["class_id"], each.data["roster_version"]),
    "EssayContentProvisionedV1": lambda each: (each.source, each.data["file_upload_id"]),
    "EssayValidationFailedV1": lambda each: (each.source, each.data["file_upload_id"]),
}
"""What may be said once, and about what."""


def every_effect_once(evidence: Evidence) -> list[str]:
    """Nothing that happens once is said under two ids."""
    found = []
    for kind, subject in ONCE.items():
        counts = Counter(subject(each) for each in evidence.events(kind))
        found += [f"{kind} was said {count} times about {what}" for what, count in counts.items() if count > 1]
    uploads = Counter(each.data["file_upload_id"] for each in evidence.events("EssaySlotAssignedV1"))
    return found + [f"upload {upload} got {count} slots" for upload, count in uploads.items() if count > 1]


def slots_agree_with_what_was_said(evidence: Evidence) -> list[str]:
    """The lifecycle's slots are as many as registered, none shared, and exactly those announced."""
    slots = evidence.rows("essay_lifecycle_service", "slots")
    assigned = {str(each["essay_id"]): str(each["file_upload_id"]) for each in slots if each["state"] == "assigned"}
    announced = {each.data["essay_id"]: each.data["file_upload_id"] for each in evidence.events("EssaySlotAssignedV1")}
    found = [
        f"slot {essay_id} has {assigned.get(essay_id)}, announced was {announced.get(essay_id)}"
        for essay_id in assigned.keys() | announced.keys()
        if assigned.get(essay_id) != announced.get(essay_id)
    ]
    texts = Counter((each["batch_id"], each["text_storage_id"]) for each in slots if each["text_storage_id"])
    found += [f"text {text} has {count} slots of batch {batch}" for (batch, text), count in texts.items() if count > 1]
    sizes = Counter(str(each["batch_id"]) for each in slots)
    for batch_id, asked in evidence.journal.batches.items():
        if asked.registered and sizes[batch_id] != asked.expected:
            found.append(f"batch {batch_id} has {sizes[batch_id]} slots, {asked.expected} were asked for")
    return found


def slots_are_taken_in_upload_order(evidence: Evidence) -> list[str]:
    """Contents that came by one topic are decided in the order in which they stand there."""
    found = []
    decided = evidence.by_batch("EssaySlotAssignedV1", "ExcessContentProvisionedV1")
    for batch_id, contents in evidence.by_batch("EssayContentProvisionedV1").items():
        for topic in ("file-service", "upstream"):
            uploads = [each.data["file_upload_id"] for each in contents if each.topic == topic]
            order = [each.data["file_upload_id"] for each in decided.get(batch_id, ())]
            if [each for each in order if each in uploads] != [each for each in uploads if each in order]:
                found.append(f"batch {batch_id}: contents of {topic} were decided in another order than they came")
    return found


def every_accepted_file_is_decided(evidence: Evidence) -> list[str]:
    """Each file that was answered with 202, or published outside, is assigned, excess or failed: one of them."""
    outcomes: dict[str, list[str]] = {}
    for event in evidence.events("EssaySlotAssignedV1", "ExcessContentProvisionedV1"):
        outcomes.setdefault(event.data["file_upload_id"], []).append(event.type)
    uploads = evidence.rows("essay_lifecycle_service", "uploads")
    for row in uploads:
        if row["outcome"] == "failed":
            outcomes.setdefault(str(row["file_upload_id"]), []).append("failed")
    found = [
        f"upload {upload} of batch {batch_id} came out as {outcomes.get(upload, 'nothing')}"
        for batch_id, asked in evidence.journal.batches.items()
        for upload in (asked.uploads if asked.registered else ())
        if len(outcomes.get(upload, ())) != 1
    ]
    received = [row for row in evidence.rows("file_service", "uploads") if row["state"] == "received"]
    return found + [f"file {row['file_upload_id']} was never read" for row in received]


def answered_decisions_stand(evidence: Evidence) -> list[str]:
    """What a teacher decided and was answered 200 for is what was confirmed."""
    found = []
    for batch_id, confirmed in evidence.by_batch("StudentAssociationsConfirmedV1").items():
        asked = evidence.journal.batches.get(batch_id)
        final = {each["essay_id"]: each["student_id"] for each in confirmed[0].data["associations"]}
        for essay, student in (asked.decisions if asked else {}).items():
            if final.get(essay, "not in the list") != student:
                found.append(f"batch {batch_id}, essay {essay}: decided {student}, confirmed {final.get(essay)}")
    return found
