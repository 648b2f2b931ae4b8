"""Archives of essays (zip): the files in one, in their order, and the limits that keep bombs out."""

import errno
import hashlib
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO
from zlib import error as ZlibError  # noqa: N812  # It is an exception.

from common_core.errors import DomainError

from services.file_service.formats.zipped import is_document

CHUNK = 1_000_000
BEGINNING = 200
MOST_FILES, MOST_BYTES = 500, 1_000_000_000
"""As many files, and bytes once unpacked, as one request may bring."""

MOST_AT_ONCE = 2_000_000
"""Bytes of an archive that may be read at once; of its list of files zipfile reads all."""

RATIO, UNSUSPICIOUS = 100, 10_000_000
"""Essays pack to a tenth at best; what unpacks to a hundred times its size, and is not small, is a bomb."""

ARCHIVES = frozenset((".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"))
UTF8, ENCRYPTED = 0x800, 0x1

DAMAGED = (zipfile.BadZipFile, ValueError, NotImplementedError)
"""What zipfile raises of a damaged archive; the last where a version or a packing stands in it that there is not."""


class ArchiveRefused(DomainError):
    """An archive that cannot be taken apart; nothing of its request is stored."""

    http_status = 422

    def __init__(self, archive: str, why: str) -> None:
        super().__init__(f"{archive}: {why}")


@dataclass(frozen=True)
class Member:
    """One file of an archive."""

    archive: str
    name: str
    opened: zipfile.ZipFile
    info: zipfile.ZipInfo

    @property
    def size(self) -> int:
        """Bytes once unpacked, as declared: zipfile unpacks no more."""
        return self.info.file_size

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, a piece at a time; raises ArchiveRefused where they are not what the archive declares."""
        try:
            with self.opened.open(self.info) as file:
                while chunk := file.read(CHUNK):
                    yield chunk
        except (*DAMAGED, ZlibError, EOFError) as error:
            damaged = f"{self.name} in this archive is damaged. Pack the files anew, or upload them without an archive."
            raise ArchiveRefused(self.archive, damaged) from error

    def data(self) -> bytes:
        """All its bytes."""
        return b"".join(self.chunks())

    def digest(self) -> str:
        """The SHA-256 of its bytes."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()


def members(file: IO[bytes], archive: str) -> list[Member] | None:
    """The files of an archive in its order, or None where `file` is something else. Raises ArchiveRefused."""
    file.seek(0)
    begins = file.read(BEGINNING)
    if not begins.startswith(b"PK\x03\x04"):
        return None
    try:
        opened = zipfile.ZipFile(_Bounded(file))
    except DAMAGED:
        return None  # Read like any other file, it is told to be damaged.
    infos = opened.infolist()
    if is_document((info.filename for info in infos), begins):
        return None
    file.seek(0, 2)
    packed = file.tell()
    if why := _refusal([info for info in infos if not info.is_dir()], packed):
        raise ArchiveRefused(archive, why)
    return [Member(archive, _name(info), opened, info) for info in infos if _is_meant(info)]


def _refusal(infos: list[zipfile.ZipInfo], packed: int) -> str | None:
    """Why these are not taken, if they are not."""
    unpacked, meant = sum(info.file_size for info in infos), [info for info in infos if _is_meant(info)]
    if not meant:
        return "there are no files in this archive. Pack the essays anew, or upload them without an archive."
    if len(meant) > MOST_FILES:
        return f"this archive holds {len(meant):,} files, {MOST_FILES} are allowed. Upload them in several requests."
    if unpacked > MOST_BYTES or unpacked > max(UNSUSPICIOUS, RATIO * packed):
        return f"unpacked, this archive has {unpacked:,} bytes. Upload the files in it without an archive."
    return next((f"{_name(info)} in it {why}" for info in meant if (why := _why_not(info))), None)


def _why_not(info: zipfile.ZipInfo) -> str | None:
    """Why this file is not taken, if it is not."""
    if PurePosixPath(info.filename).suffix.lower() in ARCHIVES:
        return "is an archive too. Unpack that one, and upload its files or pack them anew."
    if info.flag_bits & ENCRYPTED:
        return "is protected by a password. Pack the files without a password."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in an unusual way. Pack the files anew as an ordinary zip."
    return None


def _is_meant(info: zipfile.ZipInfo) -> bool:
    """Whether somebody put this file there: not a folder, and nothing that macOS, Windows or Word leave behind."""
    path = PurePosixPath(info.filename)
    left_behind = path.name.startswith((".", "~$")) or path.name.lower() in {"thumbs.db", "desktop.ini"}
    return not (info.is_dir() or left_behind or "__MACOSX" in path.parts)


def _name(info: zipfile.ZipInfo) -> str:
    """Its path in the archive. Where no encoding is declared, macOS means UTF-8 and Windows the one of DOS."""
    if info.flag_bits & UTF8:
        return info.filename
    with suppress(UnicodeEncodeError):  # It was declared in another place, and zipfile has found it there.
        raw = info.filename.encode("cp437")
        with suppress(UnicodeDecodeError):
            return raw.decode()
        return raw.decode("cp850")
    return info.filename


class _Bounded:
    """A file that gives little at a time, so that nobody fills the memory with an archive's list of files.

    It refuses impossible places as files in memory do, on whatever it lies.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.tell, self.seekable, self._file = file.tell, file.seekable, file

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return self._file.seek(offset, whence)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise ValueError("a damaged archive names a place before its beginning") from error

    def read(self, size: int = -1) -> bytes:
        # zipfile takes a list that is cut off for a damaged archive.
        return self._file.read(min(size, MOST_AT_ONCE) if size >= 0 else MOST_AT_ONCE)
