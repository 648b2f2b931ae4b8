"""How well a written name fits a student: which words fit which, and what that is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from services.student_matching_service.names import Role, StudentName
from services.student_matching_service.words import Closeness, How, Word, closeness, join, words

FULL_NAME = 0.985
JOINED_NAME = 0.96
GIVEN_NAME_ONLY = 0.58
FAMILY_NAME_ONLY = 0.45
HINT = 0.3
"""For initials, a nickname or a misspelled first name alone: too little for one, enough to say that it is several."""
GIVEN_NAMES_ONLY = (How.NICKNAME, How.SHORT)
SURE_SLIP = 0.83
"""From here on a misspelled word is rather a slip than another name; Alma and Alva are two."""
RATHER_ANOTHER = 0.7
"""A full name worth less is rather somebody else's: two slips, or one that makes another first name, as in Erika."""
SURE_FACTOR = 0.9
"""From here on a word that is missing or too many makes the name less sure, but calls for no look."""
ONLY_NAME_THERE_IS = 0.9
"""For a student who has one name only, written in full."""


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A name as it stands in a text."""

    words: tuple[Word, ...]
    family_first: bool = False
    """Whether a comma says that the family name comes first."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a resemblance is worth between 0 and 1, and how it came about, to be read after the student's name."""

    worth: float
    how: str
    is_full: bool = True
    """Whether given and family name both fit, neither by an initial alone."""
    is_sure: bool = True
    """Whether nothing in it asks for a look: no nickname, no second slip, no word that contradicts."""

    @property
    def is_rather_another(self) -> bool:
        """Whether the name is written in full and yet fits badly."""
        return self.is_full and self.worth < RATHER_ANOTHER


@dataclass(frozen=True, slots=True)
class _Fit:
    """One written word that fits one word of the student's name."""

    position: int
    part: int
    role: Role
    closeness: Closeness


def written_names(found: str) -> list[WrittenName]:
    """The ways to read a found name: as it stands, and "Svensson, Anna" as family name first."""
    before, comma, after = found.partition(",")
    if not (comma and words(after)):
        return [WrittenName(words(found))]
    readings = [WrittenName(words(before) + words(after), family_first=True)]
    if len(words(before)) > 1:
        readings.append(WrittenName(words(before)))
    return readings


def likeness(written: WrittenName, student: StudentName) -> Likeness | None:
    """Compare a written name with a student's; None when it is somebody else's."""
    written = replace(written, words=student.as_divided_here(written.words))
    fits = _fits(written.words, student)
    extra = _extra_positions(written.words, fits)
    roles = {fit.role for fit in fits}
    is_legal_name = (
        len(student.legal) > 1 and not extra and student.legal <= {written.words[f.position].plain for f in fits}
    )
    if all(fit.closeness.how is How.INITIAL for fit in fits):
        best = None if extra or not roles >= {Role.GIVEN, Role.FAMILY} else _hint(fits)
    elif (Role.FAMILY in roles and len(roles) > 1) or is_legal_name:
        best = _full(written, student, fits, extra, is_legal_name)
    else:
        best = None if extra else _partial(student, fits, roles)
    if (best is None or best.worth < JOINED_NAME * 0.9) and join(written.words) in student.joined:
        return Likeness(JOINED_NAME, "written together or apart")
    return best


def equal(fits: Mapping[int, Likeness]) -> dict[int, Likeness]:
    """The same students, all as likely as the likeliest of them, and none surer than the least sure."""
    worth = max(like.worth for like in fits.values())
    full, sure = (all(each) for each in zip(*((like.is_full, like.is_sure) for like in fits.values()), strict=True))
    return {student: replace(like, worth=worth, is_full=full, is_sure=sure) for student, like in fits.items()}


def _fits(written: Sequence[Word], student: StudentName) -> list[_Fit]:
    """Pair the words, closest first; each word of either side is used once."""
    pairs = [
        _Fit(position, part, role, close)
        for position, word in enumerate(written)
        for part, (role, known) in enumerate(student.parts)
        if (close := closeness(word, known)) and not (close.how in GIVEN_NAMES_ONLY and role is Role.FAMILY)
    ]
    pairs.sort(key=lambda fit: (-fit.closeness.worth, fit.position, fit.part))
    chosen: list[_Fit] = []
    for pair in pairs:
        if all(pair.position != fit.position and pair.part != fit.part for fit in chosen):
            chosen.append(pair)
    essential = [f for f in chosen if f.closeness.how is How.INITIAL or f.part not in student.particles]
    return sorted(essential or chosen, key=lambda fit: fit.position)


def _extra_positions(written: Sequence[Word], fits: Sequence[_Fit]) -> list[int]:
    used = {fit.position for fit in fits}
    last = len(written) - 1
    return [i for i, word in enumerate(written) if i not in used and (i == last or not word.may_be_particle)]


def _full(
    written: WrittenName, student: StudentName, fits: Sequence[_Fit], extra: Sequence[int], is_legal_name: bool
) -> Likeness | None:
    """Given and family name both fit: strong, less so for every word that is missing or too many."""
    if len(extra) > 2 or _has_another_first_name(student, fits, extra):
        return None
    worth, remarks = FULL_NAME, _spelling_remarks(fits)
    # Several initials tell more than one, so they are counted once; a middle initial only confirms.
    initials = [fit for fit in fits if fit.closeness.how is How.INITIAL]
    worth *= prod(fit.closeness.worth for fit in fits if fit not in initials)
    worth *= min((fit.closeness.worth for fit in initials if fit.role is not Role.MIDDLE), default=1.0)
    if is_legal_name:
        return Likeness(worth, _sentence([*remarks, "as the full legal name"]))
    sure = _spelled_surely(fits)
    for factor, remark in [*_order(written, fits), *_missing(student, fits), *_too_many(student, written, fits, extra)]:
        worth *= factor
        remarks.append(remark)
        sure = sure and factor >= SURE_FACTOR
    full = all(fit.role is Role.MIDDLE for fit in initials)
    return Likeness(worth, _sentence(remarks), is_full=full, is_sure=sure)


def _spelled_surely(fits: Sequence[_Fit]) -> bool:
    """Whether the words are as in the name, or one of them but for a slip."""
    slips = [fit.closeness for fit in fits if fit.closeness.how > How.FOLDED and fit.role is not Role.MIDDLE]
    return len(slips) <= 1 and all(slip.how <= How.TYPO and slip.worth >= SURE_SLIP for slip in slips)


def _order(written: WrittenName, fits: Sequence[_Fit]) -> list[tuple[float, str]]:
    given = min((fit.position for fit in fits if fit.role is not Role.FAMILY), default=0)
    family = min((fit.position for fit in fits if fit.role is Role.FAMILY), default=0)
    if (family < given) == written.family_first:
        return []
    return [(0.9 if written.family_first else 0.95, "with the names in another order")]


def _has_another_first_name(student: StudentName, fits: Sequence[_Fit], extra: Sequence[int]) -> bool:
    """Whether a first name of the student's is missing, or only its initial there, and another word in its place."""
    given = [fit for fit in fits if fit.role is Role.GIVEN]
    if given and all(fit.closeness.how is How.INITIAL for fit in given) and min(extra, default=99) < given[0].position:
        return True
    if not given or len(given) == student.count(Role.GIVEN):
        return False
    return any(position < fits[-1].position for position in extra)


def _missing(student: StudentName, fits: Sequence[_Fit]) -> list[tuple[float, str]]:
    # An initial stands for all names of its kind.
    have = [fit.role for fit in fits]
    by_initial = {fit.role for fit in fits if fit.closeness.how is How.INITIAL}
    remarks = []
    if Role.GIVEN not in have:
        remarks.append((0.85, "by a middle name instead of the first name"))
    elif Role.GIVEN in by_initial:
        pass
    elif 0 not in {fit.part for fit in fits}:
        remarks.append((0.9, "by a later one of the first names"))
    elif have.count(Role.GIVEN) < student.count(Role.GIVEN):
        remarks.append((0.98, "by one of the first names"))
    if have.count(Role.FAMILY) < student.count(Role.FAMILY) and Role.FAMILY not in by_initial:
        remarks.append((0.91, "by one of the surnames"))
    return remarks


def _too_many(
    student: StudentName, written: WrittenName, fits: Sequence[_Fit], extra: Sequence[int]
) -> list[tuple[float, str]]:
    remarks = []
    knows_middle_names = student.count(Role.MIDDLE) > 0 and all(fit.role is not Role.MIDDLE for fit in fits)
    for position in extra:
        inside = fits[0].position < position < fits[-1].position
        if inside and knows_middle_names:
            remarks.append((0.8, "but with another middle name"))
        elif inside:
            initial = len(written.words[position].plain) == 1
            remarks.append((0.97 if initial else 0.91, "with a further middle name"))
        else:
            remarks.append((0.88, "with a further word beside it"))
    return remarks


def _partial(student: StudentName, fits: Sequence[_Fit], roles: set[Role]) -> Likeness | None:
    """One half of the name and nothing else: a hint, and only when it is spelled right."""
    if len(roles) != 1 or roles == {Role.MIDDLE} or any(fit.closeness.how is How.INITIAL for fit in fits):
        return None
    if student.count(Role.GIVEN) == 0 or student.count(Role.FAMILY) == 0:
        worth = ONLY_NAME_THERE_IS * prod(fit.closeness.worth for fit in fits)
        return Likeness(worth, _sentence(_spelling_remarks(fits)), is_sure=not _has_slip(fits))
    if _has_slip(fits):
        return _hint(fits) if roles == {Role.GIVEN} else None
    worth, name = (FAMILY_NAME_ONLY, "surname") if Role.FAMILY in roles else (GIVEN_NAME_ONLY, "first name")
    return Likeness(worth, f"by the {name} only", is_full=False, is_sure=False)


def _has_slip(fits: Sequence[_Fit]) -> bool:
    return any(fit.closeness.how > How.FOLDED for fit in fits)


def _hint(fits: Sequence[_Fit]) -> Likeness:
    return Likeness(HINT, _sentence([*_spelling_remarks(fits), "alone"]), is_full=False, is_sure=False)


def _spelling_remarks(fits: Sequence[_Fit]) -> list[str]:
    remark = {
        How.FOLDED: "without accents",
        How.SOUND: "in another spelling",
        How.TYPO: "but for a letter or two",
        How.NICKNAME: "by another form of the first name",
        How.SHORT: "in a short form",
        How.INITIAL: "by an initial",
    }
    return [remark[how] for how in sorted({fit.closeness.how for fit in fits}) if how in remark]


def _sentence(remarks: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(remarks)) or "exactly"
