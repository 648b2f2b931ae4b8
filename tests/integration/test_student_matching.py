"""Every essay of a batch is compared with the roster of its class, whatever comes first; what cannot be had is said."""

import asyncio
import hashlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from common_core.events import (
    BatchAuthorMatchesSuggestedV1,
    EssayMatch,
    EssayRef,
    Event,
    RosterStudent,
)
from common_core.status_enums import NoMatchReason
from service_runtime.testing import Running, wait_until
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.file_service.service import service as file_service
from services.student_matching_service.service import service
from tests.integration.classroom import (
    Person,
    an_essay,
    cancelled,
    confirmed,
    matching_requested,
    registered,
    roster,
    student,
)
from tests.integration.documents import essay
from tests.integration.skew import clock_off_by
from tests.integration.sockets import app_of, served
from tests.integration.world import World

MODULE = "services.student_matching_service.service"
ANNA, BO, CY = student("Anna", "Ek"), student("Bo", "Lindqvist"), student("Cy", "Storvik")


class SlowStore:
    """A file store of somebody else: it answers when it is told to, with the same text for every id."""

    def __init__(self, text: str) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self._text = text

    async def answer(self, _: Request) -> PlainTextResponse:
        self.asked.set()
        await self.may_answer.wait()
        return PlainTextResponse(self._text)

    @property
    def app(self) -> Starlette:
        """Its HTTP face."""
        return Starlette(routes=[Route("/v1/content/{text_id:path}", self.answer)])


@dataclass
class Archive:
    """A running file service, and where it is reached over HTTP."""

    world: World
    files: Running
    url: str

    async def store(self, *texts: str) -> list[EssayRef]:
        """Upload these texts as files; the essays they become."""
        batch_id = uuid4()
        await self.world.outside.publish(registered(batch_id, 1))
        parts = [("files", (f"{number}.txt", text.encode())) for number, text in enumerate(texts)]
        teacher, path = Person(self.files), f"/batches/{batch_id}/files"
        (await teacher.ask("POST", path, files=parts)).raise_for_status()

        async def stored() -> list[EssayRef] | None:
            ids = [each["text_storage_id"] for each in (await teacher.get(path)).json()]
            return [an_essay(text_id) for text_id in ids] if all(ids) else None

        return await wait_until(stored)


@pytest.fixture(scope="module")
async def archive(shared_world: World) -> AsyncIterator[Archive]:
    started = await shared_world.run(file_service, known_within_seconds=5.0)
    async with served(app_of(started)) as url:
        yield Archive(shared_world, started, url)


@pytest.fixture(scope="module")
async def matcher(shared_world: World, archive: Archive) -> Running:
    return await shared_world.run(service, file_service_url=archive.url)


@pytest.fixture
async def quiet_world(shared_world: World, matcher: Running) -> World:  # noqa: ARG001  # it must run
    return shared_world


async def suggestions(world: World, batch_id: UUID, times: int = 1) -> list[EssayMatch]:
    """What was suggested last, once something was suggested so many times and nothing more is to come."""

    async def said() -> list[BatchAuthorMatchesSuggestedV1]:
        heard = await world.listener.said(BatchAuthorMatchesSuggestedV1, batch_id)
        return heard if len(heard) >= times else []

    await wait_until(said)
    await wait_until(lambda: nothing_to_do(world))
    heard = await said()
    assert len(heard) == times
    return list(heard[-1].results)


async def nothing_to_do(world: World) -> bool:
    return await world.is_done(service) and not await (await world.database(service)).count("timers")


def students(matches: list[EssayMatch]) -> list[list[UUID]]:
    return [[each.student_id for each in match.suggestions] for match in matches]


async def a_class(world: World, *people: RosterStudent, version: int = 1, class_id: UUID | None = None) -> UUID:
    known = class_id or uuid4()
    await world.outside.publish(roster(known, version, *people))
    return known


async def request(world: World, class_id: UUID, *essays: EssayRef) -> UUID:
    batch_id = uuid4()
    await world.outside.publish(matching_requested(batch_id, class_id, essays))
    return batch_id


def the_end(batch_id: UUID, class_id: UUID, how: str) -> Event:
    """The associations are confirmed, or the batch is cancelled."""
    return cancelled(batch_id) if how == "cancelled" else confirmed(batch_id, class_id)


async def waits(world: World, batch_id: UUID) -> bool:
    """Whether matching this batch was tried, and will be tried again."""
    database = await world.database(service)
    return bool(await database.fetch("SELECT 1 FROM timers WHERE aggregate_id = $1 AND attempts > 0", batch_id))


async def test_the_texts_are_read_over_http_and_every_essay_is_matched_with_its_author(
    quiet_world: World, archive: Archive
) -> None:
    world = quiet_world
    heads = ["Anna Ek", "Namn: Bo Lindqvist", "Storvik, Cy", "My summer", "Name: Vera Holmdal"]
    essays = await archive.store(*map(essay, heads))
    class_id = await a_class(world, ANNA, BO, CY)

    batch_id, event_id = uuid4(), str(uuid4())
    await world.outside.publish(matching_requested(batch_id, class_id, essays), event_id=event_id)

    matches = await suggestions(world, batch_id)
    assert students(matches) == [[ANNA.student_id], [BO.student_id], [CY.student_id], [], []]
    assert [EssayRef.model_validate(match.model_dump()) for match in matches] == essays
    assert [match.no_match_reason for match in matches[3:]] == [
        NoMatchReason.NO_IDENTITY_FOUND,
        NoMatchReason.NO_STUDENT_FOUND,
    ]
    (heard,) = await world.listener.all_of(BatchAuthorMatchesSuggestedV1, batch_id)
    assert heard.envelope.causation_id == event_id


@pytest.mark.parametrize("minutes", [10, -10])
async def test_a_matcher_whose_clock_is_wrong_reads_the_texts_all_the_same(
    world: World, archive: Archive, minutes: int
) -> None:
    (written,) = await archive.store(essay(f"Anna Ek {minutes}"))
    variables = {"SCRIPTORIUM_FILE_SERVICE_URL": archive.url, **clock_off_by(minutes)}
    await world.process(service, MODULE, variables=variables)

    batch_id = await request(world, await a_class(world, ANNA), written)

    assert students(await suggestions(world, batch_id)) == [[ANNA.student_id]]


async def test_a_request_that_comes_before_the_roster_waits_for_it(quiet_world: World, archive: Archive) -> None:
    world, class_id = quiet_world, uuid4()
    (hers,) = await archive.store(essay("Anna Ek"))

    batch_id = await request(world, class_id, hers)
    await wait_until(lambda: waits(world, batch_id))
    assert await world.listener.said(BatchAuthorMatchesSuggestedV1, batch_id) == []
    await a_class(world, ANNA, class_id=class_id)

    assert students(await suggestions(world, batch_id)) == [[ANNA.student_id]]


async def test_a_text_that_is_not_there_yet_is_waited_for(quiet_world: World, archive: Archive) -> None:
    world, text = quiet_world, essay(f"Bo Lindqvist\n{uuid4()}")
    later = an_essay(f"text-{hashlib.sha256(text.encode()).hexdigest()}")
    class_id = await a_class(world, ANNA, BO)

    batch_id = await request(world, class_id, later)
    await wait_until(lambda: waits(world, batch_id))
    assert await world.listener.said(BatchAuthorMatchesSuggestedV1, batch_id) == []
    await archive.store(text)

    assert students(await suggestions(world, batch_id)) == [[BO.student_id]]


async def test_the_same_request_again_is_answered_once(quiet_world: World, archive: Archive) -> None:
    (hers,) = await archive.store(essay("Anna Ek"))
    class_id, batch_id = await a_class(quiet_world, ANNA), uuid4()

    for _ in range(3):
        await quiet_world.outside.publish(matching_requested(batch_id, class_id, [hers]))

    assert students(await suggestions(quiet_world, batch_id)) == [[ANNA.student_id]]
    assert await (await quiet_world.database(service)).count("parked_messages") == 0


async def test_when_the_roster_changes_open_batches_are_matched_anew(quiet_world: World, archive: Archive) -> None:
    world = quiet_world
    (his,) = await archive.store(essay("Bo Lindqvist"))
    class_id = await a_class(world, ANNA)
    batch_id = await request(world, class_id, his)
    assert students(await suggestions(world, batch_id)) == [[]]

    await a_class(world, ANNA, BO, class_id=class_id, version=2)

    assert students(await suggestions(world, batch_id, times=2)) == [[BO.student_id]]


async def test_an_older_roster_or_the_same_again_matches_nothing_anew(quiet_world: World, archive: Archive) -> None:
    world = quiet_world
    (his,) = await archive.store(essay("Bo Lindqvist"))
    class_id = await a_class(world, ANNA, BO, version=2)
    batch_id = await request(world, class_id, his)
    await suggestions(world, batch_id)

    await a_class(world, ANNA, class_id=class_id, version=1)
    await a_class(world, ANNA, class_id=class_id, version=2)
    await wait_until(lambda: nothing_to_do(world))

    assert students(await suggestions(world, batch_id)) == [[BO.student_id]]


@pytest.mark.parametrize("how", ["confirmed", "cancelled"])
async def test_after_the_end_a_changed_roster_matches_nothing_anew(
    quiet_world: World, archive: Archive, how: str
) -> None:
    world = quiet_world
    (his,) = await archive.store(essay("Bo Lindqvist"))
    class_id = await a_class(world, ANNA)
    batch_id = await request(world, class_id, his)
    await suggestions(world, batch_id)
    await world.outside.publish(the_end(batch_id, class_id, how))
    await wait_until(lambda: nothing_to_do(world))

    await a_class(world, ANNA, BO, class_id=class_id, version=2)

    await wait_until(lambda: nothing_to_do(world))
    assert students(await suggestions(world, batch_id)) == [[]]


async def test_a_batch_confirmed_while_it_waits_for_its_texts_is_not_matched_any_more(quiet_world: World) -> None:
    world = quiet_world
    class_id = await a_class(world, ANNA)
    batch_id = await request(world, class_id, an_essay())
    await wait_until(lambda: waits(world, batch_id))

    await world.outside.publish(the_end(batch_id, class_id, "confirmed"))

    await wait_until(lambda: nothing_to_do(world))
    assert await world.listener.said(BatchAuthorMatchesSuggestedV1, batch_id) == []


async def test_what_cannot_be_had_within_the_limit_is_said_with_its_reason(world: World) -> None:
    with socket.socket() as taken:  # Bound but not listening: every connection is refused.
        taken.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{taken.getsockname()[1]}"
        await world.run(service, file_service_url=nowhere, matching_patience_minutes=0.5 / 60)
        class_id = await a_class(world, ANNA)

        without_text = await request(world, class_id, an_essay(), an_essay())
        without_roster = await request(world, uuid4(), an_essay())

        texts = await suggestions(world, without_text)
        rosters = await suggestions(world, without_roster)
    assert [match.no_match_reason for match in texts] == [NoMatchReason.TEXT_UNAVAILABLE] * 2
    assert [match.no_match_reason for match in rosters] == [NoMatchReason.ROSTER_UNAVAILABLE]
    assert students(texts + rosters) == [[], [], []]


async def test_a_matcher_that_is_restarted_while_a_text_is_missing_goes_on(world: World) -> None:
    class_id, text = uuid4(), essay("Anna Ek")
    files = await world.run(file_service, known_within_seconds=5.0)
    async with served(app_of(files)) as url:
        async with world.running(service, file_service_url=url):
            await a_class(world, ANNA, class_id=class_id)
            digest = hashlib.sha256(text.encode()).hexdigest()
            batch_id = await request(world, class_id, an_essay(f"text-{digest}"))
            await wait_until(lambda: waits(world, batch_id))
        await Archive(world, files, url).store(text)

        async with world.running(service, file_service_url=url):
            matches = await suggestions(world, batch_id)

    assert students(matches) == [[ANNA.student_id]]


async def test_what_was_found_with_a_roster_that_changed_meanwhile_is_not_said(world: World) -> None:
    store, database = SlowStore(essay("Bo Lindqvist")), await world.database(service)
    async with served(store.app) as url, world.running(service, file_service_url=url):
        class_id = await a_class(world, ANNA)
        batch_id = await request(world, class_id, an_essay("s3://essays/1"))
        await store.asked.wait()
        await a_class(world, ANNA, BO, class_id=class_id, version=2)
        newest = "SELECT 1 FROM known_rosters WHERE roster_version = 2"
        await wait_until(lambda: database.fetch(newest))

        store.may_answer.set()

        assert students(await suggestions(world, batch_id)) == [[BO.student_id]]
