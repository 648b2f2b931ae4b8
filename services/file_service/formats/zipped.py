"""Documents that are zip archives inside (docx, odt): which kind one is, and its parts unpacked within a limit."""

import io
import re
import zipfile
from collections.abc import Iterable

from services.file_service.formats import opendocument, word
from services.file_service.formats.failures import (
    ExtractionFailed,
    archive,
    damaged,
    encrypted,
    pages_document,
    too_large,
    unsupported,
)

UNPACKED = 8_000_000
"""Bytes that the parts we read may unpack to. The longest essay needs a quarter; the trees take 15 times as much."""

APPLE = ("Index/Document.iwa", "Index.zip", "index.xml")
OPEN_DOCUMENT = (opendocument.TYPE, opendocument.CONTENT, opendocument.MANIFEST)
DOCUMENTS = frozenset({word.TYPES, *OPEN_DOCUMENT, "META-INF/MANIFEST.MF", "AndroidManifest.xml", *APPLE})
"""Members that only documents and programs have; an archive without any is a folder that somebody packed."""

FIRST_NAME = 30
"""Where the name of the first member begins."""
FIRST_IN_DOCUMENTS = re.compile(rb"\[Content_Types\]\.xml|mimetype|_rels/\.rels|(?:word|docProps)/\w+\.xml")


class _Package:
    """One document's archive; what is read of it counts against the limit."""

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._opened, self._left = opened, UNPACKED
        self.members = {member.filename: member for member in opened.infolist()}

    def read(self, name: str) -> bytes:
        """One part. The limit is on declared sizes; zipfile unpacks no more than is declared."""
        member = self.members[name]
        if member.flag_bits & 1:
            raise encrypted()
        self._left -= member.file_size
        if self._left < 0:
            raise too_large(UNPACKED)
        return self._opened.read(member)


def is_document(names: Iterable[str], begins: bytes) -> bool:
    """Whether an archive with these members, and these first bytes, is one document, not a folder of files.

    The list of members stands at the end, so of a damaged document one of both may be all that is left.
    """
    return not DOCUMENTS.isdisjoint(names) or FIRST_IN_DOCUMENTS.match(begins, FIRST_NAME) is not None


def text_of(data: bytes) -> str:
    """The text of the document in this archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as opened:
            return _text(_Package(opened), data)
    except (ExtractionFailed, MemoryError):
        raise
    except Exception as error:  # Where a file is damaged, zipfile, zlib and lxml each raise their own kinds.
        raise _failure(data) from error


def _text(package: _Package, data: bytes) -> str:
    names = package.members.keys()
    if not is_document(names, data):
        raise archive()
    if opendocument.TYPE in names:
        return opendocument.text_of(names, package.read)
    if not names.isdisjoint(APPLE):
        raise pages_document()
    return word.text_of(package.read)


def _failure(data: bytes) -> ExtractionFailed:
    if b"word/document" in data:
        return damaged("Word document")
    return damaged("OpenDocument text") if opendocument.TEXT_DOCUMENT in data else unsupported()
