"""Rich text (rtf), read with striprtf once its control words say that also headers, text boxes and tables are text."""

import re

from striprtf.striprtf import rtf_to_text

from services.file_service.formats.failures import damaged, too_large

LONGEST = 2_000_000
"""Bytes without pictures. The longest essay needs a fifth, and reading takes half a second."""

BINARY = re.compile(rb"\\bin(\d{1,9}) ?")
PICTURE = re.compile(rb"[0-9A-Fa-f\r\n]{200,}")

# `\*` says that readers skip the group. Of itself striprtf skips headers and text boxes, writes bars between cells, and
# looks for links in a time that grows with the square of a line.
WORDS = {
    **{rf"\{place}{which}": "" for place in ("header", "footer") for which in ("", "l", "r", "f")},
    **dict.fromkeys((r"\cell", r"\nestcell"), r"\tab "),
    r"\deleted": r"\* ",
    r"\fonttbl": r"\*\fonttbl ",
    r"\*\fldinst": r"\fldinst ",
    r"\shp": "",
    r"\*\shpinst": "",
    r"\shptxt": r"\par ",
}
WORD = re.compile(rf"\\\\|(?:{'|'.join(re.escape(word) for word in sorted(WORDS, reverse=True))})(?![a-z0]) ?")


def text_of(data: bytes) -> str:
    """The text of headers, footers and body in the order of the file."""
    if not data.rstrip(b"\0\t\r\n\x1a ").endswith(b"}"):
        raise damaged("RTF document")  # Half of it would be read as if it were all.
    formatted = PICTURE.sub(b"", _without_binary(data))
    if len(formatted) > LONGEST:
        raise too_large(LONGEST)
    try:
        words = WORD.sub(_replaced, formatted.decode("cp1252", errors="replace"))
        text: str = rtf_to_text(words, errors="replace")  # type: ignore[no-untyped-call]  # It has no types.
    except MemoryError:
        raise
    except Exception as error:  # Where a file is damaged, striprtf may raise anything.
        raise damaged("RTF document") from error
    # Signs beyond 16 bits come in two halves.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _without_binary(data: bytes) -> bytes:
    """`data` without what follows `\\binN`: N bytes that are no text, whatever they look like."""
    kept, at = [], 0
    while found := BINARY.search(data, at):
        kept.append(data[at : found.start()])
        at = found.end() + int(found[1])
    return b"".join([*kept, data[at:]])


def _replaced(found: re.Match[str]) -> str:
    return WORDS.get(found[0].rstrip(" "), found[0])
