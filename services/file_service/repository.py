"""The batches, uploads and contents of a unit of work."""

import re
from collections.abc import Collection, Iterable, Sequence
from hashlib import sha256
from uuid import UUID

from common_core.errors import NotFound, NotYet
from common_core.status_enums import UploadState
from service_runtime import UnitOfWork
from service_runtime.auth import Caller, Role
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.file_service.models import Content, KnownBatch, Upload

type Version = tuple[int, int]
"""How many files a batch has and how many of them wait: the first only grows, and while it stands the second falls."""
TEXT_ID = re.compile("text-[0-9a-f]{64}")


async def next_received(session: AsyncSession, batch_id: UUID, most: int) -> list[Upload]:
    """The next files of a batch to be read, in the order of their uploads."""
    received = select(Upload).where(Upload.batch_id == batch_id, Upload.state == UploadState.RECEIVED)
    return list(await session.scalars(received.order_by(Upload.number).limit(most)))


async def files_of(session: AsyncSession, batch_id: UUID) -> list[Upload]:
    """All files of a batch, in the order of their uploads."""
    return list(await session.scalars(select(Upload).where(Upload.batch_id == batch_id).order_by(Upload.number)))


async def versions(session: AsyncSession, batch_ids: Sequence[UUID]) -> dict[UUID, Version]:
    """How far the files of these batches are, in one query."""
    received = func.count().filter(Upload.state == UploadState.RECEIVED)
    query = select(Upload.batch_id, func.count(), received).where(Upload.batch_id.in_(batch_ids))
    rows = (await session.execute(query.group_by(Upload.batch_id))).all()
    return dict.fromkeys(batch_ids, (0, 0)) | {batch_id: (count, pending) for batch_id, count, pending in rows}


class Batches:
    """All batches known here, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def visible(self, batch_id: UUID, caller: Caller) -> KnownBatch:
        """A batch to look at; raises NotYet for one unknown here or not the caller's."""
        batch = await self._work.read(KnownBatch, batch_id)
        if batch is None or not caller.may_read(batch.teacher_id):
            raise NotYet("batch", batch_id)
        return batch

    async def locked(self, batch_id: UUID) -> KnownBatch:
        """A batch that gets files: one request after the other, each before or after the reading of the last."""
        return await self._work.get(KnownBatch, batch_id)


class Uploads:
    """All uploads, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def by_id(self, ids: Sequence[UUID]) -> dict[UUID, Upload]:
        """These uploads; the lock on their batch keeps others from deciding about them."""
        found = await self._work.session.scalars(select(Upload).where(Upload.file_upload_id.in_(ids)))
        return {upload.file_upload_id: upload for upload in found}

    async def any_received(self, batch_id: UUID) -> bool:
        """Whether the batch has files that nobody has read."""
        return bool(await next_received(self._work.session, batch_id, 1))

    async def to_erase(self, batch_id: UUID, texts: Collection[str] | None = None) -> list[Upload]:
        """The files of a batch that have one of these texts, or all; raises NotYet while one is not read."""
        if await self.any_received(batch_id):
            raise NotYet("the reading of the files of batch", batch_id)
        return [each for each in await self.of_batch(batch_id) if texts is None or each.text_storage_id in texts]

    async def of_batch(self, batch_id: UUID) -> list[Upload]:
        """All files of a batch, in the order of their uploads."""
        return await files_of(self._work.session, batch_id)


class Contents:
    """All stored bytes, through one unit of work."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def store(self, storage_id: str, data: bytes) -> None:
        """Store bytes under their id, once."""
        await self._work.session.execute(
            # Touched where it is there: that holds it against somebody who would erase it as nobody's.
            insert(Content)
            .values(storage_id=storage_id, data=data)
            .on_conflict_do_update(index_elements=[Content.storage_id], set_={"stored_at": func.now()})
        )

    async def store_texts(self, texts: Iterable[str]) -> None:
        """Store texts, each once; in the order of their ids, so that two transactions cannot deadlock."""
        named = {f"text-{sha256(text.encode()).hexdigest()}": text.encode() for text in texts}
        for storage_id in sorted(named):
            await self.store(storage_id, named[storage_id])

    async def erase(self, uploads: Sequence[Upload]) -> int:
        """Erase files with their names, bytes and texts, but what another file has as well; how many files."""
        left = [upload for upload in uploads if not upload.erased]
        for upload in left:
            upload.erase()
        session = self._work.session
        await session.flush()
        theirs = {each for upload in uploads for each in (upload.raw_file_storage_id, upload.text_storage_id)}
        ids = sorted(theirs - {None})  # type: ignore[type-var]  # mypy keeps the None
        # Held first, and looked at in a statement of its own: so it sees whoever has stored the same meanwhile.
        held = select(Content.storage_id).where(Content.storage_id.in_(ids)).order_by(Content.storage_id)
        await session.execute(held.with_for_update())
        others = select(Upload).where(~Upload.erased)
        by_bytes = others.where(Upload.raw_file_storage_id == Content.storage_id).exists()
        by_text = others.where(Upload.text_storage_id == Content.storage_id).exists()
        await session.execute(
            delete(Content)
            .where(Content.storage_id.in_(ids), ~by_bytes, ~by_text)
            .execution_options(synchronize_session=False)
        )
        return len(left)

    async def original(self, batch_id: UUID, file_upload_id: UUID) -> bytes:
        """A file of a batch as it was uploaded; raises NotFound, also for one that was too large or is erased."""
        query = (
            select(Content.data)
            .join(Upload, Upload.raw_file_storage_id == Content.storage_id)
            .where(Upload.batch_id == batch_id, Upload.file_upload_id == file_upload_id, ~Upload.erased)
        )
        data = await self._work.session.scalar(query)
        if data is None:
            raise NotFound("file", file_upload_id)
        return bytes(data)

    async def text(self, text_storage_id: str, caller: Caller) -> bytes:
        """A stored text; raises NotFound for one the caller has not uploaded."""
        query = select(Content.data).where(Content.storage_id == text_storage_id)
        if not caller.roles & {Role.SERVICE, Role.OPERATOR}:
            mine = select(Upload).where(Upload.text_storage_id == text_storage_id, Upload.teacher_id == caller.sub)
            query = query.where(mine.exists())
        data = await self._work.session.scalar(query) if TEXT_ID.fullmatch(text_storage_id) else None
        if data is None:
            raise NotFound("text", text_storage_id)
        return bytes(data)
