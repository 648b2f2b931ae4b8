"""PDF documents that hold text, read with pypdf."""

import io
from collections.abc import Iterator

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

from services.file_service.formats.failures import (
    ExtractionFailed,
    damaged,
    encrypted,
    gave_no_answer,
    scanned,
    too_long,
)

PAGES = 500
ENOUGH = 1_000_000
"""Reading stops after so many characters: whatever follows, it is too long for an essay."""

# A page of text has some 10,000 bytes and operands; pypdf's own limits are for pages of pictures and plans.
LIMITS = Configuration(
    zlib_maximum_output_length=8_000_000,
    lzw_maximum_output_length=8_000_000,
    run_length_maximum_output_length=8_000_000,
    array_based_stream_maximum_output_length=8_000_000,
    stream_parsing_work_maximum_count=200_000,
)


def text_of(data: bytes) -> str:
    """The text of all pages. An empty password is tried; a document without any text counts as scanned."""
    try:
        with apply_configuration(LIMITS):
            text = "\n".join(_pages(data))
    except (
        FileNotDecryptedError,
        DependencyError,
        NotImplementedError,  # What pypdf says of a document locked by a certificate.
    ) as error:
        raise (encrypted() if b"/Encrypt" in data else damaged("PDF")) from error
    except LimitReachedError:
        raise gave_no_answer("needs too much memory") from None
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
