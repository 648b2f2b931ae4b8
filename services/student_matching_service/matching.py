"""Who of a class wrote an essay: what its text says, compared with every student, with honest confidence."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from common_core.events.class_management import RosterStudent
from common_core.events.student_matching import Evidence, StudentSuggestion
from common_core.status_enums import AssociationConfidenceLevel, NoMatchReason
from rapidfuzz import process
from rapidfuzz.distance import OSA

from services.student_matching_service.identities import Mention, mentions
from services.student_matching_service.likeness import Likeness, WrittenName, likeness, written_names
from services.student_matching_service.names import StudentName, Word, allowed_typos, join, words
from services.student_matching_service.reasons import reasons

MOST_SUGGESTIONS = 3
WORTH_SAYING = 0.05
MOST_WHEN_AMBIGUOUS = 0.5
"""What no candidate exceeds when two are about equally likely, so that nothing downstream can pick one."""
EXACT_EMAIL = 0.99
NAME_IN_EMAIL = 0.92
STRONG = 0.7
MOST_WHEN_CONTRADICTED = 0.69
"""What is left when a strong place names another student: too little to be confirmed by the deadline."""
MOST_WHEN_DOUBTED = 0.89
"""What is left when a weak place does, such as a title that is also a first name: too little to pass without a look."""
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
        self._by_email.pop("", None)

    def match(self, text: str) -> Match:
        """Compare the names in a text with the class. Pure: the same text and class give the same answer."""
        found = _distinct(mentions(text))
        readings = [Reading(mention, self._read(mention)) for mention in found]
        fitting = [reading for reading in readings if reading.fits]
        if not fitting:
            somebody = any(mention.names_somebody for mention in found)
            return Match(
                no_match_reason=NoMatchReason.NO_STUDENT_FOUND if somebody else NoMatchReason.NO_IDENTITY_FOUND
            )
        strangers = [reading.mention for reading in readings if not reading.fits and reading.mention.is_author_field]
        return self._suggest(fitting, strangers)

    def _read(self, mention: Mention) -> dict[int, Likeness]:
        if not mention.is_email:
            return self._students_like(written_names(mention.found))
        if known := self._by_email.get(mention.found.casefold()):
            return dict.fromkeys(known, Likeness(EXACT_EMAIL, "by the address in the class list"))
        similar = self._students_like([WrittenName(words(mention.found.partition("@")[0]))])
        return {student: Likeness(like.worth * NAME_IN_EMAIL, like.how) for student, like in similar.items()}

    def _students_like(self, readings: Sequence[WrittenName]) -> dict[int, Likeness]:
        fits: dict[int, Likeness] = {}
        for reading in readings:
            for student in self._with_similar_words(reading.words):
                like = likeness(reading, self._names[student])
                if like and (student not in fits or like.worth > fits[student].worth):
                    fits[student] = like
        return fits

    def _with_similar_words(self, written: Sequence[Word]) -> set[int]:
        """The students worth a closer look: comparing everybody in full would take too long."""
        near: set[int] = set()
        for form in {join(written), *(form for word in written for form in word.forms if len(form) > 1)}:
            cutoff = allowed_typos(len(form))
            for known, _, _ in process.extract(
                form, self._vocabulary, scorer=OSA.distance, score_cutoff=cutoff, limit=None
            ):
                near |= self._by_word[known]
        return near

    def _suggest(self, readings: Sequence[Reading], strangers: Sequence[Mention]) -> Match:
        scores = _weigh(readings, doubted=bool(strangers))
        ranked = sorted(scores, key=lambda student: (-scores[student], student))
        best = scores[ranked[0]]
        ambiguous = len(ranked) > 1 and scores[ranked[1]] >= best / 2
        ceiling = MOST_WHEN_AMBIGUOUS if ambiguous else 1.0
        said = [student for student in ranked if scores[student] >= min(best, WORTH_SAYING)]
        suggestions = [
            self._suggestion(s, min(scores[s], ceiling), said, readings, strangers) for s in said[:MOST_SUGGESTIONS]
        ]
        return Match(tuple(suggestions), NoMatchReason.AMBIGUOUS if ambiguous else None)

    def _suggestion(
        self, student: int, score: float, said: Sequence[int], readings: Sequence[Reading], strangers: Sequence[Mention]
    ) -> StudentSuggestion:
        supporting = sorted((r for r in readings if student in r.fits), key=lambda r: -r.worth(student))
        against = [reading.mention for reading in readings if student not in reading.fits]
        rivals = [self._full_name(other) for other in said if other != student]
        name = self._full_name(student)
        supports = [(reading.mention, reading.fits[student]) for reading in supporting]
        return StudentSuggestion(
            student_id=self._students[student].student_id,
            student_name=name,
            confidence_score=score,
            confidence_level=AssociationConfidenceLevel.of(score),
            match_reasons=reasons(name, supports, [*against, *strangers], rivals),
            evidence=tuple(Evidence(found=mention.found, where=mention.where) for mention, _ in supports),
        )

    def _full_name(self, student: int) -> str:
        return f"{self._students[student].first_name} {self._students[student].last_name}".strip()


def _weigh(readings: Sequence[Reading], *, doubted: bool) -> dict[int, float]:
    """All mentions together: agreement breaks ties, contradiction lowers, nothing is surer than its best place."""
    candidates = {student for reading in readings for student in reading.fits}
    odds = max(_odds(reading.best) for reading in readings) * (STRANGER_IN_AUTHOR_FIELD if doubted else 1)
    weights = {student: odds * prod(reading.relative(student) for reading in readings) for student in candidates}
    total = 1 + sum(weights[student] for student in sorted(candidates))
    return {student: round(min(weight / total, _ceiling(student, readings)), 3) for student, weight in weights.items()}


def _ceiling(student: int, readings: Sequence[Reading]) -> float:
    """The surest place alone; where another place names somebody else of the class, a person shall look."""
    surest = max(reading.worth(student) for reading in readings)
    against = max((reading.best for reading in readings if student not in reading.fits), default=0.0)
    return min(surest, MOST_WHEN_CONTRADICTED if against >= STRONG else MOST_WHEN_DOUBTED) if against else surest


def _odds(probability: float) -> float:
    return probability / (1 - probability)


def _distinct(found: Iterable[Mention]) -> list[Mention]:
    """The same words in several places count once, in the surest place: repeating a name makes nobody surer."""
    surest: dict[str, Mention] = {}
    for mention in sorted(found, key=lambda mention: -mention.trust):
        same = mention.found.casefold() if mention.is_email else join(words(mention.found))
        surest.setdefault(same, mention)
    return list(surest.values())
