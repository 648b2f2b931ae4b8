"""Every event as other people's programs see it: the exact JSON, what may be missing, and what is never let in."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any
from uuid import UUID

import common_core.events
import pytest
from common_core.events import Event, StudentSuggestion, Topic
from pydantic import ValidationError

ID = "0190f5f0-0000-7000-8000-000000000001"
TIME = "2026-03-01T08:30:00Z"

# Written from the specification: publisher, type, fields; `?` may be missing.
SPECIFIED = """
upstream           RegisterBatchV1                     batch_id teacher_id course_code expected_essay_count class_id? assignment?
batch-orchestrator BatchEssaysRegisteredV1             batch_id teacher_id course_code class_id? assignment? expected_essay_count essay_ids
batch-orchestrator InitiateStudentMatchingV1           batch_id class_id course_code teacher_id essays
batch-orchestrator BatchReadyForPipelineExecutionV1    batch_id course_code teacher_id class_id? essays
batch-orchestrator BatchContentIngestionFailedV1       batch_id teacher_id reason
batch-orchestrator BatchCancelledV1                    batch_id teacher_id cancelled_by
batch-orchestrator BatchRetentionEndedV1               batch_id data
batch-orchestrator StudentErasedFromBatchesV1          erasure_id class_id student_id erased
file-service       EssayContentProvisionedV1           batch_id file_upload_id original_file_name text_storage_id raw_file_storage_id? file_size_bytes content_sha256?
file-service       EssayValidationFailedV1             batch_id file_upload_id original_file_name error_code error_detail file_size_bytes raw_file_storage_id?
file-service       StudentErasedFromFilesV1            erasure_id class_id student_id erased
essay-lifecycle    EssaySlotAssignedV1                 batch_id essay_id file_upload_id text_storage_id original_file_name
essay-lifecycle    ExcessContentProvisionedV1          batch_id file_upload_id text_storage_id original_file_name reason
essay-lifecycle    BatchContentProvisioningCompletedV1 batch_id class_id? course_code teacher_id expected_count provisioned_count failed_count essays
essay-lifecycle    BatchStudentMatchingRequestedV1     batch_id class_id course_code teacher_id essays
essay-lifecycle    BatchEssaysReadyV1                  batch_id course_code class_type ready_essays
essay-lifecycle    StudentErasedFromSlotsV1            erasure_id class_id student_id erased
class-management   ClassRosterChangedV1                class_id class_name course_code teacher_id roster_version students
class-management   StudentValidationRequestedV1        batch_id class_id teacher_id deadline suggested_count unmatched_count
class-management   StudentAssociationsConfirmedV1      batch_id class_id course_code associations timeout_triggered validation_summary
class-management   StudentErasureRequestedV1           erasure_id class_id student_id roster_version essays
class-management   StudentDataErasedV1                 erasure_id class_id student_id
student-matching   BatchAuthorMatchesSuggestedV1       batch_id class_id course_code teacher_id results
student-matching   StudentErasedFromMatchingV1         erasure_id class_id student_id erased
"""  # noqa: E501  A table is read row by row.
ALSO_FROM_OUTSIDE = {"EssayContentProvisionedV1", "EssayValidationFailedV1", "BatchAuthorMatchesSuggestedV1"}
FIELDS = {name: fields for _, name, *fields in (line.split() for line in SPECIFIED.strip().splitlines())}
TOPICS = {name: topic for topic, name, *_ in (line.split() for line in SPECIFIED.strip().splitlines())}

ESSAY = {"essay_id": ID, "text_storage_id": "sha256:ab12", "original_file_name": "Åsa Öberg – uppsats.docx"}
STUDENT = {
    "student_id": ID,
    "first_name": "Åsa",
    "last_name": "Öberg",
    "legal_full_name": "Åsa Öberg",
    "email": "a@b.se",
}
SUGGESTION = {
    "student_id": ID,
    "student_name": "Åsa Öberg",
    "confidence_score": 0.95,
    "confidence_level": "high",
    "match_reasons": ["full name in the first line"],
    "evidence": [{"found": "Åsa Öberg", "where": "first line"}],
}
ASSOCIATION = {
    "essay_id": ID,
    "student_id": ID,
    "status": "confirmed",
    "confidence_score": 0.95,
    "validation_method": "human",
    "validated_by": "teacher-1",
    "validated_at": TIME,
}
EXAMPLES: dict[str, Any] = {
    "batch_id": ID,
    "class_id": ID,
    "essay_id": ID,
    "erasure_id": ID,
    "student_id": ID,
    "file_upload_id": ID,
    "teacher_id": "teacher-1",
    "course_code": "SV1",
    "class_type": "REGULAR",
    "class_name": "Sv 1 A",
    "expected_essay_count": 2,
    "essay_ids": [ID, "0190f5f0-0000-7000-8000-000000000002"],
    "assignment": "Skriv om hösten.",
    "essays": [ESSAY],
    "ready_essays": [ESSAY],
    "original_file_name": "Åsa Öberg – uppsats.docx",
    "text_storage_id": "sha256:ab12",
    "raw_file_storage_id": "raw:cd34",
    "file_size_bytes": 5_000_000_000,
    "content_sha256": "ab12",
    "error_code": "empty_content",
    "error_detail": "The file has no text.",
    "expected_count": 2,
    "provisioned_count": 1,
    "failed_count": 1,
    "roster_version": 3,
    "students": [STUDENT],
    "deadline": TIME,
    "suggested_count": 1,
    "unmatched_count": 0,
    "associations": [ASSOCIATION],
    "timeout_triggered": False,
    "validation_summary": {"human": 1, "timeout": 0, "auto": 0},
    "results": [{**ESSAY, "suggestions": [SUGGESTION], "no_match_reason": "ambiguous"}],
    "cancelled_by": "teacher-1",
    "reason": "no file became an essay",
    "data": "texts",
    "erased": 2,
}
PARTICULAR: dict[tuple[str, str], Any] = {
    ("ExcessContentProvisionedV1", "reason"): "duplicate_content",
    ("BatchReadyForPipelineExecutionV1", "essays"): [{**ESSAY, "student_id": ID}],
    ("StudentErasureRequestedV1", "essays"): [{"batch_id": ID, "essay_id": ID, "text_storage_id": "sha256:ab12"}],
}
OPTIONAL_PARTS = [
    ("ClassRosterChangedV1", ("students", 0, "legal_full_name")),
    ("ClassRosterChangedV1", ("students", 0, "email")),
    ("StudentAssociationsConfirmedV1", ("associations", 0, "student_id")),
    ("StudentAssociationsConfirmedV1", ("associations", 0, "confidence_score")),
    ("StudentAssociationsConfirmedV1", ("associations", 0, "validated_by")),
    ("BatchAuthorMatchesSuggestedV1", ("results", 0, "no_match_reason")),
    ("BatchAuthorMatchesSuggestedV1", ("results", 0, "suggestions", 0, "evidence")),
    ("BatchReadyForPipelineExecutionV1", ("essays", 0, "student_id")),
    *((name, (field[:-1],)) for name, fields in FIELDS.items() for field in fields if field.endswith("?")),
]

type Place = tuple[str | int, ...]

every_event = pytest.mark.parametrize("name", FIELDS)


def example(name: str) -> dict[str, Any]:
    """The data of an event with every field given."""
    fields = [field.rstrip("?") for field in FIELDS[name]]
    return deepcopy({field: PARTICULAR.get((name, field), EXAMPLES[field]) for field in fields})


def read(name: str, data: object) -> Event:
    return Event.types[name].model_validate_json(json.dumps(data))


def places(data: Any, here: Place = ()) -> Iterator[Place]:
    """Where something stands in the data: every field and every entry of a list, at any depth."""
    steps = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, value in steps:
        yield (*here, step)
        yield from places(value, (*here, step))


def at(data: Any, place: Place) -> Any:
    for step in place:
        data = data[step]
    return data


def with_value(data: Any, place: Place, value: object) -> Any:
    """The same data, with another value in one place."""
    copy = deepcopy(data)
    at(copy, place[:-1])[place[-1]] = value
    return copy


def without(data: Any, place: Place) -> Any:
    """The same data, with one field missing."""
    copy = deepcopy(data)
    del at(copy, place[:-1])[place[-1]]
    return copy


def is_in_a_list(place: Place) -> bool:
    return isinstance(place[-1], int)


def test_exactly_the_specified_events_exist() -> None:
    ours = {name for name, e in Event.types.items() if e.__module__.startswith("common_core.events.")}
    assert ours == set(FIELDS)
    assert ours <= set(common_core.events.__all__)


@every_event
def test_an_event_stands_on_its_publishers_topic_and_upstream_only_where_specified(name: str) -> None:
    event = Event.types[name]
    assert event.topic == TOPICS[name]
    assert event.topics == ((event.topic, Topic.UPSTREAM) if name in ALSO_FROM_OUTSIDE else (event.topic,))


@every_event
def test_the_key_is_the_batch_or_for_a_roster_the_class_or_the_erasure_of_a_student(name: str) -> None:
    data = example(name)
    data[FIELDS[name][0]] = "0190f5f0-0000-7000-8000-00000000000f"
    key = "class_id" if name == "ClassRosterChangedV1" else "erasure_id" if "Eras" in name else "batch_id"
    assert Event.types[name].key_field == key
    assert read(name, data).key == UUID("0190f5f0-0000-7000-8000-00000000000f")


@every_event
def test_an_event_is_written_exactly_as_specified(name: str) -> None:
    wire = json.dumps(example(name), separators=(",", ":"), ensure_ascii=False)
    assert Event.types[name].model_validate_json(wire).model_dump_json() == wire


@every_event
def test_an_event_survives_the_wire(name: str) -> None:
    event = read(name, example(name))
    assert Event.types[name].model_validate_json(event.model_dump_json()) == event
    assert Event.types[name].model_validate(json.loads(event.model_dump_json())) == event


@pytest.mark.parametrize(("name", "place"), OPTIONAL_PARTS)
def test_what_is_optional_may_be_missing_or_null_and_is_written_as_null(name: str, place: Place) -> None:
    missing = read(name, without(example(name), place))
    null = with_value(example(name), place, None)
    assert missing == read(name, null)
    assert json.loads(missing.model_dump_json()) == null


@every_event
def test_what_is_required_must_be_there_at_any_depth(name: str) -> None:
    optional = [place for owner, place in OPTIONAL_PARTS if owner == name]
    for place in places(example(name)):
        if place in optional or is_in_a_list(place):
            continue
        for broken in (without(example(name), place), with_value(example(name), place, None)):
            with pytest.raises(ValidationError):
                read(name, broken)


@every_event
def test_unknown_fields_are_ignored_at_any_depth(name: str) -> None:
    data = example(name)
    more = deepcopy(data)
    for place in [(), *places(data)]:
        if isinstance(at(more, place), dict):
            at(more, place)["added_later"] = {"anything": [1, None]}
    assert read(name, more) == read(name, data)


@every_event
def test_nothing_postgresql_cannot_store_is_let_in(name: str) -> None:
    texts = [place for place in places(example(name)) if isinstance(at(example(name), place), str)]
    for place in texts:
        for ending in ("\x00", "\ud800"):
            with pytest.raises(ValidationError):
                read(name, with_value(example(name), place, at(example(name), place) + ending))
    counts = [place for place in places(example(name)) if type(at(example(name), place)) is int]
    for place in counts:
        for number in (-1, 2**63):
            with pytest.raises(ValidationError):
                read(name, with_value(example(name), place, number))


@every_event
def test_a_time_without_zone_and_an_id_that_is_no_uuid_are_refused(name: str) -> None:
    for place in places(example(name)):
        value = at(example(name), place)
        wrong = {ID: "essay-1", TIME: TIME.removesuffix("Z")}.get(value) if isinstance(value, str) else None
        if wrong:
            with pytest.raises(ValidationError):
                read(name, with_value(example(name), place, wrong))


@every_event
def test_a_word_outside_its_vocabulary_is_refused(name: str) -> None:
    words = {"course_code", "class_type", "error_code", "status", "validation_method", "confidence_level", "data"}
    for place in places(example(name)):
        if place[-1] in words or (name, place[-1]) == ("ExcessContentProvisionedV1", "reason"):
            with pytest.raises(ValidationError):
                read(name, with_value(example(name), place, "something else"))


@pytest.mark.parametrize("name", ["RegisterBatchV1", "BatchEssaysRegisteredV1"])
def test_a_batch_has_from_1_to_500_slots(name: str) -> None:
    for count in (1, 500):
        read(name, {**example(name), "expected_essay_count": count})
    for count in (0, 501):
        with pytest.raises(ValidationError):
            read(name, {**example(name), "expected_essay_count": count})


def test_a_confidence_lies_between_0_and_1() -> None:
    wire = json.dumps(SUGGESTION)
    for score in ("0", "1", "0.5"):
        StudentSuggestion.model_validate_json(wire.replace("0.95", score))
    for score in ("-0.01", "1.01", "NaN", "Infinity"):
        with pytest.raises(ValidationError):
            StudentSuggestion.model_validate_json(wire.replace("0.95", score))


@pytest.mark.parametrize("field", ["text_storage_id", "teacher_id", "cancelled_by", "raw_file_storage_id"])
def test_an_empty_id_is_refused(field: str) -> None:
    name = next(name for name, fields in FIELDS.items() if field in fields or f"{field}?" in fields)
    with pytest.raises(ValidationError):
        read(name, {**example(name), field: ""})


def test_a_time_keeps_its_zone() -> None:
    event = read(
        "StudentValidationRequestedV1", example("StudentValidationRequestedV1") | {"deadline": TIME[:-1] + "+02:00"}
    )
    assert '"deadline":"2026-03-01T08:30:00+02:00"' in event.model_dump_json()


@pytest.mark.parametrize("outside", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59"])
def test_a_time_that_utc_has_no_year_for_is_refused(outside: str) -> None:
    name = "StudentValidationRequestedV1"
    with pytest.raises(ValidationError, match="1 to 9999"):
        read(name, example(name) | {"deadline": outside})


def test_an_event_is_a_value_that_nobody_changes() -> None:
    event = read("BatchCancelledV1", example("BatchCancelledV1"))
    with pytest.raises(ValidationError, match="frozen"):
        event.reason = "other"  # type: ignore[attr-defined]  # The model must refuse what the type checker refuses.
    assert len({event, read("BatchCancelledV1", example("BatchCancelledV1"))}) == 1


def test_an_event_without_its_key_field_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="KeylessV1: the key field 'batch_id' does not exist"):

        class KeylessV1(Event, topic=Topic.UPSTREAM, key="batch_id"):
            """Something about nothing."""

    assert "KeylessV1" not in Event.types
