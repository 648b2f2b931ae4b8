"""The names of students, prepared so that written ones can be compared with them word by word."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from common_core.events.class_management import RosterStudent

from services.student_matching_service.nicknames import same_name
from services.student_matching_service.words import Word, is_beginning, is_initial, is_later_part, join, words

_ARTICLES = frozenset(("al", "el"))


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
    compounds: Mapping[str, tuple[Word, Word]]
    """Particles with the word after them, written as one: Almasri, or Elmasri, for Al-Masri."""

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
        compounds = {
            form + name.plain: (particle, name)
            for particle, name in pairwise(family)
            if particle.may_be_particle
            for form in (_ARTICLES if particle.plain in _ARTICLES else {particle.plain})
        }
        return cls(tuple(parts), frozenset(w.plain for w in legal), joined, compounds)

    def as_divided_here(self, written: tuple[Word, ...]) -> tuple[Word, ...]:
        """The written words with particles apart or not as in this name: Al Masri for Almasri, and the other way."""
        divided = [part for word in written for part in self.compounds.get(word.plain, (word,))]
        known = {word.plain: word for role, word in self.parts if role is Role.FAMILY}
        for place in range(len(divided) - 2, -1, -1):
            particle, name = divided[place : place + 2]
            forms = _ARTICLES if particle.plain in _ARTICLES else {particle.plain} if particle.may_be_particle else ()
            for form in forms:
                if name.plain and form + name.plain in known:
                    divided[place : place + 2] = [known[form + name.plain]]
                    break
        return tuple(divided)

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
        alike = (
            each
            for each in given
            if same_name(first.plain, each.plain) or is_beginning(first, each) or is_later_part(first, each)
        )
        return not others and any(alike)

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
