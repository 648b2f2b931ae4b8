"""The text inside an uploaded file, told from its bytes alone; the file's name says nothing.

A sandboxed worker imports only this and `formats`, so nothing here may know the rest of the service.
"""

import re
import unicodedata

from services.file_service.formats import pdf, plain, rtf, zipped
from services.file_service.formats.failures import (
    ExtractionFailed,
    archive,
    empty,
    encrypted,
    old_word,
    picture,
    too_long,
    too_short,
)

__all__ = ["ExtractionFailed", "essay_text", "extract_text", "validated"]

SHORTEST, LONGEST = 50, 50_000
"""Characters an essay may have."""

ENOUGH = 1_000_000
"""No text is looked at beyond so many characters: it is too long, whatever follows."""

ZIP, PDF, RTF, OLE = b"PK\x03\x04", b"%PDF-", b"{\\rtf", bytes.fromhex("d0cf11e0a1b11ae1")
PICTURE = re.compile(rb"\x89PNG|\xff\xd8\xff|GIF8|II\*\0|MM\0\*|RIFF....WEBP|....ftyp(?:hei|mif|avif)", re.DOTALL)
ARCHIVE = re.compile(rb"7z\xbc\xaf|Rar!|\x1f\x8b\x08|PK\x05\x06")
ENCRYPTED_OFFICE = "EncryptedPackage".encode("utf-16-le")

LINE_ENDS = re.compile("\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
# What PostgreSQL cannot store (NUL, lone surrogates) and what nobody sees (control characters, soft hyphen, BOM ...).
UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\ufeff\ud800-\udfff]")
LIGATURES = {code: unicodedata.normalize("NFKC", chr(code)) for code in range(0xFB00, 0xFB07)}


def essay_text(data: bytes) -> str:
    """The text of an uploaded file as it is stored. Raises ExtractionFailed."""
    return validated(extract_text(data))


def extract_text(data: bytes) -> str:
    """The normalised text of a txt, docx, odt, rtf or pdf file, possibly empty. Raises ExtractionFailed."""
    if data.startswith(ZIP):
        return _normalised(zipped.text_of(data))
    if PDF in data[:1024]:
        return _normalised(pdf.text_of(data))
    if data.lstrip()[:5] == RTF:
        return _normalised(rtf.text_of(data))
    if data.startswith(OLE):
        raise encrypted() if ENCRYPTED_OFFICE in data else old_word()
    if PICTURE.match(data):
        raise picture()
    if ARCHIVE.match(data):
        raise archive()
    return _normalised(plain.text_of(data))


def validated(text: str) -> str:
    """`text` without the white space around it, if it is as long as essays are. Raises ExtractionFailed."""
    text = text.strip()
    if not text:
        raise empty()
    if len(text) < SHORTEST:
        raise too_short(len(text), SHORTEST)
    if len(text) > LONGEST:
        raise too_long(f"{len(text):,}", LONGEST, "characters")
    return text


def _normalised(text: str) -> str:
    """`text` in Unicode NFC with one paragraph a line and nothing in it that cannot be stored or seen."""
    text = UNWANTED.sub("", LINE_ENDS.sub("\n", text.strip()[:ENOUGH])).translate(LIGATURES)
    lines = unicodedata.normalize("NFC", text).split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")
