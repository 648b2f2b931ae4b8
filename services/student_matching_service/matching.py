"""Who of a class wrote an essay: what its text says, compared with every student, with honest confidence."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from uuid import UUID

from common_core.events.class_management import RosterStudent
from common_core.events.student_matching import Evidence, StudentSuggestion
from common_core.status_enums import AssociationConfidenceLevel, NoMatchReason
from rapidfuzz import process
from rapidfuzz.distance import OSA

from services.student_matching_service.addresses import address_forms, local_part
from services.student_matching_service.identities import Mention, mentions
from services.student_matching_service.likeness import HINT, Likeness, WrittenName, equal, likeness, written_names
from services.student_matching_service.names import StudentName
from services.student_matching_service.reasons import has_another_essay, is_shared, reasons
from services.student_matching_service.weighing import Finding, Reading
from services.student_matching_service.whole_class import (
    MOST_WHEN_SHARED,
    MOST_WHEN_SHARED_AND_DOUBTED,
    NAMES_THE_STUDENT,
    Beside,
    Verdict,
    ruled_out,
    shared,
)
from services.student_matching_service.words import Word, allowed_typos, join, words

MOST_SUGGESTIONS = 3
WORTH_SAYING = 0.05
MOST_WHEN_AMBIGUOUS = 0.5
"""What no candidate exceeds when two are about equally likely, so that nothing downstream can pick one."""
EXACT_EMAIL = 0.99
NAME_IN_EMAIL = 0.92
CLEAR = 0.9


@dataclass(frozen=True, slots=True)
class Match:
    """Who may have written one essay, the best first, and why nobody clearly did."""

    suggestions: tuple[StudentSuggestion, ...] = ()
    no_match_reason: NoMatchReason | None = None


class Roster:
    """A class, prepared once so that many essays can be compared with it quickly."""

    def __init__(self, students: Iterable[RosterStudent]) -> None:
        self._students = sorted(students, key=lambda student: student.student_id)
        self._names = [StudentName.of(student) for student in self._students]
        self._by_email = defaultdict[str, set[int]](set)
        self._by_address = defaultdict[str, dict[int, Likeness]](dict)
        self._by_word = defaultdict[str, set[int]](set)
        self._by_sound = defaultdict[str, set[int]](set)
        for index, (student, name) in enumerate(zip(self._students, self._names, strict=True)):
            self._by_email[(student.email or "").strip().casefold()].add(index)
            for form, like in address_forms(name):
                self._by_address[form].setdefault(index, like)
            for form in name.joined.union(name.compounds, *(word.forms for _, word in name.parts)):
                self._by_word[form].add(index)
            for _, word in name.parts:
                self._by_sound[word.sound].add(index)
        self._vocabulary = list(self._by_word)
        self._by_email.pop("", None)

    def match(self, text: str) -> Match:
        """Who wrote a text, were it the only one. Pure: the same text and class give the same answer."""
        return self.conclude([self.look(text)], [""])[0]

    def look(self, text: str) -> Finding:
        """Compare the names in a text with the class."""
        found = [each for mention in mentions(text) for each in self._one_by_one(mention)]
        return Finding.of([Reading(mention, self._read(mention)) for mention in _distinct(found)])

    def id_of(self, student: int) -> UUID:
        """The id of a student, who stands at this place of a finding."""
        return self._students[student].student_id

    def conclude(self, findings: Sequence[Finding], titles: Sequence[str]) -> list[Match]:
        """Who wrote which essay of a batch, each finding beside the others; `titles` say which essay is meant."""
        alone = [_verdict(finding) for finding in findings]
        beside = ruled_out(findings, alone, self._are_namesakes)
        verdicts = [
            verdict.reconsidered(finding.chances(each.less_likely))
            for finding, verdict, each in zip(findings, alone, beside, strict=True)
        ]
        shared(verdicts, beside)
        return [
            self._match(finding, verdict, each, titles)
            for finding, verdict, each in zip(findings, verdicts, beside, strict=True)
        ]

    def _one_by_one(self, mention: Mention) -> list[Mention]:
        """The names between commas where they are several students': "Anna Ek, Bo", unless it is one's: "Ek, Anna"."""
        if mention.is_email or "," not in mention.found:
            return [mention]
        names = mention.found.split(",")
        meant = [self._students_like(written_names(name)) for name in names]
        in_full = sum(any(like.is_sure for like in fits.values()) for fits in meant)
        if in_full > 1 or ((in_full or len(names) > 2) and _are_several(meant)):
            return [replace(mention, found=name.strip(), is_list=False, is_one_of_several=True) for name in names]
        return [] if mention.is_list else [mention]

    def _read(self, mention: Mention) -> dict[int, Likeness]:
        if mention.is_whole:
            return self._made_equal(self._students_with_all(mention.found), words(mention.found))
        if not mention.is_email:
            return self._made_equal(self._students_like(written_names(mention.found)), words(mention.found))
        if known := self._by_email.get(mention.found.casefold()):
            return dict.fromkeys(known, Likeness(EXACT_EMAIL, "by the address in the class list"))
        if formed := self._by_address.get(local_part(mention.found)):
            similar = formed
        else:
            similar = self._students_like([WrittenName(words(mention.found.partition("@")[0]))])
        return {student: replace(like, worth=like.worth * NAME_IN_EMAIL) for student, like in similar.items()}

    def _students_with_all(self, found: str) -> dict[int, Likeness]:
        fits = self._students_like(written_names(found))
        return {student: like for student, like in fits.items() if self._names[student].has_all(words(found))}

    def _students_like(self, readings: Sequence[WrittenName]) -> dict[int, Likeness]:
        fits: dict[int, Likeness] = {}
        for reading in readings:
            for student in self._with_similar_words(reading.words):
                like = likeness(reading, self._names[student])
                if like and (student not in fits or like.worth > fits[student].worth):
                    fits[student] = like
        return fits

    def _made_equal(self, fits: Mapping[int, Likeness], written: Sequence[Word]) -> dict[int, Likeness]:
        """As likely: all whose name may be written so, whatever that leaves out; and namesakes whose may not."""
        groups = defaultdict[str, dict[int, Likeness]](dict)
        for student, like in fits.items():
            name = self._names[student]
            groups["" if name.may_stand_as(written) else name.known_by(len(written))][student] = like
        return {s: like for group in groups.values() for s, like in equal(group).items()}

    def _with_similar_words(self, written: Sequence[Word]) -> set[int]:
        """The students worth a closer look: comparing everybody in full would take too long."""
        near = set[int]().union(*(self._by_sound.get(word.sound, ()) for word in written if len(word.sound) > 1))
        for form in {join(written), *(form for word in written for form in word.forms if len(form) > 1)}:
            cutoff = allowed_typos(len(form))
            for known, _, _ in process.extract(
                form, self._vocabulary, scorer=OSA.distance, score_cutoff=cutoff, limit=None
            ):
                near |= self._by_word[known]
        if near or (len(written) > 1 and any(len(word.plain) > 1 for word in written)):
            return near
        return {student for student, name in enumerate(self._names) if name.is_hinted_at(written)}

    def _match(self, finding: Finding, verdict: Verdict, beside: Beside, titles: Sequence[str]) -> Match:
        if not verdict.chances:
            somebody = finding.names_somebody
            return Match((), NoMatchReason.NO_STUDENT_FOUND if somebody else NoMatchReason.NO_IDENTITY_FOUND)
        ranked = sorted(verdict.chances, key=lambda student: (-verdict.chances[student], student))
        confidences = {s: self._confidence(s, finding, verdict, beside) for s in ranked}
        if confidences[ranked[0]] < NAMES_THE_STUDENT and not verdict.is_ambiguous:
            return Match((), NoMatchReason.NO_STUDENT_FOUND)
        least = min(confidences[ranked[0]], WORTH_SAYING)
        said = [s for s in ranked if confidences[s] >= least or s in beside.elsewhere]
        others = self._about_other_essays(ranked[0], beside, titles)
        suggestions = [
            self._suggestion(s, confidences, said, finding, others if s == ranked[0] else ())
            for s in said[:MOST_SUGGESTIONS]
        ]
        return Match(tuple(suggestions), NoMatchReason.AMBIGUOUS if verdict.is_ambiguous else None)

    def _confidence(self, student: int, finding: Finding, verdict: Verdict, beside: Beside) -> float:
        ceilings = [finding.ceiling(student)]
        if verdict.is_ambiguous:
            ceilings.append(MOST_WHEN_AMBIGUOUS)
        if beside.shared_with:
            exactly = finding.names_exactly(student)
            ceilings.append(MOST_WHEN_SHARED if exactly else MOST_WHEN_SHARED_AND_DOUBTED)
        return round(min(verdict.chances[student], *ceilings), 3)

    def _about_other_essays(self, first: int, beside: Beside, titles: Sequence[str]) -> list[str]:
        said = [
            has_another_essay(self._full_name(student), titles[essay], is_first=student == first)
            for student, essay in beside.elsewhere.items()
        ]
        if beside.shared_with:
            said.append(is_shared(self._full_name(first), [titles[essay] for essay in beside.shared_with]))
        return said

    def _suggestion(
        self,
        student: int,
        confidences: Mapping[int, float],
        said: Sequence[int],
        finding: Finding,
        about_other_essays: Sequence[str],
    ) -> StudentSuggestion:
        supporting = sorted((r for r in finding.readings if student in r.fits), key=lambda r: -r.worth(student))
        against = [reading.mention for reading in finding.readings if student not in reading.fits]
        name, own = self._full_name(student), confidences[student]
        rivals = [(self._full_name(other), own - confidences[other]) for other in said if other != student]
        supports = [(reading.mention, reading.fits[student]) for reading in supporting]
        first, *further = reasons(name, supports, [*against, *finding.strangers], rivals)
        return StudentSuggestion(
            student_id=self._students[student].student_id,
            student_name=name,
            confidence_score=confidences[student],
            confidence_level=AssociationConfidenceLevel.of(confidences[student]),
            match_reasons=(first, *about_other_essays, *further),
            evidence=tuple(Evidence(found=mention.found, where=mention.where) for mention, _ in supports),
        )

    def _are_namesakes(self, one: int, other: int) -> bool:
        return bool(self._names[one].joined & self._names[other].joined)

    def _full_name(self, student: int) -> str:
        return f"{self._students[student].first_name} {self._students[student].last_name}".strip()


def _verdict(finding: Finding) -> Verdict:
    """Whom a text names: nobody clearly where the second is more than half as likely as the first, or named beside."""
    chances = finding.chances()
    if not chances:
        return Verdict({})
    first, *others = sorted(chances, key=lambda student: (-chances[student], student))
    as_likely = bool(others) and chances[others[0]] >= chances[first] / 2
    ambiguous = as_likely or finding.names_another_beside(first) or finding.names_another_more_plainly(first)
    if finding.is_hint and not ambiguous:
        return Verdict({})
    sure = min(chances[first], finding.ceiling(first)) > CLEAR
    return Verdict(chances, is_ambiguous=ambiguous, is_clear=sure and not ambiguous)


def _are_several(meant: Sequence[Mapping[int, Likeness]]) -> bool:
    """Whether two of the names are of different students, by more than a hint."""
    students = [{student for student, like in fits.items() if like.worth > HINT} for fits in meant]
    return any(one and other and not one & other for one, other in combinations(students, 2))


def _distinct(found: Iterable[Mention]) -> list[Mention]:
    """The same words in several places count once, in the surest place: repeating a name makes nobody surer."""
    surest: dict[str, Mention] = {}
    for mention in sorted(found, key=lambda mention: -mention.trust):
        same = mention.found.casefold() if mention.is_email else join(words(mention.found))
        surest.setdefault(same, mention)
    return list(surest.values())
