"""A batch of essays and who wrote them: each name in some place, form and company."""

import random
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from common_core.events.class_management import RosterStudent
from rapidfuzz.distance import OSA

from benchmarks.matching import prose
from benchmarks.matching.classes import Inventor, Person, addresses
from benchmarks.matching.forms import FORMS, meant, write
from benchmarks.matching.people import names
from benchmarks.matching.places import IN_CP1252, NOT_READ, PLACES, Sheet


class Right(StrEnum):
    """What would be the right answer."""

    ONE = "the author"
    SEVERAL = "ambiguous"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Essay:
    """A text and what should be found out about it."""

    text: str
    right: Right
    authors: frozenset[str]
    """The ids of whom the text may mean; more than one when it does not tell them apart."""
    place: str
    form: str
    company: str


@dataclass(frozen=True)
class Batch:
    """A class and its essays."""

    students: list[RosterStudent]
    essays: list[Essay]


def thanks(sheet: Sheet, other: str) -> None:
    sheet.tail.append(
        sheet.pick("Thanks to {} for reading.|Thank you {}!", "Tack till {} som läste.|Tack {}!").format(other)
    )


def reviewer(sheet: Sheet, other: str) -> None:
    sheet.head.append(sheet.pick("Peer review by: {}|Reviewed by {}", "Kamratrespons: {}|Granskad av {}").format(other))


def teacher(sheet: Sheet, other: str) -> None:
    sheet.head.append(sheet.pick("Teacher: {}|Ms. {}", "Lärare: {}|Till {}").format(other))


def epigraph(sheet: Sheet, other: str) -> None:
    words = sheet.pick('"To be is to do"|“We are all alone.”', '”Allt är möjligt.”|"Att våga är att tappa fotfästet."')
    sheet.head += sheet.rng.choice([[f"{words} – {other}"], [words, f"– {other}"]])


def sources(sheet: Sheet, other: str) -> None:
    first, _, last = other.partition(" ")
    heading = sheet.pick("Works cited|References|Sources:", "Källor|Litteratur|Källförteckning:")
    sheet.tail += [heading, f"{last}, {first}. The Long Road. 1957.", f"{last}, {first[0]}. (2004). Essays."]


def quoted_title(sheet: Sheet, other: str) -> None:
    sheet.title = sheet.pick(
        "{}: A Life|Book review of {}|The hero: {}", "{} – ett liv|En text om {}|Hjälten: {}"
    ).format(other)


def classmate_in_title(sheet: Sheet, other: str) -> None:
    sheet.title = sheet.pick(
        "{}: A Life|My friend {}|An analysis of {}", "{} – ett liv|Min vän {}|Analys av {}"
    ).format(other)


COMPANY: dict[str, tuple[float, Callable[[Sheet, str], None]]] = {
    "alone": (10, lambda *_: None),
    "somebody thanked": (1, thanks),
    "a reviewer": (1, reviewer),
    "a teacher": (1.5, teacher),
    "an epigraph": (1, epigraph),
    "sources at the end": (1.5, sources),
    "somebody in the title": (1, quoted_title),
    "a classmate in the title": (0.3, classmate_in_title),
}
NO_NAME, STRANGER, TWO = "no name", "author not in the class", "two authors"


class Generator:
    """Invents batches; `odd` says which half of names, words and combinations they are made of."""

    def __init__(self, seed: int, odd: int, data: Path) -> None:
        self._rng, self._odd = random.Random(seed * 2 + odd), odd  # noqa: S311  # Nobody shall be surprised.
        self.names = names(odd, data)
        self.inventor = Inventor(self.names, self._rng)

    def batch(self, size: int | None = None) -> Batch:
        """A class of so many, else 20 to 35; some hand in nothing, some twice, and some essays are by nobody of it."""
        rng = self._rng
        students = self.inventor.school_class(size or rng.randint(20, 35))
        authors = [student for student in students if rng.random() < 0.95]
        authors += rng.sample(students, 1) if rng.random() < 0.3 else []
        essays = [self._by(author, students) for author in authors]
        essays += [self._by_nobody(students) for _ in range(rng.randint(2, 5))]
        rng.shuffle(essays)
        return Batch([student.as_student() for student in students], essays)

    def _by(self, author: Person, students: Sequence[Person]) -> Essay:
        place = self._one_of(PLACES)
        if self._rng.random() < 0.01:
            return self._by_two(author, students)
        written, form = write(author, self._rng, self._forms_at(place))
        place = _possible(place, written, author)
        email = author.email or self.inventor.address(author, set())
        fitting = meant(author, form, students)
        if place == "Exam.net":
            local = email.partition("@")[0]
            fitting = [author] if author.email else [s for s in fitting if local in addresses(s)] or fitting
        if "e-mail" in place:
            form = "address in the class list" if author.email else "address not in the class list"
            local = email.partition("@")[0]
            fitting = [author] if author.email else [s for s in students if local in addresses(s)]
        text, company = self._essay(place, written, email, students, author)
        right = Right.NOBODY if place in NOT_READ else Right.ONE if len(fitting) == 1 else Right.SEVERAL
        ids = frozenset(str(student.student_id) for student in fitting)
        return Essay(text, right, ids, place, form, company)

    def _by_two(self, author: Person, students: Sequence[Person]) -> Essay:
        other = self._rng.choice([student for student in students if student.full != author.full])
        joined = self._rng.choice([" and ", " & ", ", ", " och "]).join([author.full, other.full])
        place = self._rng.choice(["first line", "below the title", "name field"])
        text, company = self._essay(place, joined, author.email, students, author)
        ids = frozenset(str(each.student_id) for each in (author, other))
        return Essay(text, Right.SEVERAL, ids, place, TWO, company)

    def _by_nobody(self, students: Sequence[Person]) -> Essay:
        stranger = self.inventor.person()
        if self._rng.random() < 0.35:
            text, company = self._essay("first line", "", "", students, stranger)
            return Essay(text, Right.NOBODY, frozenset(), NO_NAME, NO_NAME, company)
        self._like_somebody(stranger, self._rng.choice(students))
        place = self._one_of({name: each for name, each in PLACES.items() if name not in NOT_READ})
        written, form = write(stranger, self._rng, self._forms_at(place))
        place = _possible(place, written, stranger)
        stranger.email = self.inventor.address(stranger, {student.email for student in students})
        local = stranger.email.partition("@")[0]
        fitting = (
            [s for s in students if local in addresses(s)] if "e-mail" in place else meant(stranger, form, students)
        )
        text, company = self._essay(place, written, stranger.email, students, stranger)
        # A stranger who has the name of somebody of the class is found, rightly so for all that the text says.
        right = (Right.NOBODY, Right.ONE, Right.SEVERAL)[min(len(fitting), 2)]
        return Essay(text, right, frozenset(str(s.student_id) for s in fitting), place, STRANGER, company)

    def _like_somebody(self, stranger: Person, student: Person) -> None:
        """Some strangers share a name with a student, and some of those nearly the other as well."""
        chance = self._rng.random()
        if chance < 0.25:
            stranger.first = student.first
        elif chance < 0.6:
            given = {name for origin in self.names.origins.values() for name in origin.given} - {student.first}
            near = sorted(name for name in given if OSA.distance(name, student.first) == 1)
            initial = sorted(name for name in given if name[0] == student.first[0])
            alike = near if chance < 0.3 else initial if chance < 0.4 else []
            stranger.first, stranger.last = self._rng.choice(alike or [stranger.first]), student.last

    def _essay(
        self, place: str, written: str, email: str, students: Sequence[Person], author: Person
    ) -> tuple[str, str]:
        rng, swedish = self._rng, self._rng.random() < 0.5
        language = "sv" if swedish else "en"
        others = [
            student
            for student in students
            if student.last and student.last != author.last and student.first != author.first
        ]
        somebody = [self.inventor.person().full for _ in range(3)]
        in_text = [rng.choice(others).full] * (rng.random() < 0.3) + somebody
        wrapped = place in IN_CP1252 or rng.random() < 0.2
        sheet = Sheet(
            rng, self._odd, swedish, written, email,
            prose.title(rng, language, self._odd, somebody[0]),
            prose.body(rng, language, self._odd, in_text, wrapped=wrapped),
            teacher=self.inventor.person().full,
        )  # fmt: skip
        company = self._one_of(COMPANY)
        # A classmate is thanked or reviews; quoted and written about are people from elsewhere.
        with_classmate = ("somebody thanked", "a reviewer", "a classmate in the title")
        other = rng.choice(others).full if company in with_classmate else somebody[1]
        COMPANY[company][1](sheet, other)
        if place in IN_CP1252:
            _only_latin(sheet)
        return PLACES[place][1](sheet), company

    def _forms_at(self, place: str) -> list[str]:
        """A third of the combinations of place and form is kept for judging, another for developing."""
        forms = [form for form in FORMS if zlib.crc32(f"{place}/{form}".encode()) % 3 != 1 - self._odd]
        return forms if "as in the roster" in forms else ["as in the roster", *forms]

    def _one_of(self, weighted: Mapping[str, tuple[float, Any]]) -> str:
        return self._rng.choices(list(weighted), [weight for weight, _ in weighted.values()])[0]


def _possible(place: str, written: str, author: Person) -> str:
    """The place, or one that can hold a name in letters that our pdf font, or an address, has not."""
    if "e-mail" in place and "elev" in addresses(author)[0]:
        return "first line"
    latin = written.encode("cp1252", "ignore").decode("cp1252") == written
    return place if latin or place not in IN_CP1252 else "docx, first line"


def _only_latin(sheet: Sheet) -> None:
    """Without letters that our pdf font has not."""
    for name in ("written", "title", "body", "teacher", "email"):
        setattr(sheet, name, getattr(sheet, name).encode("cp1252", "ignore").decode("cp1252"))
    for lines in (sheet.head, sheet.tail):
        lines[:] = [line.encode("cp1252", "ignore").decode("cp1252") for line in lines]
