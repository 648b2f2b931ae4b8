"""PDF documents that hold text, read with pypdf."""

import io
import re
from collections.abc import Iterator

from pypdf import Configuration, PageObject, PdfReader, apply_configuration
from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError
from pypdf.generic import DictionaryObject

from services.file_service.formats import columns
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
ADDRESS = re.compile("[@/]")

HARDLY_ANY = 50
"""Characters, as many as the shortest essay has."""

HYPHENS = ("-", "\u2010", "\xad")
SUSPENDED = frozenset(("och", "eller", "samt", "respektive", "till", "and", "or", "to"))
"""Words before which a hyphen stands for itself: "för- och nackdelar"."""

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
            text = _text(data)
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
    return "\n".join(_whole_words(text.split("\n")))


def _text(data: bytes) -> str:
    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise encrypted()
    if len(reader.pages) > PAGES:
        raise too_long(f"{len(reader.pages):,}", PAGES, "pages")
    text = "\n".join(_pages(reader))
    # Programs that scan write their own name, and some the page's number, on each page.
    found = sum(len(line) for line in set(text.split("\n")))
    if not text.strip() or (found < HARDLY_ANY and any(_has_pictures(page) for page in reader.pages)):
        raise scanned()
    return text


def _pages(reader: PdfReader) -> Iterator[str]:
    read = 0
    for page in reader.pages:
        text = columns.text_of(page)
        yield text.strip("\n")
        read += len(text)
        if read > ENOUGH:
            return


def _has_pictures(page: PageObject) -> bool:
    objects = page.get("/Resources", DictionaryObject()).get_object().get("/XObject", DictionaryObject()).get_object()
    return any(each.get_object().get("/Subtype") == "/Image" for each in objects.values())


def _whole_words(lines: list[str]) -> list[str]:
    """The lines, with words that were divided between two of them put together on the first."""
    whole = lines[:1]
    for line in lines[1:]:
        whole[-1:] = _joined(whole[-1], line) or (whole[-1], line)
    return whole


def _joined(above: str, below: str) -> tuple[str, ...] | None:
    """Both lines with the word that was divided on the first; None where no word was."""
    end = above.rstrip().rsplit(" ", 1)[-1]
    start, _, rest = below.lstrip().partition(" ")
    if end[-1:] not in HYPHENS or not (end[-2:-1].isalpha() and start[:1].isalpha()) or ADDRESS.search(end + start):
        return None
    if start in SUSPENDED or (start[0].isupper() and not end.istitle()):
        return None
    kept = end if start[0].isupper() else end[:-1]  # Anna-Lena, but fotografi
    word = above.rstrip().removesuffix(end) + kept + start
    return (word, rest) if rest else (word,)
