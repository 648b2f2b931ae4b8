"""An uploaded file becomes a content, or fails with the reason: once, in upload order, and never lost after the 202."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from common_core.events import BatchCancelledV1, EssayContentProvisionedV1, EssayValidationFailedV1, Event
from service_runtime.auth import Role
from service_runtime.testing import Running, wait_until

from services.file_service.service import service
from tests.integration.classroom import BERIT, Person, operator, other_teacher, registered
from tests.integration.documents import archive, essay, opendocument, pdf, rich_text, word
from tests.integration.world import World

MOST_BYTES = 60_000
ROW_OF_BATCHES = "SELECT * FROM known_batches FOR UPDATE"

CONFLICT_ONCE = (
    "CREATE SEQUENCE conflicts",
    """
    CREATE FUNCTION conflict_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('conflicts') = 1 THEN RAISE 'another was first' USING ERRCODE = 'serialization_failure'; END IF;
        RETURN NEW;
    END $$
    """,
    "CREATE TRIGGER conflict_once BEFORE INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION conflict_once()",
)

type Named = tuple[str, bytes]


@pytest.fixture(scope="module")
async def files(shared_world: World) -> Running:
    return await shared_world.run(service, max_file_bytes=MOST_BYTES, known_within_seconds=0.5)


@pytest.fixture
async def quiet_world(shared_world: World, files: Running) -> World:  # noqa: ARG001  # it must run
    return shared_world


async def a_batch(world: World, by: str = BERIT) -> UUID:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 5, by=by))
    await wait_until(lambda: world.is_done(service))
    return batch_id


async def upload(person: Person, batch_id: UUID, *named: Named, key: str | None = None) -> httpx.Response:
    parts = [("files", (name, data)) for name, data in named]
    return await person.ask("POST", f"/batches/{batch_id}/files", files=parts, key=key)


async def listed(person: Person, batch_id: UUID) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = (await person.get(f"/batches/{batch_id}/files")).raise_for_status().json()
    return answer


async def decided(person: Person, batch_id: UUID, count: int) -> list[dict[str, Any]]:
    """The files of a batch, once there are so many and something became of each."""

    async def all_decided() -> list[dict[str, Any]] | None:
        rows = await listed(person, batch_id)
        return rows if len(rows) == count and not any(row["state"] == "received" for row in rows) else None

    return await wait_until(all_decided, 30)


async def said(world: World, batch_id: UUID) -> list[Event]:
    """What the file service says about a batch, contents and failures in one order, after all there is was said."""
    await wait_until(lambda: world.is_done(service))
    kinds = EssayContentProvisionedV1 | EssayValidationFailedV1
    heard = await world.listener.all_of(Event, batch_id)
    return [each.event for each in heard if isinstance(each.event, kinds)]


def names(events: list[Event]) -> list[str]:
    return [each.model_dump()["original_file_name"] for each in events]


async def test_files_of_every_kind_become_contents_or_fail_with_the_reason(quiet_world: World, files: Running) -> None:
    teacher, batch_id, text = Person(files), await a_batch(quiet_world), essay("Åsa Öström")
    sound = {
        "utf8.txt": text.encode(),
        "utf16.txt": text.encode("utf-16"),
        "latin1.txt": text.encode("latin-1"),
        "word.docx": word(text),
        "open.odt": opendocument(text),
        "rich text named.doc": rich_text(text),
        "page.pdf": pdf(text),
        "a pdf named.txt": pdf(essay("Bo Ek")),
    }
    broken = {
        "empty.txt": (b"", "empty_content"),
        "short.txt": (b"Too short.", "content_too_short"),
        "long.txt": (b"word " * 10_001, "content_too_long"),
        "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "file_type_unsupported"),
        "locked.pdf": (pdf(text, password="secret"), "encrypted_file_unsupported"),
        "broken.docx": (word(text)[:2_000], "text_extraction_failed"),
        "large.txt": (b"x" * (MOST_BYTES + 1), "file_too_large"),
    }
    everything = [*sound.items(), *((name, data) for name, (data, _) in broken.items())]

    answer = await upload(teacher, batch_id, *everything)

    assert answer.status_code == 202
    assert [each["original_file_name"] for each in answer.json()] == [*sound, *broken]
    rows = await decided(teacher, batch_id, len(everything))
    assert [row["file_upload_id"] for row in rows] == [each["file_upload_id"] for each in answer.json()]
    assert [row["state"] for row in rows] == ["provisioned"] * len(sound) + ["failed"] * len(broken)
    assert [row["error_code"] for row in rows[len(sound) :]] == [code for _, code in broken.values()]
    assert len({row["text_storage_id"] for row in rows[:7]}) == 1, "equal texts have equal ids"
    assert rows[7]["text_storage_id"] not in {None, rows[0]["text_storage_id"]}
    events = await said(quiet_world, batch_id)
    assert names(events) == [*sound, *broken]
    assert [str(each.model_dump()["file_upload_id"]) for each in events] == [row["file_upload_id"] for row in rows]
    for event, (_, data) in zip(events, everything, strict=True):
        assert event.model_dump()["file_size_bytes"] == len(data)


async def test_a_text_is_given_to_services_operators_and_the_teacher_who_uploaded_it(
    quiet_world: World, files: Running
) -> None:
    teacher, text = Person(files), essay("Anna Ek")
    batch_id, theirs = await a_batch(quiet_world), await a_batch(quiet_world, by="carl")
    await upload(teacher, batch_id, ("a.txt", text.encode()))
    ((row,), ()) = await decided(teacher, batch_id, 1), await listed(other_teacher(files), theirs)
    path = f"/content/{row['text_storage_id']}"
    (event,) = await said(quiet_world, batch_id)

    assert (await teacher.get(path)).text == text
    assert (await Person(files, "student-matching", (Role.SERVICE,)).get(path)).text == text
    assert (await operator(files).get(path)).text == text
    assert (await other_teacher(files).get(path)).status_code == 404
    assert (await files.http.get(f"/v1{path}")).status_code == 401
    assert (await teacher.get("/content/text-unknown")).status_code == 404
    raw = event.model_dump()["raw_file_storage_id"]
    assert (await operator(files).get(f"/content/{raw}")).status_code == 404

    await upload(other_teacher(files), theirs, ("the same text.docx", word(text)))
    await decided(other_teacher(files), theirs, 1)
    assert (await other_teacher(files).get(path)).text == text


async def test_the_same_idempotency_key_takes_the_files_once_although_the_boundary_differs(
    quiet_world: World, files: Running
) -> None:
    teacher, batch_id, key = Person(files), await a_batch(quiet_world), str(uuid4())
    same = [(f"{number}.txt", essay(str(number)).encode()) for number in range(3)]

    first, second = await asyncio.gather(*(upload(teacher, batch_id, *same, key=key) for _ in range(2)))
    third = await upload(teacher, batch_id, *same, key=key)
    other = await upload(teacher, batch_id, ("0.txt", b"something else"), key=key)

    assert first.request.headers["Content-Type"] != second.request.headers["Content-Type"]
    assert [each.status_code for each in (first, second, third, other)] == [202, 202, 202, 422]
    assert first.json() == second.json() == third.json()
    assert len(await decided(teacher, batch_id, 3)) == 3
    assert names(await said(quiet_world, batch_id)) == [name for name, _ in same]


async def test_an_archive_is_taken_once_as_the_files_in_it_in_their_order_or_not_at_all(
    quiet_world: World, files: Running
) -> None:
    teacher, batch_id, key = Person(files), await a_batch(quiet_world), str(uuid4())
    large = ("large.txt", b"x" * (MOST_BYTES + 1))
    inside = {"2/Åsa.odt": opendocument(essay("2")), **dict([large]), "1/Bo.docx": word(essay("1"))}
    named = [("first.txt", essay("0").encode()), ("class.zip", archive(inside)), ("last.rtf", rich_text(essay("3")))]
    in_order = ["first.txt", *inside, "last.rtf"]

    answers = [await upload(teacher, batch_id, *named, key=key) for _ in range(2)]
    nested = await upload(teacher, batch_id, ("a.txt", essay("4").encode()), ("b.zip", archive({"c.zip": b""})))

    assert [answer.status_code for answer in (*answers, nested)] == [202, 202, 422]
    assert answers[0].json() == answers[1].json()
    assert "b.zip: c.zip in it is an archive too" in nested.json()["detail"]
    rows = await decided(teacher, batch_id, 5)
    assert [row["original_file_name"] for row in rows] == in_order
    assert [row["error_code"] for row in rows] == [None, None, "file_too_large", None, None]
    assert names(await said(quiet_world, batch_id)) == in_order


@pytest.mark.parametrize(
    ("disposition", "stored"),
    [
        ("filename=\"A\u030asas f\u00f6rsta 作文.txt\"; filename*=UTF-8''other.txt", "\u00c5sas f\u00f6rsta 作文.txt"),
        ("filename*=UTF-8''%C3%85sa.txt", None),
    ],
    ids=["both", "only filename*"],
)
async def test_a_file_name_of_any_script_is_kept_and_none_is_lost_in_silence(
    quiet_world: World, files: Running, disposition: str, stored: str | None
) -> None:
    teacher, batch_id = Person(files), await a_batch(quiet_world)
    head = f'--b\r\nContent-Disposition: form-data; name="files"; {disposition}\r\n\r\n'
    body = (head + essay("Åsa") + "\r\n--b--\r\n").encode()

    answer = await teacher.ask(
        "POST", f"/batches/{batch_id}/files", content=body, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )

    assert answer.status_code == (202 if stored else 422)
    assert [row["original_file_name"] for row in await listed(teacher, batch_id)] == ([stored] if stored else [])
    assert stored or "not as `filename*`" in answer.json()["detail"]


async def test_without_a_key_the_same_files_are_taken_again_as_other_uploads(
    quiet_world: World, files: Running
) -> None:
    teacher, batch_id = Person(files), await a_batch(quiet_world)

    for _ in range(2):
        await upload(teacher, batch_id, ("a.txt", essay("Anna Ek").encode()))

    one, other = await decided(teacher, batch_id, 2)
    assert one["file_upload_id"] != other["file_upload_id"]
    assert one["text_storage_id"] == other["text_storage_id"]


async def test_the_teacher_sees_which_upload_a_file_repeats(quiet_world: World, files: Running) -> None:
    teacher, batch_id, text = Person(files), await a_batch(quiet_world), essay("Anna Ek")
    named = [("a.txt", text.encode()), ("other.txt", essay("Bo Ek").encode()), ("empty.txt", b"")]

    await upload(teacher, batch_id, *named, ("the same text.docx", word(text)), ("the same bytes.txt", text.encode()))
    await upload(teacher, batch_id, ("empty again.txt", b""))

    rows = await decided(teacher, batch_id, 6)
    by_id = {row["file_upload_id"]: row["original_file_name"] for row in rows}
    assert [by_id.get(row["duplicate_of"]) for row in rows] == [None, None, None, "a.txt", "a.txt", "empty.txt"]


async def test_a_batch_known_to_be_cancelled_takes_no_files(quiet_world: World, files: Running) -> None:
    teacher, batch_id = Person(files), await a_batch(quiet_world)
    await quiet_world.outside.publish(BatchCancelledV1(batch_id=batch_id, teacher_id=BERIT, cancelled_by=BERIT))
    await wait_until(lambda: quiet_world.is_done(service))

    answer = await upload(teacher, batch_id, ("a.txt", essay("Anna Ek").encode()))

    assert answer.status_code == 409
    assert await listed(teacher, batch_id) == []


async def test_a_repetition_gets_its_first_answer_although_the_batch_was_cancelled_meanwhile(
    quiet_world: World, files: Running
) -> None:
    teacher, batch_id, key = Person(files), await a_batch(quiet_world), str(uuid4())
    one = ("a.txt", essay("Anna Ek").encode())
    first = await upload(teacher, batch_id, one, key=key)
    await quiet_world.outside.publish(BatchCancelledV1(batch_id=batch_id, teacher_id=BERIT, cancelled_by=BERIT))
    await wait_until(lambda: quiet_world.is_done(service))

    again = await upload(teacher, batch_id, one, key=key)

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()


async def test_only_the_teacher_of_a_batch_may_upload_and_an_operator_may_look(
    quiet_world: World, files: Running
) -> None:
    batch_id, one = await a_batch(quiet_world), ("a.txt", essay("Anna Ek").encode())

    assert (await upload(other_teacher(files), batch_id, one)).status_code == 404
    assert (await upload(Person(files), uuid4(), one)).status_code == 404
    assert (await upload(operator(files), batch_id, one)).status_code == 403
    assert (await other_teacher(files).get(f"/batches/{batch_id}/files")).status_code == 404
    assert await listed(operator(files), batch_id) == []


async def test_files_for_a_batch_made_a_moment_ago_are_taken_as_soon_as_it_is_heard_of(
    quiet_world: World, files: Running
) -> None:
    batch_id = uuid4()
    uploading = asyncio.create_task(upload(Person(files), batch_id, ("a.txt", essay("Anna Ek").encode())))

    await quiet_world.outside.publish(registered(batch_id, 1))

    assert (await uploading).status_code == 202


@pytest.mark.parametrize(
    "body",
    [{"files": [("file", ("a.txt", b"the part has another name"))]}, {"json": {"files": []}}, {}],
    ids=["another name", "json", "nothing"],
)
async def test_a_request_without_files_is_refused_with_the_way_out(
    quiet_world: World, files: Running, body: dict[str, Any]
) -> None:
    batch_id = await a_batch(quiet_world)

    answer = await Person(files).ask("POST", f"/batches/{batch_id}/files", **body, key=str(uuid4()))

    assert answer.status_code == 422
    assert "multipart part named `files`" in answer.json()["detail"]


async def test_what_is_said_keeps_the_order_of_the_uploads_over_many_requests_and_files_too_large(
    quiet_world: World, files: Running
) -> None:
    teacher, batch_id = Person(files), await a_batch(quiet_world)
    in_order: list[str] = []
    for request in range(3):
        named = [(f"{request}-{number}.txt", essay(f"{request} {number}").encode()) for number in range(16)]
        named.insert(8, (f"{request}-large.txt", b"x" * (MOST_BYTES + 1)))
        in_order += [name for name, _ in named]
        (await upload(teacher, batch_id, *named)).raise_for_status()

    rows = await decided(teacher, batch_id, len(in_order))

    assert [row["original_file_name"] for row in rows] == in_order
    assert names(await said(quiet_world, batch_id)) == in_order


async def test_concurrent_uploads_to_one_batch_are_all_taken_once(quiet_world: World, files: Running) -> None:
    teacher, batch_id = Person(files), await a_batch(quiet_world)
    requests = [[(f"{r}-{n}.txt", essay(f"{r} {n}").encode()) for n in range(3)] for r in range(6)]

    answers = await asyncio.gather(*(upload(teacher, batch_id, *named) for named in requests))

    assert {answer.status_code for answer in answers} == {202}
    rows = await decided(teacher, batch_id, 18)
    assert names(await said(quiet_world, batch_id)) == [row["original_file_name"] for row in rows]
    for answer in answers:  # The files of one request stay together, in their order.
        ids = [each["file_upload_id"] for each in answer.json()]
        first = [row["file_upload_id"] for row in rows].index(ids[0])
        assert [row["file_upload_id"] for row in rows[first : first + 3]] == ids


async def test_a_restart_between_the_202_and_the_reading_loses_no_file(world: World) -> None:
    named = [(f"{number}.txt", essay(str(number)).encode()) for number in range(45)]
    async with world.running(service) as files:
        batch_id = await a_batch(world)
        database = await world.database(service)
        (await upload(Person(files), batch_id, *named)).raise_for_status()
        async with database.holding(ROW_OF_BATCHES):
            await wait_until(database.somebody_waits_for_a_lock)
            left = await database.fetch("SELECT 1 FROM uploads WHERE state = 'received'")
            await files.runtime.clock.stop()
    assert len(left) > 0

    restarted = await world.run(service)

    rows = await decided(Person(restarted), batch_id, 45)
    assert {row["state"] for row in rows} == {"provisioned"}
    assert names(await said(world, batch_id)) == [name for name, _ in named]


async def test_an_upload_that_collides_in_the_database_is_stored_whole_by_the_next_attempt(world: World) -> None:
    database = await world.database(service)
    for statement in CONFLICT_ONCE:
        await database.fetch(statement)
    started = await world.run(service)
    teacher, batch_id = Person(started), await a_batch(world)
    text = essay("Anna Ek").encode()

    answer = await upload(teacher, batch_id, ("a.txt", text), ("large.txt", text * 1_000))

    assert answer.status_code == 202
    assert await database.count("uploads") == 2
    stored = await database.fetch("SELECT data FROM contents WHERE storage_id LIKE 'raw-%' ORDER BY length(data)")
    assert [row["data"] for row in stored] == [text, text * 1_000]
