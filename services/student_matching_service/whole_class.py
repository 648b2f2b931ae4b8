"""What the essays of a batch say about one another: a student writes one essay, unless the texts say otherwise."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.student_matching_service.weighing import Finding

MOST_WHEN_SHARED = 0.9
"""What is left when two essays name one student: the teacher looks at both."""
MOST_WHEN_SHARED_AND_DOUBTED = 0.69
"""What is left for one of them that does not name the student exactly."""
NAMES_THE_STUDENT = 0.5
"""How sure an essay is at least whose first student is suggested, unless as one of several who are as likely."""
HAS_ANOTHER_ESSAY = 0.02
"""What is left of the odds of a student whom another essay names beyond doubt."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whom one essay names."""

    chances: Mapping[int, float]
    """How likely each student is."""
    is_ambiguous: bool = False
    is_clear: bool = False
    """Whether the first student is so sure that nobody needs to look."""

    @property
    def first(self) -> int | None:
        """The likeliest student."""
        return min(self.chances, key=lambda student: (-self.chances[student], student), default=None)

    def reconsidered(self, chances: Mapping[int, float]) -> "Verdict":
        """The same with what other essays add: they may say who is likelier, never decide what the text leaves open."""
        if not self.chances:
            return self
        other = replace(self, chances=chances)
        return replace(other, is_ambiguous=self.is_ambiguous or other.first != self.first)


@dataclass(frozen=True, slots=True)
class Beside:
    """What the other essays add to one."""

    less_likely: dict[int, float] = field(default_factory=dict)
    """What is left of the odds of students who have another essay."""
    elsewhere: dict[int, int] = field(default_factory=dict)
    """The essay, by its place, that those students have."""
    shared_with: list[int] = field(default_factory=list)
    """The other essays that name the same student."""


def ruled_out(
    findings: Sequence[Finding], verdicts: Sequence[Verdict], are_namesakes: Callable[[int, int], bool]
) -> list[Beside]:
    """Who of an essay's candidates has another essay; nobody whom the text names in full, alone or with a namesake."""
    clear = {verdict.first: essay for essay, verdict in enumerate(verdicts) if verdict.is_clear}
    beside = []
    for finding, verdict in zip(findings, verdicts, strict=True):
        elsewhere = {
            student: clear[student]
            for student in verdict.chances
            if student in clear
            and not verdict.is_clear
            and not finding.names_alone(student)
            and not any(are_namesakes(student, other) for other in verdict.chances if other != student)
        }
        beside.append(Beside(dict.fromkeys(elsewhere, HAS_ANOTHER_ESSAY), elsewhere))
    return beside


def shared(verdicts: Sequence[Verdict], beside: Sequence[Beside]) -> None:
    """Note for each essay which others name the same student."""
    by_student = defaultdict[int | None, list[int]](list)
    for essay, verdict in enumerate(verdicts):
        if not verdict.is_ambiguous and max(verdict.chances.values(), default=0.0) >= NAMES_THE_STUDENT:
            by_student[verdict.first].append(essay)
    for essays in by_student.values():
        for essay in essays:
            beside[essay].shared_with.extend(other for other in essays if other != essay)
