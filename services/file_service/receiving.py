"""Takes the files out of a multipart request: streamed to disk, never all in memory."""

import hashlib
from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile

MAX_FILES = 500
MAX_REQUEST_BYTES = 1_000_000_000
CHUNK = 1_000_000


@dataclass(frozen=True)
class ReceivedFile:
    """One part of the request, spooled to disk."""

    name: str
    size: int
    digest: str
    file: UploadFile

    async def data(self) -> bytes:
        """All its bytes."""
        await self.file.seek(0)
        return await self.file.read()


async def received(request: Request) -> list[ReceivedFile]:
    """The parts named `files`, in their order, open until the request is answered; raises 422 when there are none."""
    form = await request.form(max_files=MAX_FILES)
    parts = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
    if not parts:
        raise HTTPException(422, "files: send at least one file, each as a multipart part named `files`")
    return [await _received(part) for part in parts]


def fingerprint(files: list[ReceivedFile]) -> bytes:
    """What makes two uploads the same: the same names and contents; boundaries differ each time."""
    return hashlib.sha256("\n".join(f"{file.digest} {file.name}" for file in files).encode()).digest()


async def _received(part: UploadFile) -> ReceivedFile:
    await part.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := await part.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return ReceivedFile(_storable(part.filename or ""), size, digest.hexdigest(), part)


def _storable(name: str) -> str:
    """A file name as PostgreSQL can store it."""
    return name.encode(errors="replace").decode().replace("\x00", "")[-255:]
