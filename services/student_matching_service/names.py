"""Names as people write them: folded, cut into words, and compared word by word."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from common_core.events.class_management import RosterStudent
from rapidfuzz.distance import OSA

from services.student_matching_service.vocabulary import PARTICLES

_LETTERS_WITHOUT_MARK = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
)
_TWO_LETTERS_FOR_ONE = str.maketrans({"å": "aa", "ä": "ae", "ö": "oe", "ø": "oe", "ü": "ue", "æ": "a"})
_BETWEEN_WORDS = re.compile(r"[\s.,\-\u2010-\u2015_]+")
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")


def fold(text: str) -> str:
    """The text in lower case, without accents and with plain letters for the Nordic and Polish ones."""
    if text.isascii():
        return text.lower()
    return _without_marks(_without_marks(text).casefold()).translate(_LETTERS_WITHOUT_MARK)


def _without_marks(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name: as written, folded, and with two letters for one (oe for ö)."""

    spelling: str
    plain: str
    two_letters: str

    @classmethod
    def of(cls, text: str) -> "Word":
        """The word in its three forms."""
        if text.isascii():
            lower = text.lower()
            return cls(lower, lower, lower)
        spelling = unicodedata.normalize("NFC", text.casefold())
        return cls(spelling, fold(text), fold(spelling.translate(_TWO_LETTERS_FOR_ONE)))

    @property
    def forms(self) -> frozenset[str]:
        """The folded forms under which the word may be met."""
        return frozenset((self.plain, self.two_letters))

    @property
    def is_particle(self) -> bool:
        """Whether the word (von, af, de) may stand in a name or be left out."""
        return self.plain in PARTICLES


def words(text: str) -> tuple[Word, ...]:
    """The words of a name, without hyphens, full stops, apostrophes and other signs."""
    pieces = _BETWEEN_WORDS.split(_APOSTROPHES.sub("", text))
    letters = ("".join(c for c in piece if c.isalpha() or unicodedata.category(c) in {"Mn", "Mc"}) for piece in pieces)
    return tuple(word for word in map(Word.of, filter(None, letters)) if word.plain)


class How(IntEnum):
    """How a written word resembles a word of a student's name, from surest to least sure."""

    SAME = 0
    FOLDED = 1
    TYPO = 2
    SHORT = 3
    INITIAL = 4


class Closeness(NamedTuple):
    """How a word resembles another, and how much that is worth between 0 and 1."""

    how: How
    worth: float


def closeness(written: Word, known: Word) -> Closeness | None:
    """Compare a written word with a word of a student's name; None when it is another word."""
    if written.spelling == known.spelling:
        return Closeness(How.SAME, 1.0)
    if written.plain in (known.plain, known.two_letters) or written.two_letters == known.plain:
        return Closeness(How.FOLDED, 0.99)
    if len(written.plain) == 1:
        return Closeness(How.INITIAL, 0.82) if known.plain.startswith(written.plain) else None
    if worth := _typo(written.plain, known.plain):
        return Closeness(How.TYPO, worth)
    if len(written.plain) >= 3 and known.plain.startswith(written.plain):
        return Closeness(How.SHORT, 0.8)
    return None


def allowed_typos(length: int) -> int:
    """How many letters may differ before a word of this length is taken for another name."""
    if length <= 3:
        return 0
    return 1 if length <= 7 else 2


def _typo(written: str, known: str) -> float:
    """What the resemblance is worth; never so much that a name one letter off passes without a look."""
    shorter, longer = sorted((len(written), len(known)))
    is_short = (shorter, longer) == (3, 4)
    allowed = 1 if is_short else allowed_typos(shorter)
    distance = OSA.distance(written, known, score_cutoff=allowed)
    if distance > allowed:
        return 0.0
    # Hanna is rarely a slip for Anna, nor Anne for Anna or Ela for Elsa, while Svenson is one for Svensson.
    another_name = is_short or written[0] != known[0] or written[-1] != known[-1]
    return (0.9 - 0.4 * distance / longer) * (0.8 if another_name else 1.0)


class Role(IntEnum):
    """What a word is in a student's name."""

    GIVEN = 0
    FAMILY = 1
    MIDDLE = 2


@dataclass(frozen=True, slots=True)
class StudentName:
    """A student's name, prepared for comparison."""

    parts: tuple[tuple[Role, Word], ...]
    legal: frozenset[str]
    """The words of the legal name, folded; empty when the roster has none."""
    joined: frozenset[str]
    """The whole name without spaces, in both orders."""

    @classmethod
    def of(cls, student: RosterStudent) -> "StudentName":
        """The name as the roster has it, with the further words of the legal name as middle names."""
        given, family, legal = (
            words(name or "") for name in (student.first_name, student.last_name, student.legal_full_name)
        )
        known = {word.plain for word in given + family}
        middle = tuple(word for word in legal if word.plain not in known)
        parts = [(role, word) for role, group in zip(Role, (given, family, middle), strict=True) for word in group]
        orders = [given + family, family + given] if given and family else []
        joined = frozenset(join(order, form) for order in orders for form in ("plain", "two_letters"))
        return cls(tuple(parts), frozenset(w.plain for w in legal), joined)

    def count(self, role: Role) -> int:
        """How many words the student has in this role, not counting particles."""
        return sum(1 for r, word in self.parts if r is role and not word.is_particle)


def join(name: Iterable[Word], form: str = "plain") -> str:
    """The words without spaces between them."""
    return "".join(getattr(word, form) for word in name)
