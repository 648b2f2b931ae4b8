"""E-mail addresses made of names, as schools make them: asa.ostrom, ostrom.asa, a.ostrom, asao, asaost."""

import re
from collections.abc import Iterator

from services.student_matching_service.likeness import Likeness
from services.student_matching_service.names import Role, StudentName

WHOLE_NAME = Likeness(0.985, "by the name in the address")
INITIAL_AND_NAME = Likeness(0.82, "by a name and an initial in the address", is_full=False, is_sure=False)
BEGINNINGS = Likeness(0.8, "by the beginnings of the names in the address", is_full=False, is_sure=False)
_NO_LETTERS = re.compile(r"[\W\d_]+")


def local_part(address: str) -> str:
    """The letters before the @, folded: what the forms of a name are compared with."""
    return _NO_LETTERS.sub("", address.partition("@")[0].lower())


def address_forms(name: StudentName) -> Iterator[tuple[str, Likeness]]:
    """What an address of this student may begin with, the surest forms first; nothing for half a name."""
    given = [word.plain for role, word in name.parts if role is Role.GIVEN]
    family = [word.plain for role, word in name.parts if role is Role.FAMILY]
    pairs = [(first, last) for first in _wholes(given) for last in _wholes(family) if first and last]
    yield from ((form, WHOLE_NAME) for first, last in pairs for form in (first + last, last + first))
    yield from ((form, INITIAL_AND_NAME) for first, last in pairs for form in (first[0] + last, first + last[0]))
    yield from ((first[:3] + last[:3], BEGINNINGS) for first, last in pairs)


def _wholes(words: list[str]) -> dict[str, None]:
    """All words together, the first alone and the last alone."""
    return dict.fromkeys(("".join(words), *words[:1], *words[-1:]))
