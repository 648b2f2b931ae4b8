"""What becomes of a batch's files, told as it happens: one look at the database for all who watch, none for nobody."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from common_core.status_enums import UploadState
from fastapi import HTTPException, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from service_runtime import signals
from service_runtime.database import BROKEN_WIRE
from service_runtime.unit_of_work import UnitsOfWork
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import Receive, Scope, Send

from services.file_service.models import Upload
from services.file_service.repository import Version, files_of, versions
from services.file_service.views import Settled, file_views

EVENT_STREAM = EventSourceResponse.media_type
LOOK_SECONDS = 0.25
WATCH_SECONDS = 600.0
"""Then a watcher has to come again, with a token that is still good."""
SILENCE_SECONDS = 15.0
"""So often a watcher hears something, or proxies would think the connection dead."""
RETRY_AFTER_SECONDS = 30


@dataclass
class Watched:
    """A batch that is watched: an event for each of its files, shared by all who watch."""

    watchers: int = 0
    version: Version | None = None
    events: Mapping[UUID, bytes] = field(default_factory=dict)
    ending: bytes | None = None
    """The last event; None while files are pending."""
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def update(self, version: Version, uploads: Sequence[Upload]) -> None:
        """Tell the watchers what the files are now."""
        views = file_views(uploads)
        states = Counter(view.state for view in views)
        done = Settled(provisioned=states[UploadState.PROVISIONED], failed=states[UploadState.FAILED])
        self.version = version
        self.events = {
            view.file_upload_id: format_sse_event(event="file", data_str=view.model_dump_json()) for view in views
        }
        pending = states[UploadState.RECEIVED]
        self.ending = None if pending else format_sse_event(event="settled", data_str=done.model_dump_json())
        self.wake()

    def wake(self) -> None:
        """Let all watchers look; those who come later wait for the next time."""
        self.news.set()
        self.news = asyncio.Event()


class Progress:
    """All batches that are watched in this process."""

    def __init__(self, units: UnitsOfWork, stopping: asyncio.Event, most_watchers: int) -> None:
        self._units, self._stopping, self._room = units, stopping, most_watchers
        self._watched: dict[UUID, Watched] = {}
        self._looking: asyncio.Task[None] | None = None

    def answer(self, batch_id: UUID) -> EventSourceResponse:
        """A stream of events until nothing is pending; raises 503 when too many watch."""
        if self._room <= 0:
            detail = "too many are watching just now; ask without Accept: text/event-stream, or again later"
            raise HTTPException(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
        return _Stream(self._events(batch_id), headers={"X-Accel-Buffering": "no"})

    async def _events(self, batch_id: UUID) -> AsyncGenerator[bytes]:
        until = asyncio.get_running_loop().time() + WATCH_SECONDS
        told: Mapping[UUID, bytes] = {}
        with self._watching(batch_id) as watched:
            while not self._stopping.is_set() and asyncio.get_running_loop().time() < until:
                news, events, ending = watched.news, watched.events, watched.ending
                # Compared with what was told: who reads slowly misses steps in between, and nothing queues up.
                if changed := b"".join(event for file, event in events.items() if told.get(file) != event):
                    yield changed
                told = events
                if ending:
                    yield ending
                    return
                await signals.wait(news, SILENCE_SECONDS)
                if not news.is_set():
                    yield KEEPALIVE_COMMENT

    @contextlib.contextmanager
    def _watching(self, batch_id: UUID) -> Iterator[Watched]:
        watched = self._watched.setdefault(batch_id, Watched())
        watched.watchers += 1
        self._room -= 1
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="progress")
        try:
            yield watched
        finally:
            self._room += 1
            watched.watchers -= 1
            if not watched.watchers:
                del self._watched[batch_id]

    async def _look(self) -> None:
        """Look again and again, as long as anybody watches."""
        while self._watched and not self._stopping.is_set():
            # The next look may go well; `/readyz` says what is wrong.
            with contextlib.suppress(SQLAlchemyError, *BROKEN_WIRE):
                await self._look_once()
            await signals.wait(self._stopping, LOOK_SECONDS)
        for watched in self._watched.values():
            watched.wake()

    async def _look_once(self) -> None:
        async with self._units.reading() as session:
            for batch_id, version in (await versions(session, list(self._watched))).items():
                if (watched := self._watched.get(batch_id)) and watched.version != version:
                    uploads = await files_of(session, batch_id)
                    watched.update(version, uploads)


class _Stream(EventSourceResponse):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Who does not read what is sent would hold the connection for ever.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS + SILENCE_SECONDS), contextlib.aclosing(self.body_iterator):  # type: ignore[type-var]  # a generator
                await super().__call__(scope, receive, send)


def wants_events(request: Request) -> bool:
    """Whether a caller asks for a stream of events."""
    return EVENT_STREAM in request.headers.get("Accept", "").lower()
