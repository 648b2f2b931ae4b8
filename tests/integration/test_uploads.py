"""A folder of files gets through: in one request or many, also when connections are cut, and never at others' cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from service_runtime.testing import Running, bearer, wait_until

from services.file_service.service import service
from services.file_service.spool import MAX_FILES
from tests.integration.classroom import BERIT, Person, registered
from tests.integration.documents import essay
from tests.integration.sockets import app_of, served
from tests.integration.world import World

FILES = [("files", (f"{number}.txt", essay(f"Student {number}").encode())) for number in range(3)]


@pytest.fixture(scope="module")
async def files(shared_world: World) -> Running:
    return await shared_world.run(service, uploads_at_once=1, upload_wait_seconds=0, upload_silence_seconds=5)


async def a_batch(world: World) -> UUID:
    batch_id = uuid4()
    await world.outside.publish(registered(batch_id, 5))
    await wait_until(lambda: world.is_done(service))
    return batch_id


class Sender:
    """A teacher on a real socket who can be cut off."""

    def __init__(self, started: Running, url: str, batch_id: UUID) -> None:
        self.url, self.path = url, f"/v1/batches/{batch_id}/files"
        self.headers = {**bearer(started.runtime.settings, BERIT), "Idempotency-Key": str(uuid4())}
        self.request = httpx.Request("POST", url + self.path, headers=self.headers, files=FILES)

    async def send(self) -> httpx.Response:
        """The whole request."""
        async with httpx.AsyncClient(timeout=30) as http:
            return await http.post(self.url + self.path, headers=self.headers, files=FILES)

    @asynccontextmanager
    async def sending(self, share: float) -> AsyncIterator[asyncio.StreamReader]:
        """That share of the request's body; at the end of the block the connection is cut."""
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(self.url).port)
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.request.headers.items())]
        body = self.request.read()
        writer.write("\r\n".join([*lines, "", ""]).encode() + body[: int(len(body) * share)])
        await writer.drain()
        try:
            yield reader
        finally:
            writer.transport.abort()


async def names(started: Running, batch_id: UUID) -> list[str]:
    return [each["original_file_name"] for each in (await Person(started).get(f"/batches/{batch_id}/files")).json()]


async def test_while_there_is_no_room_others_are_told_to_come_again_and_a_cut_connection_makes_room(
    shared_world: World, files: Running, caplog: pytest.LogCaptureFixture
) -> None:
    batch_id = await a_batch(shared_world)
    async with served(app_of(files)) as url:
        sender = Sender(files, url, batch_id)
        async with sender.sending(0.5):
            refused = await wait_until(lambda: refusal(Sender(files, url, batch_id)))
            assert await names(files, batch_id) == []

        answer = await wait_until(lambda: success(sender))
        again = await sender.send()

    assert int(refused.headers["Retry-After"]) > 0
    assert answer.json() == again.json()
    assert await names(files, batch_id) == ["0.txt", "1.txt", "2.txt"]
    assert "request_failed" not in caplog.text, "a sender who hangs up is no bug of ours"


async def refusal(sender: Sender) -> httpx.Response | None:
    async with httpx.AsyncClient(timeout=30) as http:
        answer = await http.post(sender.url + sender.path, headers=sender.headers, files={"other": b""})
    return answer if answer.status_code == 503 else None


async def success(sender: Sender) -> httpx.Response | None:
    answer = await sender.send()
    return answer if answer.status_code == 202 else None


async def test_an_answer_that_nobody_heard_is_given_again(shared_world: World, files: Running) -> None:
    batch_id = await a_batch(shared_world)
    async with served(app_of(files)) as url:
        sender = Sender(files, url, batch_id)
        async with sender.sending(1.0):
            await wait_until(lambda: names(files, batch_id))

        again = await wait_until(lambda: success(sender))

    stored = (await Person(files).get(f"/batches/{batch_id}/files")).json()
    assert [each["file_upload_id"] for each in again.json()] == [each["file_upload_id"] for each in stored]
    assert len(stored) == 3


async def test_who_is_silent_in_the_middle_of_an_upload_is_told_so_and_makes_room(world: World) -> None:
    started = await world.run(service, uploads_at_once=1, upload_silence_seconds=0.2)
    batch_id = await a_batch(world)
    async with served(app_of(started)) as url:
        sender = Sender(started, url, batch_id)
        async with sender.sending(0.5) as reader:
            assert b"408" in await reader.readline()

        assert (await sender.send()).status_code == 202


async def test_a_folder_of_500_files_is_taken_in_one_request_and_no_more(shared_world: World, files: Running) -> None:
    teacher, batch_id = Person(files), await a_batch(shared_world)
    folder = [("files", (f"{number}.txt", b"")) for number in range(MAX_FILES)]

    answer = await teacher.ask("POST", f"/batches/{batch_id}/files", files=folder)
    too_many = await teacher.ask("POST", f"/batches/{batch_id}/files", files=[*folder, *folder[:1]])

    assert (answer.status_code, too_many.status_code) == (202, 400)
    assert await names(files, batch_id) == [f"{number}.txt" for number in range(MAX_FILES)]
