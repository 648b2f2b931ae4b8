"""PDF documents that hold text, read with pypdf."""

import io
from collections.abc import Iterator

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from services.file_service.formats.failures import ExtractionFailed, damaged, encrypted, scanned, too_long

PAGES = 500
ENOUGH = 1_000_000
"""Reading stops after so many characters: whatever follows, it is too long for an essay."""


def text_of(data: bytes) -> str:
    """The text of all pages. An empty password is tried; a document without any text counts as scanned."""
    try:
        text = "\n".join(_pages(data))
    except (FileNotDecryptedError, DependencyError, NotImplementedError):
        raise encrypted() from None
    except (ExtractionFailed, MemoryError):
        raise
    except Exception as error:  # Where a file is damaged, pypdf may raise anything.
        raise damaged("PDF") from error
    if not text.strip():
        raise scanned()
    return text


def _pages(data: bytes) -> Iterator[str]:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise encrypted()
    if len(reader.pages) > PAGES:
        raise too_long(f"{len(reader.pages):,}", PAGES, "pages")
    read = 0
    for page in reader.pages:
        text = page.extract_text()
        yield text.strip("\n")
        read += len(text)
        if read > ENOUGH:
            return
