"""Who watches a batch hears of each file as it is read, until nothing is pending or the service stops."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from service_runtime.testing import Running, bearer, wait_until

from services.file_service import progress
from services.file_service.service import service
from tests.integration.classroom import BERIT, Person, other_teacher
from tests.integration.sockets import app_of, served
from tests.integration.test_file_service import a_batch
from tests.integration.world import Database, World

EVENTS = {"Accept": "text/event-stream"}
RECEIVED = """
    INSERT INTO uploads (file_upload_id, batch_id, number, teacher_id, original_file_name, file_size_bytes, state)
    VALUES (gen_random_uuid(), $1, $2, 'berit', $3, 1, 'received')
"""
READ = "UPDATE uploads SET state = $3, text_storage_id = $4 WHERE batch_id = $1 AND original_file_name = $2"

type Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
async def files(shared_world: World) -> Running:
    return await shared_world.run(service, known_within_seconds=0.5, progress_watchers=3)


@asynccontextmanager
async def watching(files: Running, url: str, batch_id: UUID) -> AsyncIterator[AsyncIterator[Event]]:
    """What a teacher on a socket hears of a batch."""
    headers = bearer(files.runtime.settings, BERIT) | EVENTS
    async with (
        httpx.AsyncClient(timeout=60) as http,
        http.stream("GET", f"{url}/v1/batches/{batch_id}/files", headers=headers) as answer,
    ):
        assert answer.raise_for_status().headers["Content-Type"].startswith("text/event-stream")
        yield events(answer)


async def events(answer: httpx.Response) -> AsyncIterator[Event]:
    kind = ""
    async for line in answer.aiter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def in_short(heard: list[Event]) -> list[str]:
    return [f"{each['original_file_name']} {each['state']}" for kind, each in heard if kind == "file"]


def tasks_that_look() -> int:
    return sum(task.get_name() == "progress" for task in asyncio.all_tasks())


async def received(database: Database, batch_id: UUID, *names: str) -> None:
    """Files that nobody reads, since no timer is set for them."""
    for number, name in enumerate(names):
        await database.fetch(RECEIVED, batch_id, number, name)


async def test_every_change_is_told_once_to_all_who_watch_until_nothing_is_pending(
    shared_world: World, files: Running
) -> None:
    batch_id, database = await a_batch(shared_world), await shared_world.database(service)
    await received(database, batch_id, "a.txt", "b.txt")
    async with served(app_of(files)) as url, AsyncExitStack() as watchers:
        streams = [await watchers.enter_async_context(watching(files, url, batch_id)) for _ in range(3)]
        heard = [[await anext(stream), await anext(stream)] for stream in streams]
        tasks = tasks_that_look()
        for name, state, text in (("b.txt", "failed", None), ("a.txt", "provisioned", "text-a")):
            await database.fetch(READ, batch_id, name, state, text)
            for stream, already in zip(streams, heard, strict=True):
                already.append(await anext(stream))
        rest = [[each async for each in stream] for stream in streams]

    assert tasks == 1, "one look at the database for all who watch"
    for each in heard:
        assert in_short(each) == ["a.txt received", "b.txt received", "b.txt failed", "a.txt provisioned"]
    assert rest == [[("settled", {"provisioned": 1, "failed": 1})]] * 3
    await wait_until(lambda: tasks_that_look() == 0)


async def test_a_batch_where_nothing_is_pending_is_settled_at_once(shared_world: World, files: Running) -> None:
    answer = await Person(files).ask("GET", f"/batches/{await a_batch(shared_world)}/files", headers=EVENTS)

    assert answer.text == 'event: settled\ndata: {"provisioned":0,"failed":0}\n\n'


async def test_only_who_may_see_the_files_may_watch_them_and_only_so_many_at_a_time(
    shared_world: World, files: Running
) -> None:
    batch_id, database = await a_batch(shared_world), await shared_world.database(service)
    path = f"/batches/{batch_id}/files"
    await received(database, batch_id, "a.txt")
    async with served(app_of(files)) as url:
        async with AsyncExitStack() as watchers, asyncio.timeout(30):
            streams = [await watchers.enter_async_context(watching(files, url, batch_id)) for _ in range(3)]
            assert [kind for kind, _ in [await anext(stream) for stream in streams]] == ["file"] * 3
            refused = await Person(files).ask("GET", path, headers=EVENTS)
            assert len((await Person(files).get(path)).json()) == 1

        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
        assert (await other_teacher(files).ask("GET", path, headers=EVENTS)).status_code == 404
        # Who hangs up makes room.
        await wait_until(lambda: tasks_that_look() == 0)


async def test_while_nothing_happens_a_watcher_hears_that_the_stream_lives_until_its_time_is_over(
    shared_world: World, files: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id, database = await a_batch(shared_world), await shared_world.database(service)
    await received(database, batch_id, "a.txt")
    headers = bearer(files.runtime.settings, BERIT) | EVENTS
    async with served(app_of(files)) as url, httpx.AsyncClient(timeout=60) as http:
        path = f"{url}/v1/batches/{batch_id}/files"
        monkeypatch.setattr(progress, "SILENCE_SECONDS", 0.05)
        async with asyncio.timeout(30), http.stream("GET", path, headers=headers) as answer:
            lines = answer.aiter_lines()
            heard = [await anext(lines) for _ in range(8)]
        monkeypatch.setattr(progress, "WATCH_SECONDS", 0.0)
        over = await http.get(path, headers=headers)

    assert heard.count(": ping") >= 2
    assert (over.status_code, over.text) == (200, ""), "neither a file nor settled"


async def test_a_service_that_stops_ends_its_streams_instead_of_waiting_for_them(world: World) -> None:
    started = await world.run(service)
    batch_id, database = await a_batch(world), await world.database(service)
    await received(database, batch_id, "a.txt")
    async with AsyncExitStack() as watchers, asyncio.timeout(60):
        async with served(app_of(started)) as url:
            stream = await watchers.enter_async_context(watching(started, url, batch_id))
            heard = [await anext(stream)]
        heard += [each async for each in stream]

    assert in_short(heard) == ["a.txt received"]
    assert len(heard) == 1, "not settled"
