"""Names as people write them: folded, cut into words, and compared word by word."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from common_core.events.class_management import RosterStudent
from rapidfuzz.distance import OSA

from services.student_matching_service.letters import fold, sound, two_letters
from services.student_matching_service.nicknames import is_given_name, same_name
from services.student_matching_service.vocabulary import PARTICLES

OTHER_FORM = 0.85
"""What a pet or short form is worth, in our list or not: Sam stands for Samuel as well as for Samira."""
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
    return tuple(word for word in map(Word.of, filter(None, letters)) if word.plain)


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
    if is_short_form(written, known):
        return Closeness(How.SHORT, OTHER_FORM)
    return None


def is_short_form(written: Word, known: Word) -> bool:
    """Whether the known word begins with the written one, but for its pet ending."""
    return any(len(short) >= 3 and known.plain.startswith(short) for short in (written.plain, _stem(written.plain)))


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
        orders = [given + family, family + given] if given or family else []
        joined = frozenset(join(order, form) for order in orders for form in ("plain", "two_letters"))
        return cls(tuple(parts), frozenset(w.plain for w in legal), joined)

    def known_by(self, words: int) -> str:
        """What namesakes have in common, folded and without spaces: by one word the first names, by more the name."""
        roles = {Role.GIVEN} if words == 1 else {Role.GIVEN, Role.FAMILY}
        return join(word for role, word in self.parts if role in roles)

    def has_all(self, written: Iterable[Word]) -> bool:
        """Whether every word stands in the name, or is an initial of it."""
        return all(
            any(word.plain in known.forms or is_initial(word, known) for _, known in self.parts) for word in written
        )

    def may_stand_as(self, written: Sequence[Word]) -> bool:
        """Whether people write the name so: some of its words, but no middle name in place of the first."""
        roles = {
            role
            for role, known in self.parts
            for word in written
            if is_initial(word, known) or word.plain in known.forms
        }
        return self.has_all(written) and (Role.GIVEN in roles or roles == {Role.FAMILY})

    def is_hinted_at(self, written: Sequence[Word]) -> bool:
        """Whether initials may stand for the name, or one word for its first name."""
        if all(len(word.plain) == 1 for word in written):
            return self.has_all(written)
        first, *others = written
        given = [known for role, known in self.parts if role is Role.GIVEN]
        return not others and any(same_name(first.plain, each.plain) or is_short_form(first, each) for each in given)

    @property
    def particles(self) -> frozenset[int]:
        """Which parts are particles: never a given name, and never where the surname ends (Kim Al)."""
        following = [role for role, _ in self.parts[1:]]
        return frozenset(
            part
            for part, (role, word) in enumerate(self.parts)
            if role is Role.FAMILY and word.may_be_particle and following[part : part + 1] == [Role.FAMILY]
        )

    def count(self, role: Role) -> int:
        """How many words the student has in this role, not counting particles."""
        return sum(1 for part, (r, _) in enumerate(self.parts) if r is role and part not in self.particles)


def join(name: Iterable[Word], form: str = "plain") -> str:
    """The words without spaces between them."""
    return "".join(getattr(word, form) for word in name)
