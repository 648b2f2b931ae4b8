"""The words of names as people write them: folded, and compared with one another."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz.distance import OSA

from services.student_matching_service.letters import are_neighbours, fold, sound, two_letters
from services.student_matching_service.nicknames import is_given_name, is_never_short, same_name
from services.student_matching_service.vocabulary import PARTICLES

OTHER_FORM = 0.85
"""What a pet or short form is worth, in our list or not: Sam stands for Samuel and Samira, Dolph for Rudolph."""
ANOTHER_LETTER = 0.82
"""What a slip is worth at most that no finger makes: a letter for one far from it, as in Jesper for Jasper."""
_BETWEEN_WORDS = re.compile(r"[\s.,\-\u2010-\u2015_]+")
_PET_ENDING = re.compile("(?:ie|ey|y|i|an|is)$")
_APOSTROPHES = re.compile(r"['’‘`´ʼ]")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a name: as written, folded, with two letters for one (oe for ö), and as it sounds."""

    spelling: str
    plain: str
    two_letters: str
    sound: str

    @classmethod
    def of(cls, text: str) -> "Word":
        """The word in its four forms."""
        spelling = unicodedata.normalize("NFC", text.casefold())
        plain = fold(text)
        return cls(spelling, plain, two_letters(spelling), sound(plain))

    @property
    def forms(self) -> frozenset[str]:
        """The folded forms under which the word may be met."""
        return frozenset((self.plain, self.two_letters))

    @property
    def may_be_particle(self) -> bool:
        """Whether the word (von, af, de) may be left out where the name goes on."""
        return self.plain in PARTICLES


def words(text: str) -> tuple[Word, ...]:
    """The words of a name, without hyphens, full stops, apostrophes and other signs."""
    pieces = _BETWEEN_WORDS.split(_APOSTROPHES.sub("", text))
    letters = ("".join(c for c in piece if c.isalpha() or unicodedata.category(c) in {"Mn", "Mc"}) for piece in pieces)
    return tuple(word for word in map(_word, filter(None, letters)) if word.plain)


# A stretch of a text is read several times; its words are the dear part of it.
_word = lru_cache(maxsize=1024)(Word.of)


class How(IntEnum):
    """How a written word resembles a word of a student's name, from surest to least sure."""

    SAME = 0
    FOLDED = 1
    SOUND = 2
    TYPO = 3
    NICKNAME = 4
    SHORT = 5
    INITIAL = 6


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
    if len(written.spelling) == 1:
        return Closeness(How.INITIAL, 0.82) if is_initial(written, known) else None
    return _resemblance(written, known)


def _resemblance(written: Word, known: Word) -> Closeness | None:
    if written.sound == known.sound and len(known.sound) > 2:
        return Closeness(How.SOUND, 0.87)
    if same_name(written.plain, known.plain):
        return Closeness(How.NICKNAME, OTHER_FORM)
    if worth := max(_typo(written.plain, known.plain), _typo(written.spelling, known.spelling)):
        return Closeness(How.TYPO, worth)
    if is_beginning(written, known) or is_later_part(written, known):
        return Closeness(How.SHORT, OTHER_FORM)
    return None


def is_beginning(written: Word, known: Word) -> bool:
    """Whether the known word begins with the written one, but for its pet ending."""
    return any(len(short) >= 3 and known.plain.startswith(short) for short in (written.plain, _stem(written.plain)))


def is_later_part(written: Word, known: Word) -> bool:
    """Whether the written word is the end of the known one, or inside it but for a pet ending, and no other name."""
    short, stem = written.plain, _stem(written.plain)
    is_part = (len(short) >= 4 and known.plain.endswith(short)) or (
        stem != short and len(stem) >= 4 and stem in known.plain
    )
    return is_part and not is_never_short(short)


def is_initial(written: Word, known: Word) -> bool:
    """Whether the written word is the first letter of the known one."""
    return len(written.spelling) == 1 and known.plain.startswith(written.plain)


def _stem(written: str) -> str:
    """What a short form keeps of the name: Charl of Charlie, Cam of Cammy, Alex of Alex."""
    stem = _PET_ENDING.sub("", written)
    return stem[:-1] if stem[-1:] == stem[-2:-1] and stem != written else stem


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
    another_name = is_short or written[0] != known[0] or written[-1] != known[-1] or is_given_name(written)
    worth = (0.9 - 0.4 * distance / longer) * (0.8 if another_name else 1.0)
    return min(worth, ANOTHER_LETTER) if _has_another_letter(written, known) else worth


def _has_another_letter(written: str, known: str) -> bool:
    """Whether one letter stands for one that is not beside it on the keyboard."""
    differing = [pair for pair in zip(written, known, strict=False) if pair[0] != pair[1]]
    return len(written) == len(known) and len(differing) == 1 and not are_neighbours(*differing[0])


def join(name: Iterable[Word], form: str = "plain") -> str:
    """The words without spaces between them."""
    return "".join(getattr(word, form) for word in name)
