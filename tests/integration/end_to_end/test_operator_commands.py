"""An operator's commands against the whole system: each shows what is there, and says what is wrong and the way out."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from service_runtime.auth import Role, issue
from service_runtime.testing import wait_until

from tests.integration.end_to_end.command_line import ended, scriptorium, started
from tests.integration.end_to_end.school import School

NOBODY = "127.0.0.1:9"
FILE = "EssayContentProvisionedV1"


async def document(variables: Mapping[str, str], *arguments: str) -> Any:
    """The one JSON document that a command prints."""
    return json.loads(await scriptorium(variables, *arguments, "--json"))


async def test_status_shows_services_dead_letters_and_batches_at_100_columns(school: School) -> None:
    batch_id = await school.register(3, guest=True)
    await school.publish("upstream", FILE, {"batch_id": batch_id})

    async def counted() -> Any:
        found = await document(school.variables, "status")
        lifecycle = found["services"][1]
        return found if lifecycle["dead_letters"]["number"] else None

    found = await wait_until(counted, 30)
    assert found["ready"]
    assert [each["problems"] for each in found["services"]] == [{}] * 5
    assert all(isinstance(each["lag"], dict) for each in found["services"])
    waiting = {each["state"]: each for each in found["batches"]}["awaiting_content_validation"]
    assert waiting["number"] >= 1
    assert waiting["oldest_seconds"] > 0
    printed = await scriptorium(school.variables, "status")
    assert max(map(len, printed.splitlines())) <= 100
    assert "\x1b" not in printed


async def test_a_service_that_is_away_is_named_by_status_and_by_its_address(school: School) -> None:
    away = {**school.variables, "BATCH_ORCHESTRATOR_URL": f"http://{NOBODY}"}

    status, batches = await ended(away, "status"), await ended(away, "batches")

    assert (status.status, batches.status) == (1, 1)
    assert f"nothing answers at http://{NOBODY}" in " ".join(status.printed.split())
    assert "file-service       │ yes" in status.printed
    assert f"scriptorium: the batch orchestrator at http://{NOBODY} cannot be reached" in batches.errors
    assert batches.errors.endswith("or correct BATCH_ORCHESTRATOR_URL\n")


async def test_batches_are_listed_by_state_and_age(school: School) -> None:
    waiting, cancelled = await school.register(2, guest=True), await school.register(2, guest=True)
    await school.post("BATCH_ORCHESTRATOR", f"/v1/batches/{cancelled}/cancel")
    everything = ["--limit", "10000"]

    still_open = await document(school.variables, "batches", *everything)
    over = await document(school.variables, "batches", "--state", "cancelled", *everything)

    assert {waiting, cancelled} & {each["batch_id"] for each in still_open} == {waiting}
    assert {waiting, cancelled} & {each["batch_id"] for each in over} == {cancelled}
    assert await document(school.variables, "batches", "--older-than", "3d") == []
    printed = await scriptorium(school.variables, "batches", "--state", "cancelled", *everything)
    assert cancelled in printed
    assert max(map(len, printed.splitlines())) <= 100


async def test_who_may_not_is_told_what_is_missing(school: School) -> None:
    teachers = issue(school.variables["SCRIPTORIUM_JWT_SECRET"], "berit", [Role.TEACHER], 60)

    forbidden = await ended({**school.variables, "SCRIPTORIUM_TOKEN": teachers}, "batches")
    unknown = await ended({**school.variables, "SCRIPTORIUM_JWT_SECRET": "another secret " * 3}, "batches")

    assert (forbidden.status, unknown.status) == (1, 1)
    assert "(403); this needs the role operator: ask for a token with it, and set SCRIPTORIUM_TOKEN" in forbidden.errors
    assert "(401); the token is not valid" in unknown.errors
    assert "must be the services' own" in unknown.errors


async def test_an_address_of_another_service_or_of_something_else_is_told(school: School) -> None:
    elsewhere = {**school.variables, "BATCH_ORCHESTRATOR_URL": school.variables["FILE_SERVICE_URL"]}

    found = await ended(elsewhere, "batches")

    assert "is not the batch orchestrator (GET /ops/batches: 404 Not Found); correct BATCH_ORCH" in found.errors


async def said(school: School, key: str, *arguments: str) -> list[dict[str, Any]]:
    """What a tail from the beginning prints about a key."""
    arguments = ("events", "tail", *arguments, "--from-beginning", "--key", key, "--json")
    return [json.loads(line) for line in (await scriptorium(school.variables, *arguments)).splitlines()]


async def test_events_of_both_modes_are_decoded_and_masked_unless_revealed(school: School) -> None:
    batch_id = await school.register(1, guest=True)
    data = {"batch_id": batch_id, "file_upload_id": str(uuid4()), "original_file_name": "Anna Ek.txt"}
    await school.publish("upstream", FILE, data)

    (binary,) = await said(school, batch_id, "batch-orchestrator", "--count", "1")
    (structured,) = await said(school, batch_id, "upstream", "--type", FILE, "--count", "1")
    (revealed,) = await said(school, batch_id, "upstream", "--count", "1", "--reveal")

    assert (binary["type"], binary["source"]) == ("BatchEssaysRegisteredV1", "/batch-orchestrator")
    assert (binary["problem"], binary["data"]["teacher_id"]) == (None, "•••")
    assert (structured["type"], structured["source"]) == (FILE, "/registry")
    assert structured["data"] == {**data, "original_file_name": "•••"}
    assert "text_storage_id: Field required" in structured["problem"]
    assert revealed["data"] == data


async def test_what_is_no_event_is_shown_with_the_reason(school: School) -> None:
    key = str(uuid4())
    async with AIOKafkaProducer(bootstrap_servers=school.variables["KAFKA_BOOTSTRAP_SERVERS"]) as producer:
        for value in (b"\xff Anna", None):
            await producer.send_and_wait("upstream", value, key=key.encode())

    found = await said(school, key, "--type", "unreadable", "--count", "2")

    assert [each["type"] for each in found] == ["unreadable", "unreadable"]
    assert all("specversion must be 1.0" in each["problem"] for each in found)
    assert [each["data"] for each in found] == ["•••", "•••"]
    printed = await scriptorium(school.variables, "events", "tail", "--from-beginning", "--key", key, "--count", "1")
    assert "undecodable: the attribute specversion must be 1.0" in printed


async def test_what_is_said_from_now_on_is_shown_as_it_is_said(school: School) -> None:
    before = str(uuid4())
    await school.publish("upstream", "PupilMoved", {"batch_id": before})
    arguments = ("events", "tail", "upstream", "--type", "PupilMoved", "--count", "1", "--json")
    tail = await started(school.variables, *arguments)

    async def over() -> bool:
        await school.publish("upstream", "PupilMoved", {"batch_id": str(uuid4())})
        return tail.returncode is not None

    await wait_until(over, 30)
    printed, errors = await tail.communicate()
    assert (tail.returncode, errors) == (0, b"")
    assert json.loads(printed)["key"] != before


async def test_topics_are_compared_with_what_is_declared(school: School) -> None:
    well = await document(school.variables, "topics")
    more = await ended({**school.variables, "SCRIPTORIUM_PARTITIONS": "24"}, "topics")

    assert [each["topic"] for each in well] == [
        "batch-orchestrator",
        "class-management",
        "essay-lifecycle",
        "file-service",
        "student-matching",
        "upstream",
    ]
    assert well[0] == {
        "topic": "batch-orchestrator",
        "partitions": {"declared": 12, "found": 12},
        "replicas": {"declared": 1, "found": 1},
        "retention_ms": {"declared": 1_209_600_000, "found": 1_209_600_000},
        "problems": [],
    }
    assert more.status == 1
    assert "topic upstream has 12 partitions, 24 are declared: add some (kafka-topics.sh --alter)" in more.printed


@pytest.mark.parametrize("arguments", [["topics"], ["events", "tail"], ["migrate"]], ids=" ".join)
async def test_a_broker_that_is_away_is_named(school: School, arguments: list[str]) -> None:
    found = await ended({**school.variables, "KAFKA_BOOTSTRAP_SERVERS": NOBODY}, *arguments)

    assert found.status == 1
    assert found.errors.startswith(f"scriptorium: Kafka at {NOBODY} cannot be used ([Errno 111]")
    assert found.errors.endswith("; start it, or correct KAFKA_BOOTSTRAP_SERVERS\n")


async def test_a_topic_that_is_not_there_is_named(school: School) -> None:
    found = await ended(school.variables, "events", "tail", "upsteam")

    assert found.status == 1
    assert found.errors.startswith("scriptorium: there is no topic upsteam; name one of batch-orchestrator, ")


async def test_the_settings_of_the_system_are_well_and_its_secret_is_not_told(school: School) -> None:
    printed = await scriptorium(school.variables, "settings")

    assert school.variables["KAFKA_BOOTSTRAP_SERVERS"] in printed
    assert school.variables["SCRIPTORIUM_JWT_SECRET"] not in printed
