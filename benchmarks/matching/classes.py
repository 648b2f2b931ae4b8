"""Invented classes: most students of the country's own names, many of others, siblings, namesakes and look-alikes."""

import random
import re
import unicodedata
from dataclasses import dataclass, field
from uuid import UUID

from common_core.events.class_management import RosterStudent

from benchmarks.matching.people import Names

COMMON = ("Swedish", "English", "Swedish statistics")
PLAIN = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ł": "l", "þ": "th", "ð": "d", "ı": "i", "ß": "ss"})


def plain(text: str) -> str:
    """In small letters without accents: when two names are equal to a reader."""
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in letters if not unicodedata.combining(c)).translate(PLAIN)


@dataclass
class Person:
    """Somebody invented: with a place in the roster, or from elsewhere."""

    first: str
    last: str
    origin: str
    family_first: bool = False
    middle: str = ""
    email: str = ""
    nickname: str = ""
    spelled: str = ""
    """The whole name in another spelling, where there is one."""
    student_id: UUID = field(default_factory=lambda: UUID(int=0))

    @property
    def full(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}".strip()

    def as_student(self) -> RosterStudent:
        """How the roster has them; the full legal name only where there is a middle name."""
        legal = " ".join(f"{self.first} {self.middle} {self.last}".split()) if self.middle else None
        return RosterStudent(
            student_id=self.student_id,
            first_name=self.first,
            last_name=self.last,
            legal_full_name=legal,
            email=self.email or None,
        )


def addresses(person: Person) -> list[str]:
    """What schools make of a name; of other scripts they make nothing."""
    first, last = (re.sub(r"[^a-z]", "", plain(name)) or "elev" for name in (person.first, person.last))
    whole = [f"{first}.{last}", f"{first}.{last}", f"{last}.{first}", f"{first}_{last}", f"{first}{last}"]
    return [*whole, f"{first[0]}.{last}", f"{first[:3]}{last[:3]}"]


class Inventor:
    """Invents people and classes from one half of the names; the same seed invents the same."""

    def __init__(self, names: Names, rng: random.Random) -> None:
        self._names, self._rng = names, rng

    def person(self) -> Person:
        """Somebody of any origin."""
        rng = self._rng
        common = [name for name in COMMON if name in self._names.origins]
        name = rng.choice(common) if rng.random() < 0.5 else rng.choice(list(self._names.origins))
        origin = self._names.origins[name]
        last = rng.choice(origin.family)
        if origin.two_surnames and rng.random() < 0.7:
            last = f"{last} {rng.choice(origin.family)}"
        first = rng.choice(origin.given)
        middle = rng.choice(origin.given) if rng.random() < 0.25 else ""
        person = Person(first, last, name, origin.family_first, "" if middle == first else middle)
        self._another_way(person)
        return person

    def _another_way(self, person: Person) -> None:
        """Some people are called otherwise than the roster says, or written otherwise."""
        rng, chance = self._rng, self._rng.random()
        if chance < 0.07:
            person.first, person.nickname = rng.choice(self._names.nicknames)
        elif chance < 0.1:
            person.first, other = rng.choice(self._names.spellings)
            person.spelled = f"{other} {person.last}"
        elif chance < 0.12:
            person.last, other = rng.choice(self._names.family_spellings)
            person.spelled = f"{person.first} {other}"
        for pattern, two in (("å", "aa"), ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ø", "oe")):
            if not person.spelled and re.search(pattern, person.full, re.IGNORECASE):
                person.spelled = re.sub(pattern, two, person.full, flags=re.IGNORECASE)
                person.spelled = " ".join(word[:1].upper() + word[1:] for word in person.spelled.split())

    def school_class(self, size: int) -> list[Person]:
        """A class with its siblings, people of one first name, and sometimes two of the same name."""
        rng = self._rng
        students = [self.person() for _ in range(size)]
        for first, second in zip(rng.sample(students, 8), rng.sample(students, 8), strict=True):
            if first is not second and first.last and rng.random() < 0.5:
                second.last, second.spelled = first.last, ""
            elif first is not second and rng.random() < 0.4:
                second.first, second.nickname, second.spelled = first.first, "", ""
        if rng.random() < 0.4:
            one, other = rng.sample(students, 2)
            other.first, other.last, other.nickname, other.spelled = one.first, one.last, "", ""
        taken: set[str] = set()
        known_addresses = rng.random() < 0.7
        for student in students:
            student.student_id = UUID(int=rng.getrandbits(128), version=4)
            student.email = self.address(student, taken) if known_addresses else ""
        return students

    def address(self, person: Person, taken: set[str]) -> str:
        """A school's address made of the name; nobody else in `taken` has it."""
        domain = "elev.skola.example" if self._rng.random() < 0.5 else "students.school.example"
        local = self._rng.choice(addresses(person))
        number, found = 1, f"{local}@{domain}"
        while found in taken:
            number += 1
            found = f"{local}{number}@{domain}"
        taken.add(found)
        return found
