"""Who of a class wrote an essay: what its text says, compared with every student, with honest confidence."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from rapidfuzz import process
from rapidfuzz.distance import OSA

from common_core.events.class_management import RosterStudent
from common_core.events.student_matching import StudentSuggestion
from common_core.status_enums import NoMatchReason
from services.student_matching_service.identities import Mention, mentions
from services.student_matching_service.likeness import Likeness, WrittenName, likeness, written_names
from services.student_matching_service.names import StudentName, Word, allowed_typos, join, words
from services.student_matching_service.reasons import suggestion

MOST_SUGGESTIONS = 3
EXACT_EMAIL = 0.99
NAME_IN_EMAIL = 0.92
STRANGER_IN_AUTHOR_FIELD = 0.1
"""What is left of the odds when the text calls somebody outside the class its author."""


@dataclass(frozen=True, slots=True)
class Match:
    """Who may have written one essay, the best first, and why nobody clearly did."""

    suggestions: tuple[StudentSuggestion, ...] = ()
    no_match_reason: NoMatchReason | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """The students a mention may mean, by their place in the roster."""

    mention: Mention
    fits: Mapping[int, Likeness]

    def worth(self, student: int) -> float:
        """How sure this mention alone would be of the student, were nobody else in the class like them."""
        fit = self.fits.get(student)
        return fit.worth * self.mention.trust if fit else 0.0

    @property
    def best(self) -> float:
        """How sure it is of the student it fits best."""
        return max(self.worth(student) for student in self.fits)

    def relative(self, student: int) -> float:
        """How likely it is to stand in this student's text, compared with that of the best.

        The square keeps an exact name well ahead of a possible slip; what the mention does not fit at all keeps the
        chance that the mention means nothing.
        """
        return max((_odds(self.worth(student)) / _odds(self.best)) ** 2, 1 - self.best)


class Roster:
    """A class, prepared once so that many essays can be compared with it quickly."""

    def __init__(self, students: Iterable[RosterStudent]) -> None:
        self._students = sorted(students, key=lambda student: student.student_id)
        self._names = [StudentName.of(student) for student in self._students]
        self._by_email = defaultdict[str, set[int]](set)
        self._by_word = defaultdict[str, set[int]](set)
        for index, (student, name) in enumerate(zip(self._students, self._names, strict=True)):
            self._by_email[(student.email or "").strip().casefold()].add(index)
            for form in name.joined.union(*(word.forms for _, word in name.parts)):
                self._by_word[form].add(index)
        self._vocabulary = list(self._by_word)
        del self._by_email[""]

    def match(self, text: str) -> Match:
        """Compare the names in a text with the class. Pure: the same text and class give the same answer."""
        found = mentions(text)
        readings = _distinct(Reading(mention, self._read(mention)) for mention in found)
        fitting = [reading for reading in readings if reading.fits]
        if not fitting:
            somebody = any(mention.names_somebody for mention in found)
            return Match(no_match_reason=NoMatchReason.NO_STUDENT_FOUND if somebody else NoMatchReason.NO_IDENTITY_FOUND)
        strangers = [reading.mention for reading in readings if not reading.fits and reading.mention.is_author_field]
        return self._weigh(fitting, strangers)

    def _read(self, mention: Mention) -> dict[int, Likeness]:
        if mention.is_email:
            return self._read_email(mention.found)
        return self._students_like(written_names(mention.found))

    def _read_email(self, address: str) -> dict[int, Likeness]:
        if known := self._by_email.get(address.casefold()):
            return dict.fromkeys(known, Likeness(EXACT_EMAIL, "the address in the class list"))
        local = [WrittenName(words(address.partition("@")[0]))]
        return {
            student: Likeness(like.worth * NAME_IN_EMAIL, f"{like.how}")
            for student, like in self._students_like(local).items()
        }
