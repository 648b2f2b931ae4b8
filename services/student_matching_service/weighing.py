"""What a text's mentions say together about who wrote it: one weight for each student they may mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from services.student_matching_service.calibration import calibrated
from services.student_matching_service.identities import Mention
from services.student_matching_service.likeness import HINT, Likeness

STRONG = 0.7
LABELLED = 0.995
"""Trust of a place that the text calls the author's."""
SURE_PLACE = 0.86
"""Trust from which on a place may name the author without a look."""
LIKELY_PLACE = 0.75
"""Trust from which on a name in a place may be taken for the author's by the deadline."""
MOST_WHEN_CONTRADICTED = 0.69
"""What is left when a strong place names another student, or only doubtful ones this: too little for the deadline."""
MOST_WHEN_DOUBTED = 0.9
"""What is left when a weak place does, or when the name is not written in full: too little to pass without a look."""
EXACT = 0.9
"""Worth of a likeness from which on no letter and no word is amiss."""
STRANGER_IN_AUTHOR_FIELD = 0.1
"""What is left of the odds when the text calls somebody outside the class its author."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The students a mention may mean, by their place in the roster."""

    mention: Mention
    fits: Mapping[int, Likeness]

    def worth(self, student: int) -> float:
        """How sure this mention alone would be of the student, were nobody else in the class like them."""
        fit = self.fits.get(student)
        return fit.worth * self.mention.trust if fit else 0.0

    def is_sure_of(self, student: int) -> bool:
        """Whether it needs no look: a sure place, and a name that is the student's."""
        return student in self.fits and self.fits[student].is_sure and self.mention.trust >= SURE_PLACE

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


@dataclass(frozen=True, slots=True)
class Finding:
    """What one text says: the mentions that fit somebody, those that name strangers, and what they weigh."""

    readings: Sequence[Reading] = ()
    nobodys: Sequence[Mention] = ()
    names_somebody: bool = False
    is_hint: bool = False
    """Whether there is only a hint, such as initials, or half a name beside the full name of a stranger."""
    weights: Mapping[int, float] = field(default_factory=dict)
    """The odds of each student, were there no others."""

    @classmethod
    def of(cls, readings: Sequence[Reading]) -> "Finding":
        """Weigh the mentions: agreement breaks ties, contradiction lowers."""
        nobodys = [reading.mention for reading in readings if not reading.fits]
        known = [reading for reading in readings if reading.fits]
        fitting = _without_hints(known, nobodys)
        finding = cls(
            fitting or known,
            nobodys,
            names_somebody=any(reading.mention.names_somebody for reading in readings),
            is_hint=not fitting,
        )
        return replace(finding, weights=finding._weighed()) if known else finding

    @property
    def strangers(self) -> list[Mention]:
        """Whom the text calls its author though nobody in the class is called so."""
        return [mention for mention in self.nobodys if mention.is_author_field]

    def _weighed(self) -> dict[int, float]:
        odds = max(_odds(reading.best) for reading in self.readings) * (
            STRANGER_IN_AUTHOR_FIELD if self.strangers else 1
        )
        candidates = sorted({student for reading in self.readings for student in reading.fits})
        return {student: odds * prod(each.relative(student) for each in self.readings) for student in candidates}

    @property
    def scores(self) -> dict[int, float]:
        """How sure each student is before calibration, none surer than their best place."""
        total = 1 + sum(self.weights.values())
        return {student: min(weight / total, self._surest(student)) for student, weight in self.weights.items()}

    def chances(self, less_likely: Mapping[int, float] | None = None) -> dict[int, float]:
        """How likely each student is: calibrated together, shared by score; some less likely for other reasons."""
        scores = self.scores
        total = sum(scores.values())
        together = calibrated(total)
        parts = {s: together * score / total * (less_likely or {}).get(s, 1.0) for s, score in scores.items()}
        everything = 1 - together + sum(parts.values())
        return {student: part / everything for student, part in parts.items()}

    def ceiling(self, student: int) -> float:
        """What confidence is left for a student whom a place contradicts, or who is not named in full or exactly."""
        supports = [reading for reading in self.readings if student in reading.fits]
        place = max((reading.mention.trust for reading in supports if reading.fits[student].is_sure), default=0.0)
        # A label outweighs a name that merely stands there, such as a title.
        others = [each for each in self.readings if student not in each.fits]
        against = [each for each in others if each.best >= STRONG or each.mention.trust >= LABELLED]
        is_labelled = place >= LABELLED
        if any(not is_labelled or each.mention.trust >= LABELLED for each in against):
            return MOST_WHEN_CONTRADICTED
        if self.strangers and not is_labelled:
            return MOST_WHEN_CONTRADICTED
        if all(reading.mention.trust < LIKELY_PLACE or reading.fits[student].is_rather_another for reading in supports):
            return MOST_WHEN_CONTRADICTED
        sure = any(each.is_sure_of(student) for each in supports)
        return 1.0 if sure and not self.is_contradicted(student) else MOST_WHEN_DOUBTED

    def names_exactly(self, student: int) -> bool:
        """Whether a sure place has the student's name as it is, be it without accents or in another order."""
        sure = [each.fits[student].worth for each in self.readings if each.is_sure_of(student)]
        return max(sure, default=0.0) >= EXACT and self.ceiling(student) == 1.0

    def is_contradicted(self, student: int) -> bool:
        """Whether some place names another student, or a label, an address or a signature somebody else."""
        return any(mention.is_signed for mention in self.nobodys) or any(
            student not in reading.fits for reading in self.readings
        )

    def names_another_beside(self, student: int) -> bool:
        """Whether the place that names this student names another as surely: two who wrote together."""
        places = {each.mention.where for each in self.readings if each.is_sure_of(student)}
        others = [each for each in self.readings if student not in each.fits]
        as_sure = [each.mention for each in others if any(each.is_sure_of(other) for other in each.fits)]
        several = [each for each in (*self.nobodys, *(o.mention for o in others)) if each.is_one_of_several]
        return any(mention.where in places for mention in (*as_sure, *several))

    def names_another_more_plainly(self, student: int) -> bool:
        """Whether this student is only named beside other words, and another alone on a line."""
        return self._place(student) < SURE_PLACE <= max(map(self._place, self.weights))

    def names_alone(self, student: int) -> bool:
        """Whether some place names this student surely and fits no other, be it beside others' names."""
        alone = [each for each in self.readings if set(each.fits) == {student} and each.fits[student].is_sure]
        return any(len(self.weights) > 1 or each.is_sure_of(student) for each in alone)

    def _place(self, student: int) -> float:
        return max(each.mention.trust for each in self.readings if student in each.fits)

    def _surest(self, student: int) -> float:
        return max(reading.worth(student) for reading in self.readings)


def _without_hints(readings: Sequence[Reading], nobodys: Sequence[Mention]) -> list[Reading]:
    """Half a name, or one beside other words, is nothing beside a stranger's full name in a place as sure."""
    people = [mention for mention in nobodys if mention.names_somebody and not mention.is_email]
    stranger = max((mention.trust for mention in people), default=0.0)
    kept = []
    for reading in readings:
        surer, sure = reading.mention.trust > stranger, reading.mention.trust >= SURE_PLACE
        fits = {s: like for s, like in reading.fits.items() if like.worth > HINT and (surer or (sure and like.is_full))}
        if fits:
            kept.append(Reading(reading.mention, fits))
    return kept


def _odds(probability: float) -> float:
    return probability / (1 - probability)
