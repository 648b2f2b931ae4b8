"""Reads the files of a batch, some at a time in the order of their uploads; slow, so outside any transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from service_runtime import Cause
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.file_service.extraction import ExtractionFailed
from services.file_service.extractor import Extractor
from services.file_service.models import Content, KnownBatch, Outcome, Outcomes, Upload
from services.file_service.repository import next_received
from services.file_service.settings import Settings

FILES_AT_ONCE = 20

type Sessions = Callable[[], AbstractAsyncContextManager[AsyncSession]]


@dataclass(frozen=True)
class FileReader:
    """The sandboxed workers, and how large a file may be."""

    workers: Extractor
    most_bytes: int

    async def outcome(self, upload: Upload, sessions: Sessions) -> Outcome:
        """What reading this file gives; a file that is too large was not even stored."""
        if upload.raw_file_storage_id is None:
            return Outcome.too_large(upload.file_size_bytes, self.most_bytes)
        async with sessions() as session:
            stored = select(Content.data).where(Content.storage_id == upload.raw_file_storage_id)
            data = await session.scalar(stored)
        try:
            return Outcome(await self.workers.extract(data or b""))
        except ExtractionFailed as failed:
            return Outcome(None, failed.code, failed.detail)


@asynccontextmanager
async def reader(settings: Settings) -> AsyncIterator[FileReader]:
    """The sandboxed workers, for as long as the service runs."""
    workers = Extractor(settings.extraction_workers, settings.extraction_seconds)
    try:
        yield FileReader(workers, settings.max_file_bytes)
    finally:
        await workers.close()


async def read_files(batch: KnownBatch, _cause: Cause, reads: FileReader, sessions: Sessions) -> Outcomes:
    """The outcome of the batch's next files."""
    async with sessions() as session:
        waiting = await next_received(session, batch.batch_id, FILES_AT_ONCE)
    outcomes = await asyncio.gather(*(reads.outcome(upload, sessions) for upload in waiting))
    return [(upload.file_upload_id, outcome) for upload, outcome in zip(waiting, outcomes, strict=True)]
