"""The lines of an essay as a reader sees them: fields with a label, people beside other words, running text."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from services.student_matching_service.vocabulary import (
    BELOW_TITLE,
    BESIDE_NAMES,
    BYLINE,
    DATE,
    DONE_BY,
    FEEDBACK,
    FIELD,
    IN_TITLES,
    LABEL_ALONE,
    LABELS,
    OF_SEVERAL,
    PARTICLES,
    REFERENCE,
    SOMEBODY_ELSE,
    SOURCES,
    TEACHING,
    YEAR,
    Label,
)

LONGEST_LINE = 300
TAIL_LINES = 4
LONGEST_LABEL = 40
LONGEST_NAME = 6
"""Words."""
LONGEST_SMALL_WORD = 1
"""Letters; the t of van 't Hof, the y of Ortega y Gasset."""
_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2060\ufeff]+")
_SEPARATOR = re.compile(r"[:=|\t]|\s[-–—]\s")
_MAY_STAND_BEFORE_A_LABEL = re.compile(r"\W*|.*(?:\d\w*|[|;,/\t(\[]|\s{2})\W*")
_BETWEEN_PEOPLE = re.compile(r"[|;/()\[\]\t\"“”<>*#]+|\s[-–—&+]\s|\s{3,}|\s(?:and|och|samt)\s", re.IGNORECASE)
_TOGETHER = re.compile(r"\s(?:and|och|samt|[&+])\s", re.IGNORECASE)
_QUOTATION_MARKS = ('"', "”", "“", "»", "«", "'", "’")
_QUOTED_SENTENCE = re.compile(r".*[.…][\"”“»«]|(?:\S+\s+){2,}\S*[!?][\"”“»«]")
_OF_TITLES = re.compile(r".*[\"”“»«?!]|\s*\(")
_QUOTED_BY = re.compile(r"[\"”“»«]\s*[-–—]\s*\w")
_DASH = re.compile(r"[-–—~]")
_AROUND_NAMES = " ,-–—_·•:!'’"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not empty, and its number in the text."""

    text: str
    number: int
    where: str

    @property
    def is_prose(self) -> bool:
        """Whether the line belongs to the running text."""
        count = len(self.text.split())
        return count > 11 or len(self.text) > 90 or (count > 5 and self.text.endswith((".", "!", "?", "…", ",")))


@dataclass(frozen=True, slots=True)
class Field:
    """A label such as "Namn:" and what follows it on the line."""

    label: Label
    written: str
    value: str

    @property
    def is_of_several(self) -> bool:
        """Whether the label announces several people."""
        return self.written.lower() in OF_SEVERAL


def tidy(text: str) -> str:
    """The line without invisible signs, ligatures and what no database stores; cut when it is very long."""
    readable = text[:LONGEST_LINE].encode(errors="ignore").decode()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", readable)).strip()


def fields(line: str) -> list[Field]:
    """The fields of a line; a label inside other words ("Filmens namn:") is nobody's we know."""
    if not _SEPARATOR.search(line) and len(line) > LONGEST_LABEL:
        return []
    if alone := LABEL_ALONE.fullmatch(line):
        return [_field(alone, "")]
    labels = list(FIELD.finditer(line))
    return [
        _field(label, line[label.end() : following.start() if following else None], before=line[: label.start()])
        for label, following in zip_longest(labels, labels[1:])
    ]


def _field(match: re.Match[str], value: str, before: str = "") -> Field:
    written = match["label"]
    label = LABELS.get(" ".join(written.lower().split()), Label.FACT)
    return Field(label if _MAY_STAND_BEFORE_A_LABEL.fullmatch(before) else Label.FACT, written, value)


def names_somebody_else(line: str, before: str) -> bool:
    """Whether the line says who teaches, read or corrected, names a source, or whose words it or the last quotes."""
    is_attribution = _QUOTED_BY.search(line) or (_DASH.match(line) and before.endswith(_QUOTATION_MARKS))
    is_speaker = line.endswith(":") or _QUOTED_SENTENCE.fullmatch(before)
    is_other = TEACHING.fullmatch(line) or REFERENCE.match(line) or (DONE_BY.match(line) and not BYLINE.match(line))
    return bool(is_attribution or is_speaker or is_other)


def is_byline(line: str) -> bool:
    """Whether the line says by whom what stands above it was written: "by Tova", but not "By the River"."""
    if byline := BELOW_TITLE.match(line):
        return any(is_somebody(name, fewest_words=1) for name in stretches(line[byline.end() :]))
    return False


def looks_like_title(line: str) -> bool:
    """Whether the line is quoted, in brackets, asks or calls out, as nobody writes their name."""
    return bool(_OF_TITLES.match(line))


def heading(line: str) -> str:
    """The line, up to a colon, as it stands among headings: in small letters, without signs around it."""
    return line.partition(":")[0].strip(" \t*#-–—.").lower()


def that_may_sign(lines: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]:
    """The last lines before what others say about the text, without a role that ends it and without its sources."""
    headings = [heading(line) for _, line in lines]
    end = next((place for place, found in enumerate(headings) if found in FEEDBACK), len(lines))
    if headings[:end] and headings[end - 1] in Label.SOMEBODY_ELSE.value:
        end = max(end - 2, 0)
    sources = [place for place, found in enumerate(headings[:end]) if found in SOURCES]
    first = sources[0] if sources else end
    below = [line for place, line in enumerate(lines[:end]) if place > first and place - 1 not in sources]
    return [*lines[:first], *(line for line in below if not YEAR.search(line[1]))][-TAIL_LINES:]


def before_label(line: str) -> str:
    """What stands on the line before its first label; nothing when it has none."""
    first = FIELD.search(line)
    return line[: first.start()] if first else ""


def stretches(value: str) -> list[str]:
    """The parts of a line between dates, brackets and other signs, without numbers, addresses and school words."""
    parts = (_without_school_words(part) for part in _BETWEEN_PEOPLE.split(DATE.sub(" | ", _apart(value))))
    return [piece for part in parts if part for piece in _at_commas(part)]


def _apart(value: str) -> str:
    """With spaces for underscores, as in Ek_Anna_9B, but not in addresses."""
    return value if "@" in value else value.replace("_", " ")


def with_ordinary_words(value: str) -> list[str]:
    """The parts of a line that have words in them which usually stand beside names, as they are."""
    parts = [_without_numbers(part) for part in _BETWEEN_PEOPLE.split(DATE.sub(" | ", value))]
    pieces = [piece for part in parts for piece in _at_commas(" ".join(part))]
    pieces += [_without_school_words(piece) for piece in pieces]
    kept = dict.fromkeys(pieces)
    return [piece for piece in kept if 1 < len(piece.split()) <= LONGEST_NAME and _has_ordinary_word(piece)]


def _has_ordinary_word(stretch: str) -> bool:
    return any(word.strip(_AROUND_NAMES).lower() in SOMEBODY_ELSE | BESIDE_NAMES for word in stretch.split())


def _without_numbers(part: str) -> list[str]:
    return [word for word in part.split() if not any(c.isdigit() or c == "@" for c in word)]


def people(value: str) -> list[str]:
    """The stretches of a line that have the shape of a person's name."""
    return [stretch for stretch in stretches(value) if has_shape_of_name(stretch)]


def _without_school_words(part: str) -> str:
    kept: list[str] = []
    for word in part.split():
        if word.endswith(":"):
            break
        if not any(c.isdigit() or c == "@" for c in word):
            kept.append(word)
    while kept and kept[-1].strip(_AROUND_NAMES).lower() in BESIDE_NAMES:
        kept.pop()
    while kept and kept[0].strip(_AROUND_NAMES).lower() in BESIDE_NAMES:
        kept.pop(0)
    return " ".join(kept).strip(_AROUND_NAMES)


def _at_commas(stretch: str) -> Iterator[str]:
    """Full names between commas are several people; "Svensson, Anna" is one."""
    pieces = [piece.strip() for piece in stretch.split(",")]
    if len(pieces) > 1 and all(len(piece.split()) > 1 for piece in pieces):
        yield from pieces
    else:
        yield stretch


def has_shape_of_name(stretch: str) -> bool:
    """Whether the words could be a person's name: few, capital or all small, and nobody addressed or thanked."""
    words = [word.strip(_AROUND_NAMES) for word in stretch.split()]
    if not 1 <= len(words) <= LONGEST_NAME or any(word.rstrip(".").lower() in SOMEBODY_ELSE for word in words[:-1]):
        return False
    proper = [word for word in words if not _may_be_small(word)]
    return all(not word[:1].islower() for word in proper) or (len(proper) <= 3 and stretch.islower())


def _may_be_small(word: str) -> bool:
    return len(word) <= LONGEST_SMALL_WORD or word.partition("-")[0].lower() in PARTICLES


def is_somebody(name: str, fewest_words: int = 2) -> bool:
    """Whether a stretch that fits no student still names a person rather than a title."""
    words = name.replace(",", " ").split()
    if not fewest_words <= len(words) <= 4 or any(word.lower() in IN_TITLES for word in words):
        return False
    return all(word[0].isupper() or _may_be_small(word.strip(_AROUND_NAMES)) for word in words)


def people_together(line: str) -> list[str]:
    """The people of a line that names nothing but people who wrote together: "Anna Ek and Bo Alm"."""
    return _only_people(_TOGETHER.split(line))


def people_at_commas(line: str) -> list[str]:
    """The people of a line that may be a list of authors: "Anna Ek, Bo", or one and a title; "Bo, Eva, Li"."""
    if "," not in line:
        return []
    parts = [name.strip() for part in _TOGETHER.split(line) for name in part.split(",")]
    names = [name for name in parts if not any(c.isdigit() for c in name)]  # 12 maj 2024 is not Maj.
    return _only_people(names, by_first_names=len(names) > 2)


def _only_people(names: Sequence[str], *, by_first_names: bool = False) -> list[str]:
    in_full = by_first_names or any(is_somebody(name) for name in names)  # "Romeo and Juliet" is a title.
    each = all(has_shape_of_name(name) or is_somebody(name, fewest_words=1) for name in names)
    return list(names) if len(names) > 1 and in_full and each else []
