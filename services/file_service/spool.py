"""Room for uploads on disk: a request that finds none waits before its files are read, or is told to come again."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import HTTPException

from services.file_service.archives import MOST_BYTES, MOST_FILES

MAX_FILES, MAX_REQUEST_BYTES = MOST_FILES, MOST_BYTES
RETRY_AFTER_SECONDS = 5
OTHER_OPEN_FILES = 500


class Spool:
    """How many requests with files, and how many of their bytes, one process takes at the same time."""

    def __init__(self, most_requests: int, most_bytes: int, patience: float) -> None:
        self._requests_left, self._bytes_left, self._patience = most_requests, most_bytes, patience
        self._freed = asyncio.Event()
        _allow_open_files(most_requests * MAX_FILES + OTHER_OPEN_FILES)

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[None]:
        """Room for a request of so many bytes; raises 503 with `Retry-After` when none came within `patience` s."""
        try:
            async with asyncio.timeout(self._patience):
                while self._requests_left == 0 or self._bytes_left < size:
                    await self._freed.wait()
        except TimeoutError:
            detail = "as many uploads as fit are being taken just now; send the same again in a moment"
            raise HTTPException(503, detail, headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from None
        self._requests_left -= 1
        self._bytes_left -= size
        try:
            yield
        finally:
            self._requests_left += 1
            self._bytes_left += size
            self._freed.set()
            self._freed = asyncio.Event()


def _allow_open_files(most: int) -> None:
    """Every file of a request is an open one; the usual soft limit of 1,024 is that of old programs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
