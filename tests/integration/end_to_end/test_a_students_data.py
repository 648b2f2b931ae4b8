"""One student's data: a copy of all of it, then its erasure from every table of every service, for ever."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
import service_runtime.service
from common_core.events import BatchRetentionEndedV1, StudentDataErasedV1, StudentErased, StudentErasureRequestedV1
from common_core.events.base import Topic
from common_core.status_enums import RetainedData
from service_runtime.auth import Role, issue
from service_runtime.testing import wait_until

from tests.integration.end_to_end.school import School, essay
from tests.integration.end_to_end.test_replay_from_zero import (
    READY,
    SERVICES,
    Rows,
    all_done,
    all_rows,
    everything_runs,
    forget,
)
from tests.integration.world import World

FIRST, LAST, EMAIL = "Zebulon", "Quistgård", "zebbe@heron.example"
TEXT = f"Namn: {FIRST} {LAST}\n{EMAIL}\n\nThe heron waits where the river forgets its name, and nobody asks."
FILE, COPY = f"{FIRST} {LAST}.txt", "zebulons kopia.txt"
SHARED = essay("A poem that two have handed in")
PERSONAL = ("zebulon", "quistgård", "quistgard", "zebbe", "heron")


async def test_a_student_is_erased_from_every_table_and_no_stray_message_brings_them_back(world: World) -> None:
    async with everything_runs(world) as variables, School(variables) as school:
        student_id = await put_into_class(school)
        first, second, guest = await hand_in(school, student_id)
        await leave_dead_letters(world, school, student_id, first)
        await wait_until(lambda: all_done(world), 60)
        before = found(await all_rows(world))
        path = f"/v1/classes/{school.class_id}/students/{student_id}"
        copy = await school.get("CLASS_MANAGEMENT", f"{path}/data")

        asked = await school.request("DELETE", "CLASS_MANAGEMENT", path)
        await wait_until(lambda: erased(school, path), 30)
        await wait_until(lambda: all_done(world), 30)

        assert asked.status_code == 202
        assert found(await all_rows(world)) == {}
        assert set(before) == KEPT_BEFORE
        check_copy(copy, first, second)
        await check_what_stays(school, first, second, guest)
        again = await school.request("DELETE", "CLASS_MANAGEMENT", path)
        assert again.json()["erasure_id"] == asked.json()["erasure_id"]
    await everything_is_read_again(world)
    # What an operator discarded comes back when a topic is read again without an inbox; nothing else does.
    assert set(found(await all_rows(world))) == {"class-management parked_messages"}
    assert len(await world.listener.said(StudentErasureRequestedV1)) == 1
    assert len(await world.listener.said(StudentDataErasedV1)) == 1
    answers = [each.event for each in world.listener.heard if isinstance(each.event, StudentErased)]
    assert {type(each).__name__: each.erased for each in answers} == {
        "StudentErasedFromBatchesV1": 2,
        "StudentErasedFromSlotsV1": 2,
        "StudentErasedFromMatchingV1": 2,
        "StudentErasedFromFilesV1": 3,
    }
    assert len(answers) == 4


async def test_when_a_batch_has_been_over_for_long_enough_its_texts_and_associations_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_runtime.service, "HOUSEKEEPING_SECONDS", 0.2)
    soon = {"texts_days": 1e-6, "associations_days": 1e-6}
    async with everything_runs(world, **soon) as variables, School(variables) as school:
        student_id = await put_into_class(school)
        over, cancelled, going_on = await school.register(1), await school.register(1), await school.register(2)
        for batch_id in (over, cancelled):
            await upload(school, batch_id, {FILE: TEXT.encode()})
        await upload(school, going_on, {"kept.txt": SHARED})
        await school.until_asked(over)
        await school.confirm(over)
        await school.post("BATCH_ORCHESTRATOR", f"/v1/batches/{cancelled}/cancel")
        await wait_until(lambda: world.listener.said(BatchRetentionEndedV1, at_least=4), 30)
        await wait_until(lambda: is_read(school, going_on), 30)
        await wait_until(lambda: everything_but_deadlines_is_done(world), 30)

        rows = await all_rows(world)
        assert set(found(rows)) == {"class-management students", "student-matching known_rosters"}
        assert not any(student_id in row for row in rows["class-management student_associations"])
        assert not any(student_id in row for row in rows["batch-orchestrator batches"])
        (kept,) = await school.get("FILE_SERVICE", f"/v1/batches/{going_on}/files")
        text = await school.request("GET", "FILE_SERVICE", f"/v1/content/{kept['text_storage_id']}")
        assert (kept["original_file_name"], text.content) == ("kept.txt", SHARED.strip())
    said = await world.listener.said(BatchRetentionEndedV1)
    assert sorted((str(each.batch_id), each.data) for each in said) == sorted(
        (batch_id, data) for batch_id in (over, cancelled) for data in RetainedData
    )


async def is_read(school: School, batch_id: str) -> bool:
    return bool((await school.get("FILE_SERVICE", f"/v1/batches/{batch_id}/files"))[0]["text_storage_id"])


async def everything_but_deadlines_is_done(world: World) -> bool:
    return all([await world.is_done(service) for service in SERVICES])


KEPT_BEFORE = {
    "batch-orchestrator batches",
    "batch-orchestrator parked_messages",
    "essay-lifecycle parked_messages",
    "essay-lifecycle slots",
    "essay-lifecycle uploads",
    "class-management students",
    "class-management student_associations",
    "class-management parked_messages",
    "class-management operator_actions",
    "class-management idempotency_keys",
    "student-matching known_rosters",
    "student-matching match_requests",
    "file-service uploads",
    "file-service contents",
    "file-service idempotency_keys",
}


def found(rows: Rows) -> dict[str, list[str]]:
    """The rows that have something personal, by table; bytes stand there as hexadecimal."""
    words = [each for word in PERSONAL for each in (word, *hexadecimal(word))]
    having = {
        table: [row for row in of_table if any(word in row.lower() for word in words)]
        for table, of_table in rows.items()
    }
    return {table: of_table for table, of_table in having.items() if of_table}


def hexadecimal(word: str) -> set[str]:
    """A word as the bytes of text and of JSON, in each case that it is written in."""
    escaped = word.replace("å", "\\u00e5")
    return {written.encode().hex() for each in (word, escaped) for written in (each, each.capitalize(), each.upper())}


async def put_into_class(school: School) -> str:
    """The student and a classmate; the student's id."""
    students = [
        {"first_name": FIRST, "last_name": LAST, "email": EMAIL},
        {"first_name": "Bo", "last_name": "Lindqvist"},
    ]
    path = f"/v1/classes/{school.class_id}/roster"
    answer = (await school.request("PUT", "CLASS_MANAGEMENT", path, json={"students": students})).raise_for_status()
    return str(next(each["student_id"] for each in answer.json()["students"] if each["first_name"] == FIRST))


async def hand_in(school: School, student_id: str) -> tuple[str, str, str]:
    """A batch with the student's essay twice and a classmate's, one with a text that a guest's batch has as well."""
    first, second = await school.register(2), await school.register(1)
    guest = await school.register(1, guest=True)
    await upload(school, first, {FILE: TEXT.encode(), COPY: TEXT.encode(), "bo.txt": essay("Bo Lindqvist")})
    await upload(school, second, {FILE: SHARED})
    await upload(school, guest, {"poem.txt": SHARED})
    await school.until_asked(first)
    await school.confirm(first)
    untitled = (await school.until_asked(second))[FILE]["essay_id"]
    await school.confirm(second, {untitled: student_id})
    for batch_id in (first, second, guest):
        await school.until(batch_id, READY)
    return first, second, guest


async def upload(school: School, batch_id: str, files: Mapping[str, bytes]) -> None:
    parts = [("files", (name, data)) for name, data in files.items()]
    path = f"/v1/batches/{batch_id}/files"
    (await school.request("POST", "FILE_SERVICE", path, files=parts)).raise_for_status()


async def leave_dead_letters(world: World, school: School, student_id: str, batch_id: str) -> None:
    """Two messages of unknown type that name the student; one is discarded, and the record of that names them, too.

    Their ids are written in capitals, as some systems do.
    """
    for _ in range(2):
        named = {
            "student_id": student_id.upper(),
            "student_name": f"{FIRST} {LAST}",
            "match_reasons": [f"says '{LAST}'"],
        }
        data = {"batch_id": batch_id, "class_id": school.class_id.upper(), "results": [{"suggestions": [named]}]}
        value = json.dumps({"specversion": "1.0", "id": str(uuid4()), "source": "/registry", "data": data}).encode()
        headers = [("content-type", b"application/cloudevents+json")]
        await world.outside.send(Topic.UPSTREAM, value, key=batch_id.encode(), headers=headers)
    token = issue(school.variables["SCRIPTORIUM_JWT_SECRET"], "olle", [Role.OPERATOR], 600)
    bearer, url = {"Authorization": f"Bearer {token}"}, school.url("CLASS_MANAGEMENT", "/ops/dead-letters")

    async def letters() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await school.http.get(url, headers=bearer)).json()["items"]
        return items if len(items) == 2 else []

    position = (await wait_until(letters))[0]["position"]
    why = {"why": "sent by mistake"}
    (await school.http.post(f"{url}/{position}/discard", headers=bearer, json=why)).raise_for_status()


async def erased(school: School, path: str) -> bool:
    return bool((await school.get("CLASS_MANAGEMENT", f"{path}/erasure"))["complete"])


def check_copy(copy: dict[str, Any], first: str, second: str) -> None:
    assert (copy["student"]["first_name"], copy["student"]["email"]) == (FIRST, EMAIL)
    assert copy["erasure"] is None
    by_batch = {each["batch_id"]: each for each in copy["essays"]}
    assert set(by_batch) == {first, second}
    assert by_batch[first]["text"] == TEXT
    assert [each["original_file_name"] for each in by_batch[first]["files"]] == [FILE, COPY]
    assert any(FIRST in reason for reason in by_batch[first]["match_reasons"])


async def check_what_stays(school: School, first: str, second: str, guest: str) -> None:
    """Batches, decisions, the classmate's essay, and a text that somebody else has handed in, too."""
    batch = await school.batch(first)
    assert (batch["status"], len(batch["essays"])) == (READY, 2)
    associations = (await school.get("CLASS_MANAGEMENT", f"/v1/batches/{first}/student-associations"))["associations"]
    assert {each["original_file_name"]: each["validation_status"] for each in associations} == {
        "(erased)": "confirmed",
        "bo.txt": "confirmed",
    }
    (shared,) = (await school.batch(guest))["essays"]
    for each in (shared, next(each for each in batch["essays"] if each["original_file_name"] == "bo.txt")):
        path = f"/v1/content/{each['text_storage_id']}"
        assert (await school.request("GET", "FILE_SERVICE", path)).status_code == 200
    assert (await school.batch(second))["status"] == READY


async def everything_is_read_again(world: World) -> None:
    """Every topic from its beginning, by services whose inboxes have forgotten all."""
    for service in SERVICES:
        await world.lose_offsets(service)
        await forget(world, service)
    async with everything_runs(world):
        await wait_until(lambda: all_done(world), 60)
