"""A batch's associations after anything that can happen, in any order and repeated, beside a simple model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from common_core.events import EssayMatch, EssayRef, StudentAssociationsConfirmedV1, StudentValidationRequestedV1
from common_core.status_enums import AssociationConfidenceLevel, CourseCode, NoMatchReason
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule
from service_runtime import CancelTimer, SetTimer
from service_runtime.handlers import Effect

from services.class_management_service.errors import (
    AlreadyConfirmed,
    EssayNotOfBatch,
    NotOpen,
    StudentNotInClass,
    Undecided,
)
from services.class_management_service.models import SchoolClass, StudentEntry, Validation
from tests.exhaustive import examples

BATCH, CLASS = UUID(int=1), UUID(int=2)
NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
TEACHER = "berit"
ESSAYS, STUDENTS = (range(11, 14), range(101, 105))
NOTHING_KNOWN = (NoMatchReason.TEXT_UNAVAILABLE, NoMatchReason.ROSTER_UNAVAILABLE)

type Decision = tuple[str, str, int | None]
"""Status, method and student, as they stand in an event."""
type Match = tuple[int | None, float, NoMatchReason | None]
"""The best candidate with its score, and why none is picked."""


@dataclass
class Essay:
    """What the model knows of one essay."""

    best: int | None = None
    named: bool = False
    """Whether somebody was suggested, of the class or not."""
    score: float = 0.0
    ambiguous: bool = False
    decision: Decision | None = None


@dataclass
class Model:
    """What a validation must do."""

    auto: bool
    pupils: set[int]
    essays: dict[int, Essay] = field(default_factory=dict)
    status: str = "expected"
    said: list[tuple[object, ...]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        return self.status in ("confirmed", "cancelled")

    @property
    def open_essays(self) -> list[Essay]:
        return [each for each in self.essays.values() if each.decision is None]

    def suggest(self, matches: dict[int, Match]) -> None:
        if self.over:
            return
        for number, match in matches.items():
            stranger = match[0] is not None and match[0] not in self.pupils
            best, score, reason = (None, 0.0, NoMatchReason.NO_STUDENT_FOUND) if stranger else match
            essay = self.essays.setdefault(number, Essay())
            if essay.decision is None and not (essay.named and reason in NOTHING_KNOWN):
                essay.named = match[0] is not None
                essay.best, essay.score, essay.ambiguous = best, score, reason is NoMatchReason.AMBIGUOUS
        if self.status == "expected":
            self.status = "open"
            picked = sum(each.best is not None and not each.ambiguous for each in self.essays.values())
            self.said.append(("asked", picked, len(self.essays) - picked))
        clear = [each for each in self.open_essays if self.auto and self.stands(each, each.score > 0.9)]
        for each in clear:
            each.decision = ("confirmed", "auto", each.best)
        if clear and not self.open_essays:
            self.finish()

    def change_roster(self, pupils: set[int]) -> None:
        self.pupils = pupils
        for essay in [] if self.over else self.open_essays:
            if essay.best and not essay.ambiguous and essay.best not in pupils:
                essay.best, essay.score = None, 0.0

    def may_decide(self, number: int, student: int | None) -> bool:
        """Whether a choice is one: about an essay of the batch; a student of the class, nobody, or what stands."""
        stands = self.essays[number].decision if number in self.essays else None
        return number in self.essays and (student in {*self.pupils, None} or (stands and stands[2]) == student)

    def stands(self, essay: Essay, sure: bool) -> bool:
        """Whether a suggestion may stand without a person: sure, of the class, for this essay alone."""
        rivals = [each for each in self.essays.values() if each.best == essay.best and not each.ambiguous]
        return sure and essay.best in self.pupils and not essay.ambiguous and len(rivals) == 1

    def decide(self, chosen: dict[int, int | None]) -> None:
        for number, student in chosen.items():
            essay = self.essays[number]
            status = "confirmed" if student else "rejected" if essay.named else "no_match"
            essay.decision = (status, "human", student)

    def accept(self) -> None:
        for each in self.open_essays:
            if each.best in self.pupils and not each.ambiguous:
                each.decision = ("confirmed", "human", each.best)

    def time_is_over(self) -> None:
        if self.status == "open":
            for each, stands in [(each, self.stands(each, each.score >= 0.7)) for each in self.open_essays]:
                each.decision = ("timeout_confirmed", "timeout", each.best) if stands else ("no_match", "timeout", None)
            self.finish(by_time=True)

    def finish(self, *, by_time: bool = False) -> None:
        self.status = "confirmed"
        self.said.append(("confirmed", by_time, {number: each.decision for number, each in self.essays.items()}))


def told(effect: Effect) -> tuple[object, ...]:
    """An event in the model's words."""
    match effect:
        case StudentValidationRequestedV1():
            return "asked", effect.suggested_count, effect.unmatched_count
        case StudentAssociationsConfirmedV1():
            decided = [
                (each.status.value, each.validation_method.value, each.student_id) for each in effect.associations
            ]
            assert sum(effect.validation_summary.model_dump().values()) == len(decided)
            numbers = [each.essay_id.int for each in effect.associations]
            assert len(set(numbers)) == len(numbers)
            by_number = {n: (s, m, who and who.int) for n, (s, m, who) in zip(numbers, decided, strict=True)}
            return "confirmed", effect.timeout_triggered, by_number
        case _:
            raise TypeError(effect)


def ref(number: int) -> dict[str, Any]:
    return {"essay_id": UUID(int=number), "text_storage_id": f"text-{number}", "original_file_name": f"{number}.txt"}


def as_match(number: int, match: Match) -> EssayMatch:
    best, score, reason = match
    level = {"student_name": "somebody", "confidence_level": AssociationConfidenceLevel.of(score), "match_reasons": ()}
    suggestion = {"student_id": UUID(int=best or 0), "confidence_score": score, **level}
    return EssayMatch.model_validate(
        {**ref(number), "suggestions": [suggestion] if best else [], "no_match_reason": reason}
    )


SCORES = st.sampled_from([0.3, 0.69, 0.7, 0.9, 0.91, 1.0])
FOUND = st.tuples(st.sampled_from(STUDENTS), SCORES, st.sampled_from([None, None, NoMatchReason.AMBIGUOUS]))
NOT_FOUND = st.tuples(
    st.none(), st.just(0.0), st.sampled_from([NoMatchReason.NO_STUDENT_FOUND, NoMatchReason.TEXT_UNAVAILABLE])
)
MATCHES = st.dictionaries(st.sampled_from(ESSAYS), st.one_of(FOUND, FOUND, NOT_FOUND), min_size=1)
CHOICES = st.dictionaries(st.sampled_from(ESSAYS), st.sampled_from([*STUDENTS, None]), min_size=1)


class AnyHistory(RuleBasedStateMachine):
    """Does what matcher, teacher, clock and orchestrator can do; after each step validation and model agree."""

    suggested = Bundle("suggested")

    @initialize(
        auto=st.booleans(),
        pupils=st.sets(st.sampled_from(STUDENTS), min_size=2),
        first=st.one_of(MATCHES, MATCHES, MATCHES, st.just({})),
    )
    def begin(self, auto: bool, pupils: set[int], first: dict[int, Match]) -> None:
        about: dict[str, Any] = {"class_id": CLASS, "name": "9B", "course_code": CourseCode.SV1, "teacher_id": TEACHER}
        self.school_class = SchoolClass(**about, association_deadline_seconds=60, auto_confirm=auto)
        self.model = Model(auto, pupils)
        self.validation = Validation.expected(BATCH, self.school_class)
        self.change_roster(pupils)
        self.said: list[tuple[object, ...]] = []
        self.timer: datetime | None = None
        self.at = NOW
        if first:
            self.suggest(first)

    @rule(numbers=st.sets(st.sampled_from(ESSAYS)))
    def expect(self, numbers: set[int]) -> None:
        self.validation.expect([EssayRef(**ref(number)) for number in sorted(numbers)])
        if not self.model.over:
            for number in numbers:
                self.model.essays.setdefault(number, Essay())

    @rule(target=suggested, matches=MATCHES)
    def suggest(self, matches: dict[int, Match]) -> dict[int, Match]:
        self.model.suggest(matches)
        results = [as_match(number, match) for number, match in matches.items()]
        self.take(self.validation.suggest(results, self.school_class, self.at))
        return matches

    @rule(matches=suggested)
    def suggest_again(self, matches: dict[int, Match]) -> None:
        self.suggest(matches)

    @rule(pupils=st.sets(st.sampled_from(STUDENTS)))
    def change_roster(self, pupils: set[int]) -> None:
        entries = [StudentEntry(first_name=f"P{each}", last_name="Ek", student_id=UUID(int=each)) for each in pupils]
        self.school_class.change_roster(entries, UUID)
        self.validation.roster_changed(self.school_class.student_ids)
        self.model.change_roster(pupils)

    @rule(chosen=CHOICES, sound=st.sampled_from([True, True, True, False]))
    def decide(self, chosen: dict[int, int | None], sound: bool) -> None:
        if sound:
            known = self.model.essays.keys() & chosen.keys()
            chosen = {each: chosen[each] if chosen[each] in self.model.pupils else None for each in sorted(known)}
        decisions = {UUID(int=number): student and UUID(int=student) for number, student in chosen.items()}
        decide = lambda: self.validation.decide(decisions, self.school_class, TEACHER, self.at)  # noqa: E731
        if self.model.status != "open":
            self.is_refused(decide, NotOpen)
        elif not all(self.model.may_decide(number, student) for number, student in chosen.items()):
            self.is_refused(decide, EssayNotOfBatch, StudentNotInClass)
        else:
            decide()
            self.model.decide(chosen)

    @rule(accept=st.booleans())
    def confirm(self, accept: bool) -> None:
        """As the route does: a final validation is only compared."""
        if self.model.status != "open":
            self.is_refused(lambda: self.validation.decide({}, self.school_class, TEACHER, self.at), NotOpen)
            return
        if accept:
            self.validation.accept_suggestions(self.school_class, TEACHER, self.at)
            self.model.accept()
        if self.model.open_essays:
            self.is_refused(self.validation.confirm, Undecided)
        else:
            self.model.finish()
            self.take(self.validation.confirm())

    @rule(chosen=CHOICES)
    def confirm_again(self, chosen: dict[int, int | None]) -> None:
        if self.model.status != "confirmed":
            return
        final = {number: each.decision[2] for number, each in self.model.essays.items() if each.decision}
        same = {UUID(int=number): student and UUID(int=student) for number, student in final.items()}
        other = {UUID(int=number): student and UUID(int=student) for number, student in chosen.items()}
        by_time = ("confirmed", True) in [each[:2] for each in self.model.said]
        for decisions, fine in ((same, not by_time), (other, not by_time and chosen.items() <= final.items())):
            if fine:
                self.validation.check_same(decisions)
            else:
                self.is_refused(lambda decisions=decisions: self.validation.check_same(decisions), AlreadyConfirmed)

    @rule(seconds=st.integers(1, 1_000))
    def move_deadline(self, seconds: int) -> None:
        deadline = self.at + timedelta(seconds=seconds)
        if self.model.status == "open":
            self.take(self.validation.move_deadline(deadline))
            assert self.timer == deadline
        else:
            self.is_refused(lambda: self.validation.move_deadline(deadline), NotOpen)

    @precondition(lambda self: self.at > NOW + timedelta(seconds=5))
    @rule()
    def deadline_passes(self) -> None:
        """A timer of another process may be late, so it can come in every state."""
        self.model.time_is_over()
        self.take(self.validation.deadline_passed(self.school_class.student_ids, self.at))

    @precondition(lambda self: self.at > NOW + timedelta(seconds=7))
    @rule()
    def cancel(self) -> None:
        self.model.status = self.model.status if self.model.over else "cancelled"
        self.take(self.validation.cancel())

    @invariant()
    def the_decisions_are_those_of_the_model(self) -> None:
        assert self.validation.status.value == self.model.status
        found = {each.essay_id.int: each for each in self.validation.associations}
        assert len(found) == len(self.validation.associations)
        decided = {
            number: (
                each.validation_status.value,
                each.validation_method.value,
                each.student_id and each.student_id.int,
            )
            for number, each in found.items()
            if each.validation_method
        }
        assert decided == {number: each.decision for number, each in self.model.essays.items() if each.decision}
        assert found.keys() == self.model.essays.keys()

    @invariant()
    def the_suggestions_are_those_of_the_model(self) -> None:
        picked = {
            each.essay_id.int: (
                each.suggested_student_id and each.suggested_student_id.int,
                each.confidence_score or 0.0,
            )
            for each in self.validation.associations
        }
        assert picked == {
            number: (None if each.ambiguous else each.best, each.score) for number, each in self.model.essays.items()
        }

    @invariant()
    def time_goes_on(self) -> None:
        self.at += timedelta(seconds=1)

    @invariant()
    def one_question_and_one_result_are_said(self) -> None:
        assert self.said == self.model.said
        words = [each[0] for each in self.said]
        assert words.count("asked") <= 1
        assert words.count("confirmed") == (self.model.status == "confirmed")

    @invariant()
    def what_a_person_decided_names_them_and_nothing_else_does(self) -> None:
        for each in self.validation.associations:
            human = each.validation_method is not None and each.validation_method.value == "human"
            assert (each.validated_by == TEACHER) == human
            assert (each.validated_at is not None) == each.decided

    @invariant()
    def the_timer_is_set_as_long_as_the_teacher_is_asked(self) -> None:
        assert self.timer == (self.validation.deadline if self.model.status == "open" else None)

    def take(self, effects: list[Effect]) -> None:
        """Do with the effects what the runtime does."""
        for effect in effects:
            match effect:
                case SetTimer():
                    self.timer = effect.due_at
                case CancelTimer():
                    self.timer = None
                case _:
                    self.said.append(told(effect))

    def is_refused(self, act: Callable[[], object], *errors: type[Exception]) -> None:
        """What is refused changes nothing: the invariants look, since the model did not move."""
        try:
            act()
        except errors:
            pass
        else:
            raise AssertionError(f"none of {errors} is raised")


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = examples(150, 20_000, steps=30)
