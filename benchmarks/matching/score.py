"""What was found, what should have been, and how far the confidence can be believed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from common_core.status_enums import NoMatchReason

from benchmarks.matching.essays import Essay, Right
from services.student_matching_service.matching import Match

BINS = 10


class Outcome(StrEnum):
    """What came of one essay."""

    FOUND = "found"
    AMBIGUOUS = "ambiguous"
    NONE = "none"
    WRONG = "wrong"


@dataclass(frozen=True)
class Judged:
    """An essay, what the matcher said, and what that is worth."""

    essay: Essay
    match: Match

    @property
    def confidence(self) -> float:
        """Of the first suggestion; 0 without any."""
        return self.match.suggestions[0].confidence_score if self.match.suggestions else 0.0

    @property
    def is_right(self) -> bool:
        """Whether the first suggestion is one of those the text may mean."""
        return bool(self.match.suggestions) and str(self.match.suggestions[0].student_id) in self.essay.authors

    @property
    def outcome(self) -> Outcome:
        """What came of it; a text that means several may not be decided for one of them."""
        if not self.match.suggestions:
            return Outcome.NONE
        if self.match.no_match_reason is NoMatchReason.AMBIGUOUS:
            return Outcome.AMBIGUOUS
        return Outcome.FOUND if self.is_right and self.essay.right is Right.ONE else Outcome.WRONG


@dataclass(frozen=True)
class Score:
    """Figures over many essays; rates between 0 and 1."""

    judged: Sequence[Judged]

    def share(self, holds: Callable[[Judged], bool], among: Callable[[Judged], bool] = lambda _: True) -> float:
        """How many of `among` it holds for; 1 where there is none."""
        some = [each for each in self.judged if among(each)]
        return sum(map(holds, some)) / len(some) if some else 1.0

    def precision(self, above: float) -> float:
        """How many of the clear suggestions above this confidence are right."""
        return self.share(lambda j: j.outcome is Outcome.FOUND, lambda j: j.confidence > above and _clear(j))

    def recall(self, above: float) -> float:
        """How many of the essays whose text names one student are found with more than this confidence."""
        return self.share(
            lambda j: j.outcome is Outcome.FOUND and j.confidence > above, lambda j: j.essay.right is Right.ONE
        )

    @property
    def wrong(self) -> float:
        """How many of all essays have a wrong clear suggestion, however unsure."""
        return self.share(lambda j: j.outcome is Outcome.WRONG)

    @property
    def equal_are_ambiguous(self) -> float:
        """How many of the essays that name several students alike are called ambiguous."""
        return self.share(lambda j: j.outcome is Outcome.AMBIGUOUS, lambda j: j.essay.right is Right.SEVERAL)

    @property
    def equal_found_are_ambiguous(self) -> float:
        """The same of those in which the matcher finds somebody at all: the text of the rest names nobody it knows."""
        return self.share(
            lambda j: j.outcome is Outcome.AMBIGUOUS,
            lambda j: j.essay.right is Right.SEVERAL and j.outcome is not Outcome.NONE,
        )

    @property
    def equal(self) -> Counter[Outcome]:
        """What came of the essays that name several students alike."""
        return Counter(j.outcome for j in self.judged if j.essay.right is Right.SEVERAL)

    @property
    def equal_are_decided(self) -> float:
        """How many of them have one chosen all the same; the rest is called ambiguous or suggests nobody."""
        return 1 - self.share(lambda j: j.outcome is not Outcome.WRONG, lambda j: j.essay.right is Right.SEVERAL)

    @property
    def reliability(self) -> list[tuple[float, float, int]]:
        """For each tenth of confidence: mean confidence, share that is right, and how many clear suggestions."""
        bins = defaultdict[int, list[Judged]](list)
        for each in filter(_clear, self.judged):
            bins[min(int(each.confidence * BINS), BINS - 1)].append(each)
        return [
            (
                sum(j.confidence for j in some) / len(some),
                sum(j.outcome is Outcome.FOUND for j in some) / len(some),
                len(some),
            )
            for _, some in sorted(bins.items())
        ]

    @property
    def calibration_error(self) -> float:
        """The expected calibration error of clear suggestions: the mean distance of confidence and truth, by tenths."""
        total = sum(count for _, _, count in self.reliability)
        return sum(abs(mean - true) * count for mean, true, count in self.reliability) / max(total, 1)

    def by(self, kind: Callable[[Essay], str]) -> Iterable[tuple[str, Counter[Outcome]]]:
        """How often each outcome, by kind of essay."""
        counts = defaultdict[str, Counter[Outcome]](Counter)
        for each in self.judged:
            counts[kind(each.essay)][each.outcome] += 1
        return counts.items()


def _clear(judged: Judged) -> bool:
    return judged.outcome in (Outcome.FOUND, Outcome.WRONG)
