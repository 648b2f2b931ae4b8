"""Reads the files of a batch, some at a time in the order of their uploads; slow, so outside any transaction."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID

from service_runtime import Cause
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.file_service.extraction import ExtractionFailed
from services.file_service.extractor import Extractor
from services.file_service.models import Content, KnownBatch, Outcome, Outcomes, Upload
from services.file_service.repository import next_received
from services.file_service.settings import Settings

FILES_AT_ONCE = 20


@asynccontextmanager
async def extractor(settings: Settings) -> AsyncIterator[Extractor]:
    """The sandboxed workers, for as long as the service runs."""
    workers = Extractor(settings.extraction_workers, settings.extraction_seconds)
    try:
        yield workers
    finally:
        await workers.close()


async def read_files(
    batch: KnownBatch,
    _cause: Cause,
    workers: Extractor,
    reading: Callable[[], AbstractAsyncContextManager[AsyncSession]],
) -> Outcomes:
    """The outcome of the batch's next files."""
    async with reading() as session:
        waiting = await next_received(session, batch.batch_id, FILES_AT_ONCE)

    async def read(upload: Upload) -> tuple[UUID, Outcome]:
        async with reading() as session:
            stored = select(Content.data).where(Content.storage_id == upload.raw_file_storage_id)
            data = await session.scalar(stored)
        try:
            return upload.file_upload_id, Outcome(await workers.extract(data or b""))
        except ExtractionFailed as failed:
            return upload.file_upload_id, Outcome(None, failed.code, failed.detail)

    return await asyncio.gather(*map(read, waiting))
