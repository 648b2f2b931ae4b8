"""Takes the files out of a multipart request, and out of archives: streamed to disk, never all in memory."""

import asyncio
import hashlib
import unicodedata
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from services.file_service.archives import Member, members
from services.file_service.spool import MAX_FILES, MAX_REQUEST_BYTES, Spool

CHUNK = 1_000_000


@dataclass(frozen=True)
class ReceivedFile:
    """One file of the request, spooled to disk."""

    name: str
    size: int
    digest: str
    data: Callable[[], Awaitable[bytes]]
    """All its bytes, for as long as the request is not answered."""


async def received(request: Request) -> list[ReceivedFile]:
    """The parts named `files`, in their order, an archive as the files in it; on disk until the request is answered.

    Raises 422 with what is wrong, 503 when there is no room, and 408 when the sender is silent for too long.
    """
    if not hasattr(request.state, "received"):
        request.state.received = await _received_parts(request)
    found: list[ReceivedFile] = request.state.received
    if not found:
        raise HTTPException(422, "files: send at least one file, each as a multipart part named `files`")
    return found


async def _received_parts(request: Request) -> list[ReceivedFile]:
    if not request.headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        return []
    until_answered: AsyncExitStack = request.state.until_answered
    announced = request.headers.get("Content-Length", "")
    size = int(announced) if announced.isdecimal() else MAX_REQUEST_BYTES
    spool: Spool = request.app.state.spool
    await until_answered.enter_async_context(spool.room(size))
    chunks = _chunks(request, request.app.state.settings.upload_silence_seconds)
    try:
        form = await _ToDisk(request.headers, chunks, max_files=MAX_FILES).parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    until_answered.push_async_callback(form.close)
    files = [file for part in form.getlist("files") for file in await _files(part)]
    if len(files) > MAX_FILES:
        raise HTTPException(422, f"files: these are {len(files)} files, {MAX_FILES} are allowed; send several requests")
    return files


class _ToDisk(MultiPartParser):
    spool_max_size = 16_384
    """Bytes of a file in memory before it goes to disk: Starlette's 1 MB, for 500 files, is more than we have."""
    _is_whole = False

    def on_end(self) -> None:
        self._is_whole = True

    async def parse(self) -> FormData:
        """All parts; raises MultiPartException for a body that ends before its last boundary."""
        self.stream = self._whole(self.stream)
        return await super().parse()

    async def _whole(self, chunks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        async for chunk in chunks:
            yield chunk
        if not self._is_whole:  # Starlette leaves out the file in which it ends, in silence.
            raise MultiPartException("the body ends before its last boundary, so a file is cut; send the same again")


async def _chunks(request: Request, silence_seconds: float) -> AsyncGenerator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(silence_seconds):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise HTTPException(408, f"nothing came for {silence_seconds:g} s; send the same again") from None
        yield chunk


def fingerprint(files: list[ReceivedFile]) -> bytes:
    """What makes two uploads the same: the same names and contents; boundaries differ each time."""
    return hashlib.sha256("\n".join(f"{file.digest} {file.name}" for file in files).encode()).digest()


async def _files(part: UploadFile | str) -> list[ReceivedFile]:
    if isinstance(part, str):
        raise HTTPException(422, "files: a part has no filename; give one as `filename`, in UTF-8, not as `filename*`")
    name = _storable(part.filename or "")
    packed = await asyncio.to_thread(members, part.file, name)
    return [await _received(part, name)] if packed is None else [await _unpacked(member) for member in packed]


async def _received(part: UploadFile, name: str) -> ReceivedFile:
    await part.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := await part.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return ReceivedFile(name, size, digest.hexdigest(), partial(_data, part))


async def _unpacked(member: Member) -> ReceivedFile:
    digest = await asyncio.to_thread(member.digest)
    return ReceivedFile(_storable(member.name), member.size, digest, partial(asyncio.to_thread, member.data))


async def _data(part: UploadFile) -> bytes:
    await part.seek(0)
    return await part.read()


def _storable(name: str) -> str:
    """A file name as PostgreSQL can store it, in the one spelling (NFC) that equal names have."""
    valid = name.encode(errors="replace").decode().replace("\x00", "")
    return unicodedata.normalize("NFC", valid)[-255:]
