"""Who watches goes on watching when the database fails for a while, and is let go when the service stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg
import pytest
from service_runtime.unit_of_work import UnitsOfWork
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from services.file_service import progress
from services.file_service.progress import Progress


class FailingDatabase:
    """Every look at it fails, and is counted."""

    def __init__(self, error: Exception) -> None:
        self.error, self.looks, self.seen_again = error, 0, asyncio.Event()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        self.looks += 1
        if self.looks == 3:
            self.seen_again.set()
        raise self.error
        yield


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT", {}, Exception("the connection was lost")),
        ConnectionRefusedError("nobody listens"),
        asyncpg.TooManyConnectionsError("sorry, too many clients already"),
    ],
    ids=["lost", "refused", "too many"],
)
async def test_a_look_that_fails_is_followed_by_others_until_the_service_stops(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(progress, "SILENCE_SECONDS", 3_600.0)
    database, stopping = FailingDatabase(error), asyncio.Event()
    units: UnitsOfWork = database  # type: ignore[assignment]  # Progress only reads.
    stream = Progress(units, stopping, 1).answer(uuid4()).body_iterator

    async with asyncio.timeout(10):
        watching = asyncio.create_task(anext(aiter(stream), None))
        await database.seen_again.wait()
        assert not watching.done()
        stopping.set()

        assert await watching is None
