"""How a name is written: as in the roster, shortened, turned round, misspelled; and whom it then may mean."""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.matching.classes import Person, plain

PARTICLES = re.compile(r"\b(?:von|van der|van|de la|de|del|dos|da|af|al|el|ten)\b[ -]", re.IGNORECASE)
BESIDE_ON_KEYBOARD = {
    "a": "s",
    "e": "r",
    "i": "o",
    "o": "p",
    "n": "m",
    "s": "d",
    "r": "t",
    "l": "k",
    "t": "y",
    "d": "f",
}

type Form = Callable[[Person, random.Random], str | None]
"""Writes a person's name; None where they have no name that could be written so."""


def as_in_roster(person: Person, _: random.Random) -> str | None:
    return person.full


def comma(person: Person, _: random.Random) -> str | None:
    return f"{person.last}, {person.first}" if person.last else None


def family_first(person: Person, _: random.Random) -> str | None:
    return f"{person.last} {person.first}" if person.last else None


def upper(person: Person, _: random.Random) -> str | None:
    return person.full.upper()


def lower(person: Person, _: random.Random) -> str | None:
    return person.full.lower()


def without_accents(person: Person, _: random.Random) -> str | None:
    bare = unicodedata.normalize("NFKD", person.full)
    bare = "".join(c for c in bare if not unicodedata.combining(c)).translate(str.maketrans("øØłŁđĐı", "oOlLdDi"))
    return bare if bare != person.full and bare.isascii() else None


def another_spelling(person: Person, _: random.Random) -> str | None:
    return person.spelled or None


def first_initial(person: Person, rng: random.Random) -> str | None:
    possible = person.last and person.origin != "Han script"
    return f"{person.first[0]}{rng.choice(['. ', ' '])}{person.last}" if possible else None


def last_initial(person: Person, rng: random.Random) -> str | None:
    possible = person.last and person.origin != "Han script"
    return f"{person.first} {person.last[0].upper()}{rng.choice(['.', ''])}" if possible else None


def middle_name(person: Person, _: random.Random) -> str | None:
    return f"{person.first} {person.middle} {person.last}" if person.middle else None


def middle_initial(person: Person, _: random.Random) -> str | None:
    return f"{person.first} {person.middle[0]}. {person.last}" if person.middle else None


def unknown_middle_name(person: Person, rng: random.Random) -> str | None:
    another = rng.choice(["Maria", "Elin", "James", "Noor", "Erik"])
    return (
        None
        if person.middle or not person.last or another in person.full
        else f"{person.first} {another} {person.last}"
    )


def nickname(person: Person, _: random.Random) -> str | None:
    return f"{person.nickname} {person.last}" if person.nickname else None


def one_surname(person: Person, rng: random.Random) -> str | None:
    parts = [part for part in re.split(r"[ -]", person.last) if len(part) > 3]
    return f"{person.first} {rng.choice(parts)}" if len(parts) > 1 else None


def one_first_name(person: Person, _: random.Random) -> str | None:
    return f"{person.first.split('-')[0]} {person.last}" if "-" in person.first else None


def hyphen_or_space(person: Person, _: random.Random) -> str | None:
    return person.full.replace("-", " ") if "-" in person.full else None


def without_particle(person: Person, _: random.Random) -> str | None:
    bare = PARTICLES.sub("", person.last)
    return f"{person.first} {bare}" if bare != person.last else None


def together(person: Person, _: random.Random) -> str | None:
    return f"{person.first}{person.last}".replace(" ", "") if person.last else None


def typo(person: Person, rng: random.Random) -> str | None:
    """One slip of the finger in a name of at least five letters."""
    names = [name for name in (person.first, person.last) if len(name) >= 5 and name.isalpha()]
    if not names:
        return None
    name = rng.choice(names)
    return person.full.replace(name, slip(name, rng))


def slip(name: str, rng: random.Random) -> str:
    """A letter left out, doubled, exchanged with the next, or with its neighbour on the keyboard."""
    place = rng.randrange(1, len(name) - 1)
    before, letter, after = name[:place], name[place], name[place + 1 :]
    slips = [before + after, before + letter * 2 + after, before + after[0] + letter + after[1:]]
    slips.append(before + BESIDE_ON_KEYBOARD.get(letter, "e") + after)
    return rng.choice([written for written in slips if written != name])


def first_name(person: Person, _: random.Random) -> str | None:
    return person.first if person.last else None


def last_name(person: Person, _: random.Random) -> str | None:
    return person.last or None


FORMS: dict[str, tuple[float, Form]] = {
    "as in the roster": (18, as_in_roster),
    "Last, First": (3, comma),
    "family name first": (2, family_first),
    "capitals": (2, upper),
    "lower case": (2, lower),
    "without accents": (3, without_accents),
    "another spelling": (10, another_spelling),
    "initial and surname": (2, first_initial),
    "first name and initial": (2, last_initial),
    "with middle name": (5, middle_name),
    "with middle initial": (1, middle_initial),
    "with unknown middle name": (1, unknown_middle_name),
    "nickname": (12, nickname),
    "one of two surnames": (4, one_surname),
    "one of two first names": (3, one_first_name),
    "hyphen as space": (3, hyphen_or_space),
    "without particle": (4, without_particle),
    "written together": (1, together),
    "typo": (4, typo),
    "first name only": (2, first_name),
    "surname only": (1, last_name),
}
"""How often each is chosen, and how it is written; of those that the person's name can be written in."""

SHORT: dict[str, Callable[[Person], set[str]]] = {
    "first name only": lambda p: {plain(name) for name in (p.first, p.nickname) if name},
    "surname only": lambda p: {plain(p.last)},
    "initial and surname": lambda p: {plain(f"{p.first[0]} {p.last}")},
    "first name and initial": lambda p: {plain(f"{p.first} {p.last[:1]}")},
    "with middle name": lambda p: {plain(f"{p.first} {p.middle} {p.last}")},
    "with middle initial": lambda p: {plain(f"{p.first} {p.middle[:1]} {p.last}")},
}  # fmt: skip
"""What is left of a name in forms that leave something out, or say more than the class list's two names."""


ONLY_NAME: dict[str, Callable[[Person], set[str]]] = {
    "with middle name": lambda p: {plain(f"{p.first} {rest}".strip()) for rest in (p.middle, p.last)},
    "with middle initial": lambda p: {plain(f"{p.first} {rest[:1]}".strip()) for rest in (p.middle, p.last)},
}
"""The same for people who have one name only: what follows it may be a middle name or another's last."""


def write(person: Person, rng: random.Random, allowed: Sequence[str]) -> tuple[str, str]:
    """The name in one of the allowed forms, and the form."""
    possible = {form: written for form in allowed if (written := FORMS[form][1](person, rng))}
    form = rng.choices(list(possible), [FORMS[name][0] for name in possible])[0]
    return possible[form], form


def meant(person: Person, form: str, students: Sequence[Person]) -> list[Person]:
    """All students whom a name in this form fits equally well; an only name alone reads like a first name alone."""
    left = SHORT.get(form, _all) if person.last else ONLY_NAME.get(form, SHORT["first name only"])
    written = left(replace(person, nickname=""))
    if not person.last and form in ONLY_NAME:
        written -= {plain(person.first)}
    return [student for student in students if left(student) & written]


def _all(person: Person) -> set[str]:
    return {plain(person.full)}
