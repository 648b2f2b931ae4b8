"""What operators can do with dead letters over HTTP: see them masked, replay them in order, correct or discard them."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.errors import DomainError, NotYet
from common_core.events import EssaySlotAssignedV1, Topic
from service_runtime.auth import Role
from service_runtime.testing import Running, bearer, wait_until

from tests.integration.notebook import TABLES, line, opening, service, trouble
from tests.integration.world import Database, World

WHY = {"why": "the cause is mended"}
ALL = {"everything": True, **WHY}
STRUCTURED = [("content-type", b"application/cloudevents+json")]
NO = "DomainError: we do not write that down"
LINES = "SELECT jsonb_array_elements_text(lines) AS line FROM pages WHERE page_id = $1"


@dataclass(frozen=True)
class Ops:
    """Somebody who asks `/ops`."""

    notebook: Running
    roles: tuple[Role, ...] = (Role.OPERATOR,)

    async def ask(self, method: str, path: str = "", **content: Any) -> httpx.Response:
        headers = bearer(self.notebook.runtime.settings, "olle", *self.roles)
        return await self.notebook.http.request(method, f"/ops/dead-letters{path}", headers=headers, **content)

    async def listed(self, **wanted: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await self.ask("GET", params=wanted)).raise_for_status().json()["items"]
        return items

    async def post(self, path: str, body: object) -> httpx.Response:
        return await self.ask("POST", path, json=body)

    async def replayed(self, body: object) -> int:
        return int((await self.post("/replay", body)).raise_for_status().json()["replayed"])


@pytest.fixture
async def ops(world: World) -> Ops:
    return Ops(await world.run(service, TABLES, failing_attempts=1))


@pytest.fixture
async def page(world: World, database: Database, ops: Ops) -> UUID:
    assert not ops.notebook.runtime.problems()
    return await open_page(world, database)


async def open_page(world: World, database: Database) -> UUID:
    page_id = uuid4()
    opened = await world.outside.publish(opening(page_id))
    await wait_until(lambda: database.seen(opened))
    return page_id


async def lines(database: Database, page_id: UUID) -> list[str]:
    return [row["line"] for row in await database.fetch(LINES, page_id)]


async def all_dead(database: Database, number: int) -> bool:
    rows = await database.fetch("SELECT state FROM parked_messages")
    return [row["state"] for row in rows] == ["dead"] * number


async def refuse(world: World, database: Database, page_id: UUID, *texts: str) -> None:
    """These lines become dead letters."""
    before = await database.count("parked_messages")
    for text in texts:
        trouble[text] = DomainError(NO.partition(": ")[2])
        await world.outside.publish(line(page_id, text))
    await wait_until(lambda: all_dead(database, before + len(texts)))


def structured(kind: str, data: object) -> bytes:
    """An event in CloudEvents' structured mode."""
    envelope = {"specversion": "1.0", "id": "1", "source": "/s", "type": kind, "correlationid": "c"}
    return json.dumps({**envelope, "data": data}).encode()


async def actions(database: Database, action: str) -> list[dict[str, Any]]:
    rows = await database.fetch("SELECT * FROM operator_actions WHERE action = $1 ORDER BY position", action)
    return [{**row, "about": json.loads(row["about"])} for row in rows]


# Looking


async def test_dead_letters_are_found_by_type_reason_key_state_and_time(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    other = await open_page(world, database)
    await refuse(world, database, page, "no")
    trouble["bug"] = RuntimeError("our fault")
    await world.outside.publish(line(other, "bug"))
    await wait_until(lambda: all_dead(database, 2))
    trouble["early"] = NotYet("page", uuid4())
    await world.outside.publish(line(page, "early"))
    await wait_until(lambda: ops.listed(state="waiting"))

    refused, bug, early = await ops.listed()

    assert [each["reason"] for each in (refused, bug, early)] == ["refused", "bug", "not_yet"]
    assert refused["error"] == NO
    assert await ops.listed(reason="bug") == [bug]
    assert await ops.listed(key=str(other)) == [bug]
    assert await ops.listed(state="dead") == [refused, bug]
    assert await ops.listed(type="EssayContentProvisionedV1", reason="refused") == [refused]
    assert await ops.listed(type="RegisterBatchV1") == []
    assert await ops.listed(until=bug["parked_at"]) == [refused]
    assert (await ops.listed(since=bug["parked_at"]))[0] == bug


async def test_what_a_bug_says_about_the_data_is_shown_only_to_who_asks_for_it_and_that_is_recorded(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    trouble["Anna"] = ValueError("no student is called Anna Ek")
    await world.outside.publish(line(page, "Anna"))
    await wait_until(lambda: all_dead(database, 1))

    (bug,) = await ops.listed()
    (group,) = (await ops.ask("GET", "/groups")).json()
    headers = bearer(ops.notebook.runtime.settings, "olle", Role.OPERATOR)
    at_key = (await ops.notebook.http.get(f"/ops/keys/{page}", headers=headers)).json()
    path = f"/{bug['position']}"
    shown = (await ops.ask("GET", path)).json()
    assert {bug["error"], group["cause"], at_key["parked"][0]["error"], shown["error"]} == {"ValueError: •••"}
    assert group["example"] == bug["position"]
    assert await actions(database, "reveal") == []

    revealed = (await ops.ask("GET", path, params={"reveal": True})).json()
    assert revealed["error"] == "ValueError: no student is called Anna Ek"
    assert len(await actions(database, "reveal")) == 1

    await ops.replayed(ALL)
    await wait_until(lambda: all_dead(database, 1))
    assert "Anna" not in str(await ops.listed())


async def test_many_are_read_page_by_page(world: World, database: Database, page: UUID, ops: Ops) -> None:
    await refuse(world, database, page, "one", "two", "three")

    first = (await ops.ask("GET", params={"limit": 2})).json()
    second = (await ops.ask("GET", params={"limit": 2, "cursor": first["next_cursor"]})).json()

    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert second["next_cursor"] is None


async def test_those_with_the_same_cause_are_counted_together(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    for number in range(3):
        trouble[f"no {number}"] = DomainError(f"seat {number} of {uuid4()} is taken in V1")
        await world.outside.publish(line(page, f"no {number}"))
    trouble["bug"] = RuntimeError("our fault")
    await world.outside.publish(line(page, "bug"))
    await wait_until(lambda: all_dead(database, 4))

    groups = (await ops.ask("GET", "/groups")).json()

    assert [(each["count"], each["cause"]) for each in groups] == [
        (3, "DomainError: seat … of … is taken in V1"),
        (1, "RuntimeError: •••"),
    ]


async def test_a_group_is_listed_replayed_and_discarded_by_its_cause(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    for number in range(3):
        trouble[f"taken {number}"] = DomainError(f"seat {number} of {uuid4()} is taken")
        trouble[f"bug {number}"] = RuntimeError(f"our fault number {uuid4()}")
        await world.outside.publish(line(page, f"taken {number}"))
        await world.outside.publish(line(page, f"bug {number}"))
    await wait_until(lambda: all_dead(database, 6))
    await refuse(world, database, page, "no")
    groups = {each["cause"]: each["count"] for each in (await ops.ask("GET", "/groups")).json()}
    assert groups == {"DomainError: seat … of … is taken": 3, "RuntimeError: •••": 3, NO: 1}

    for cause, count in groups.items():
        assert [each["type"] for each in await ops.listed(cause=cause)] == ["EssayContentProvisionedV1"] * count
        counted = (await ops.ask("GET", "/groups", params={"cause": cause})).json()
        assert [(each["cause"], each["count"]) for each in counted] == [(cause, count)]
    assert await ops.listed(cause="RuntimeError: our fault number …") == [], "it would tell what is masked"

    trouble.clear()
    assert await ops.replayed({"cause": "RuntimeError: •••", **WHY}) == 3
    await wait_until(lambda: all_dead(database, 4))
    discarded = await ops.post("/discard", {"cause": "DomainError: seat … of … is taken", **WHY})
    assert discarded.json() == {"discarded": 3}
    assert (await ops.post("/discard", {"cause": "DomainError: seat … of … is taken", **WHY})).json() == {
        "discarded": 0
    }

    assert await lines(database, page) == [f"bug {number}" for number in range(3)]
    assert [each["error"] for each in await ops.listed()] == [NO]
    kept = await actions(database, "discard")
    assert ["seat" in each["about"]["error"] for each in kept] == [True] * 3
    assert all(each["about"]["record_value"] and each["reason"] == WHY["why"] for each in kept)


async def test_only_dead_letters_are_discarded_with_their_group(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    await refuse(world, database, page, "no")
    trouble["early"] = NotYet("page", uuid4())
    await world.outside.publish(line(page, "early"))
    await wait_until(lambda: ops.listed(state="waiting"))

    assert (await ops.post("/discard", {"key": str(page), **WHY})).json() == {"discarded": 1}

    assert [each["state"] for each in await ops.listed()] == ["waiting"]


async def test_personal_data_is_masked_unless_asked_for_and_that_is_recorded(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    await refuse(world, database, page, "Åsas uppsats.txt")
    (letter,) = await ops.listed()

    masked = (await ops.ask("GET", f"/{letter['position']}")).json()
    assert masked["data"]["original_file_name"] == "•••"
    assert masked["data"]["batch_id"] == str(page)
    assert await actions(database, "reveal") == []

    revealed = (await ops.ask("GET", f"/{letter['position']}", params={"reveal": True})).json()
    assert revealed["data"]["original_file_name"] == "Åsas uppsats.txt"
    (recorded,) = await actions(database, "reveal")
    assert (recorded["operator"], recorded["about"]) == ("olle", {"position": letter["position"]})


async def test_of_a_structured_event_only_the_data_is_shown_and_of_other_bytes_nothing(
    world: World, database: Database, ops: Ops
) -> None:
    undecodable = structured("EssayContentProvisionedV1", {"x": "Åsa"})
    await world.outside.send(Topic.UPSTREAM, undecodable, key=b"k", headers=STRUCTURED)
    await wait_until(lambda: all_dead(database, 1))
    await world.outside.send(Topic.UPSTREAM, "Åsa".encode(), key=b"k")
    await wait_until(lambda: all_dead(database, 2))

    shown = [(await ops.ask("GET", f"/{each['position']}")).json()["data"] for each in await ops.listed()]

    assert shown == [{"x": "•••"}, "•••"]


async def test_what_waits_behind_another_says_behind_which(world: World, page: UUID, ops: Ops) -> None:
    trouble["one"] = NotYet("page", uuid4())
    for text in ("one", "two", "three"):
        await world.outside.publish(line(page, text))

    waiting = await wait_until(lambda: three(ops))

    head = waiting[0]["position"]
    assert [each["behind"] for each in waiting] == [None, head, head]


async def three(ops: Ops) -> list[dict[str, Any]]:
    found = await ops.listed(state="waiting")
    return found if len(found) == 3 else []


async def test_a_letter_that_does_not_exist_is_not_found_and_a_senseless_number_or_time_is_refused(ops: Ops) -> None:
    assert (await ops.ask("GET", "/4711")).status_code == 404
    assert (await ops.post("/4711/discard", WHY)).status_code == 404
    assert (await ops.ask("GET", f"/{2**70}")).status_code == 422
    assert (await ops.post("/replay", {"positions": [2**70], **WHY})).status_code == 422
    assert (await ops.ask("GET", params={"key": "a\0b"})).status_code == 422
    for time in ("2026-03-01T00:00:00", "9999-12-31T23:59:59-23:59"):
        assert (await ops.ask("GET", params={"since": time})).status_code == 422


# Replay


async def test_one_is_replayed_once(world: World, database: Database, page: UUID, ops: Ops) -> None:
    await refuse(world, database, page, "one", "two")
    trouble.clear()
    first, second = [each["position"] for each in await ops.listed()]

    assert await ops.replayed({"positions": [second], **WHY}) == 1
    await wait_until(lambda: world.is_done(service))
    assert await ops.replayed({"positions": [second], **WHY}) == 0

    assert await lines(database, page) == ["two"]
    assert [each["position"] for each in await ops.listed()] == [first]
    assert len(await world.listener.said(EssaySlotAssignedV1, page)) == 1
    assert [each["reason"] for each in await actions(database, "replay")] == [WHY["why"]] * 2


async def test_all_are_replayed_in_order_per_key_and_before_what_comes_later(
    world: World, database: Database, ops: Ops
) -> None:
    pages = [await open_page(world, database) for _ in range(3)]
    texts = [f"line {number}" for number in range(8)]
    for text in texts:
        trouble[text] = DomainError("not now")
        for page_id in pages:
            await world.outside.publish(line(page_id, text))
    await wait_until(lambda: all_dead(database, 24))
    trouble.clear()

    assert await ops.replayed(ALL) == 24
    await wait_until(lambda: world.is_done(service))

    assert [await lines(database, page_id) for page_id in pages] == [texts] * 3
    assert await database.count("parked_messages") == 0


async def test_a_group_is_replayed_and_the_others_stay(world: World, database: Database, page: UUID, ops: Ops) -> None:
    await refuse(world, database, page, "no")
    trouble["bug"] = RuntimeError("our fault")
    await world.outside.publish(line(page, "bug"))
    await wait_until(lambda: all_dead(database, 2))
    trouble.clear()

    assert await ops.replayed({"reason": "bug", **WHY}) == 1

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page) == ["bug"]
    assert [each["reason"] for each in await ops.listed()] == ["refused"]


async def test_what_is_refused_again_is_a_dead_letter_again_and_the_others_go_on(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    await refuse(world, database, page, "one", "two", "three")
    del trouble["one"], trouble["three"]

    await ops.replayed(ALL)

    await wait_until(lambda: all_dead(database, 1))
    assert await lines(database, page) == ["one", "three"]
    assert (await ops.listed())[0]["error"] == NO


async def test_operators_who_replay_the_same_at_the_same_time_leave_nothing_behind(
    world: World, database: Database, ops: Ops
) -> None:
    pages = [await open_page(world, database) for _ in range(3)]
    texts = [f"line {number}" for number in range(10)]
    for page_id in pages:
        await refuse(world, database, page_id, *texts)
    trouble.clear()
    positions = [each["position"] for each in await ops.listed()]

    one_by_one = [ops.replayed({"positions": positions[: number + 1], **WHY}) for number in range(30)]
    counts = await asyncio.gather(*one_by_one, ops.replayed(ALL))

    assert sum(counts) == 30
    await wait_until(lambda: world.is_done(service))
    assert [sorted(await lines(database, page_id)) for page_id in pages] == [texts] * 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        WHY,
        {"everything": True},
        {"everything": True, "why": ""},
        {"type": None, "reason": None, **WHY},
        {"typ": "RegisterBatchV1", "reason": "refused", **WHY},
    ],
)
async def test_a_replay_must_say_which_and_why(
    world: World, database: Database, page: UUID, ops: Ops, body: dict[str, object]
) -> None:
    await refuse(world, database, page, "no")

    assert (await ops.post("/replay", body)).status_code == 422

    assert await all_dead(database, 1)
    assert await database.count("operator_actions") == 0


# Edit


async def test_corrected_data_is_handled_and_the_old_bytes_are_kept(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    trouble["wrong"] = DomainError("we do not write that down")
    wrong = structured("EssayContentProvisionedV1", line(page, "wrong").model_dump(mode="json"))
    await world.outside.send(Topic.UPSTREAM, wrong, key=str(page).encode(), headers=STRUCTURED)
    await wait_until(lambda: all_dead(database, 1))
    (letter,) = await ops.listed()

    right = line(page, "right").model_dump(mode="json")
    (await ops.post(f"/{letter['position']}/edit", {"data": right, "why": "the name was wrong"})).raise_for_status()

    await wait_until(lambda: world.is_done(service))
    assert await lines(database, page) == ["right"]
    (said,) = await world.listener.all_of(EssaySlotAssignedV1, page)
    assert (said.envelope.causation_id, said.envelope.correlation_id) == ("1", "c")
    (edited,) = await actions(database, "edit")
    assert edited["reason"] == "the name was wrong"
    assert bytes.fromhex(edited["about"]["record_value"]) == wrong


async def test_an_unreadable_message_can_be_given_its_type_and_takes_its_place_in_its_keys_order(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    await world.outside.send(Topic.FILE_SERVICE, b"no headers", key=b"another key")
    await wait_until(lambda: all_dead(database, 1))
    (letter,) = await ops.listed()
    path, correction = f"/{letter['position']}/edit", {"data": line(page, "read").model_dump(mode="json"), **WHY}
    trouble["read"] = DomainError("not now")

    nameless = await ops.post(path, correction)
    assert nameless.status_code == 422
    assert "give the type, one of: EssayContentProvisionedV1, RegisterBatchV1" in nameless.json()["detail"]

    (await ops.post(path, {**correction, "type": "EssayContentProvisionedV1"})).raise_for_status()

    await wait_until(lambda: ops.listed(reason="refused"))
    assert (await ops.listed())[0]["key"] == str(page)


@pytest.mark.parametrize(
    "correction",
    [
        {"data": {"batch_id": "no id"}, **WHY},
        {"data": [1, 2], **WHY},
        {"data": {}},
        WHY,
    ],
)
async def test_a_correction_that_is_none_changes_nothing(
    world: World, database: Database, page: UUID, ops: Ops, correction: dict[str, object]
) -> None:
    await refuse(world, database, page, "no")
    before = await database.fetch("SELECT * FROM parked_messages")

    refused = await ops.post(f"/{before[0]['position']}/edit", correction)

    assert refused.status_code == 422
    assert await database.fetch("SELECT * FROM parked_messages") == before
    assert await database.count("operator_actions") == 0


@pytest.mark.parametrize(("action", "body"), [("edit", {"data": {}, **WHY}), ("discard", WHY)])
async def test_a_message_that_is_on_its_way_cannot_be_edited_or_discarded(
    world: World, database: Database, page: UUID, ops: Ops, action: str, body: dict[str, object]
) -> None:
    trouble["early"] = NotYet("page", uuid4())
    await world.outside.publish(line(page, "early"))
    (waiting,) = await wait_until(lambda: ops.listed(state="waiting"))

    refused = await ops.post(f"/{waiting['position']}/{action}", body)

    assert refused.status_code == 409
    assert "is waiting, not dead" in refused.json()["detail"]
    assert await database.count("parked_messages") == 1


# Discard


async def test_a_discarded_letter_is_kept_whole_in_the_record_of_actions(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    await refuse(world, database, page, "no")
    (row,) = await database.fetch("SELECT * FROM parked_messages")

    assert (await ops.post(f"/{row['position']}/discard", {})).status_code == 422
    (await ops.post(f"/{row['position']}/discard", {"why": "sent twice"})).raise_for_status()

    assert await database.count("parked_messages") == 0
    (discarded,) = await actions(database, "discard")
    assert (discarded["operator"], discarded["reason"]) == ("olle", "sent twice")
    about = discarded["about"]
    assert bytes.fromhex(about["record_value"]) == row["record_value"]
    assert about["record_headers"] == json.loads(row["record_headers"])
    assert (about["event_id"], about["error"], about["key"]) == (row["event_id"], row["error"], str(page))


async def test_after_a_year_what_a_discarded_letter_said_goes_and_the_record_of_it_stays(
    world: World, database: Database, page: UUID, ops: Ops
) -> None:
    await refuse(world, database, page, "old", "new")
    for letter in await ops.listed():
        (await ops.post(f"/{letter['position']}/discard", {"why": "sent twice"})).raise_for_status()
    await database.fetch("""
        UPDATE operator_actions SET at = now() - interval '366 days'
        WHERE position = (SELECT min(position) FROM operator_actions)
    """)

    await ops.notebook.runtime._clean_up()

    old, new = await actions(database, "discard")
    assert {"record_value", "record_key", "record_headers", "error"} & set(old["about"]) == set()
    assert (old["operator"], old["reason"], old["about"]["key"]) == ("olle", "sent twice", str(page))
    assert json.loads(bytes.fromhex(new["about"]["record_value"]))["original_file_name"] == "new"


async def test_nothing_expires_silently(world: World, database: Database, page: UUID, ops: Ops) -> None:
    await refuse(world, database, page, "no")
    await (await ops.post("/replay", {"type": "RegisterBatchV1", **WHY})).aread()
    await database.fetch("UPDATE parked_messages SET parked_at = now() - interval '10 years'")
    await database.fetch("UPDATE inbox SET received_at = now() - interval '10 years'")
    await database.fetch("UPDATE operator_actions SET at = now() - interval '10 years'")

    await ops.notebook.runtime._clean_up()

    assert await database.count("inbox") == 1, "what is parked stays known"
    assert await all_dead(database, 1)
    assert len(await actions(database, "replay")) == 1


# Roles


@pytest.mark.parametrize("role", [Role.TEACHER, Role.SERVICE])
async def test_only_an_operator_may(world: World, database: Database, page: UUID, ops: Ops, role: Role) -> None:
    await refuse(world, database, page, "no")
    (letter,) = await ops.listed()
    position, somebody = letter["position"], Ops(ops.notebook, (role,))

    asked = [
        await somebody.ask("GET"),
        await somebody.ask("GET", "/groups"),
        await somebody.ask("GET", f"/{position}"),
        await somebody.post("/replay", ALL),
        await somebody.post(f"/{position}/edit", {"data": line(page, "x").model_dump(mode="json"), **WHY}),
        await somebody.post(f"/{position}/discard", WHY),
        await somebody.post("/discard", ALL),
    ]

    assert [each.status_code for each in asked] == [403] * 7
    assert (await ops.notebook.http.get("/ops/dead-letters")).status_code == 401
    assert await all_dead(database, 1)
    assert await database.count("operator_actions") == 0
