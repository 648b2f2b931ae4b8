"""Plain text in any common encoding, decided in a fixed order: BOM, UTF-16 by its NULs, UTF-8, then what reads best.

Not by statistics: charset-normalizer takes an English essay by "Åsa Berg" in Windows-1252 for Mac Roman ("≈sa Berg").
"""

import codecs
import re

from services.file_service.formats.failures import unsupported, web_page

# UTF-32 first: its little-endian BOM begins with the one of UTF-16.
BOMS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}

SAMPLE, ENOUGH = 200_000, 4_000_000
"""Bytes that are looked at to find the encoding, and those that are read: more are too long for an essay in any."""

RARE = frozenset("ŠšŽžŒœŸÿÐðÞþÝý")
"""Letters that Swedish and English texts have in foreign names only."""

MISPLACED = re.compile(
    r"(?<=[a-zåäöé])[À-ÖØ-ÞŒŠŽŸ]"  # a capital after a small letter
    r"|(?<=[A-Za-zåäöé])[^\w\s\x00-\x7f’–—·\xad](?=[a-zåäöé])"  # a sign within a word
    r"|(?<=[a-zåäöé])[‘“](?!\w)"  # an opening quotation mark that ends a word
    r"|(?<![aeiouyåäö])[ŠšŽžŒœ](?![aeiouyåäö])"  # a consonant where only a vowel can stand
    r"|[\ufffd÷≈ƒ‰ˆ¸˝˛˚∞∂∑∏√∫Ω◊]",  # signs that essays do without
)

MARKUP = re.compile(r"\s*<(?:!doctype|\?xml|html)\b|MIME-Version: 1\.0\s", re.IGNORECASE)

BINARY = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")


def text_of(data: bytes) -> str:
    """The text of `data`, whatever its encoding."""
    text = decoded(data[:ENOUGH])
    if MARKUP.match(text):
        raise web_page()
    # A text may hold a stray control character; in pictures, programs and archives every eighth byte is one.
    if 50 * len(BINARY.findall(text[:SAMPLE])) > len(text[:SAMPLE]):
        raise unsupported()
    return text


def decoded(data: bytes) -> str:
    """`data` as characters; bytes that are no text come out full of control characters."""
    for bom, encoding in BOMS.items():
        if data.startswith(bom):
            return data.removeprefix(bom).decode(encoding, errors="replace")
    if wide := _utf16_without_bom(data[:SAMPLE]):
        return data.decode(wide, errors="replace")
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    if damaged == 0 or sum(character > "\x7f" for character in text) > 2 * damaged:
        return text
    return data.decode(_single_byte_encoding(data[:SAMPLE]), errors="replace")


def _utf16_without_bom(sample: bytes) -> str | None:
    """Latin letters in UTF-16 have a NUL as their high byte, and hardly ever as their low one."""
    highs_if_little, highs_if_big = sample[1::2].count(0), sample[0::2].count(0)
    most = 0.7 * (len(sample) // 2)
    if highs_if_little > most and highs_if_big < highs_if_little / 20:
        return "utf-16-le"
    if highs_if_big > most and highs_if_little < highs_if_big / 20:
        return "utf-16-be"
    return None


def _single_byte_encoding(sample: bytes) -> str:
    """Windows-1252, of which Latin-1 is a part, unless Mac Roman reads clearly better: it is much the rarer one."""
    windows, mac = (_oddity(sample.decode(encoding, errors="replace")) for encoding in ("cp1252", "mac_roman"))
    return "mac_roman" if mac + 2 < windows else "cp1252"


def _oddity(text: str) -> int:
    """How much in `text` looks wrong. Kinds count, not occurrences: a name that recurs proves nothing new."""
    return 3 * len(set(MISPLACED.findall(text))) + len(RARE.intersection(text))
