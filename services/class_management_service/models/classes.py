"""A class and its roster."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from common_core.errors import DomainError
from common_core.events import ClassRosterChangedV1, Event, RosterStudent
from common_core.events.base import Contract, Text
from common_core.status_enums import CourseCode
from pydantic import field_validator, model_validator
from service_runtime.tables import Json
from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.class_management_service.models.base import Base


class StudentRepeated(DomainError):
    """Two entries of a roster have the same student_id."""

    http_status = 422

    def __init__(self, student_id: UUID) -> None:
        super().__init__(f"students: the student_id {student_id} stands twice; give each student once")


class StudentIsErased(DomainError):
    """A student_id that was erased means nobody any more."""

    http_status = 422

    def __init__(self, student_id: UUID) -> None:
        super().__init__(f"students: the student_id {student_id} is erased; leave it out to enter somebody anew")


class StudentEntry(Contract):
    """A student as a roster names them; without `student_id` an equal student of the class keeps theirs."""

    first_name: Text
    last_name: Text
    legal_full_name: Text | None = None
    email: Text | None = None
    student_id: UUID | None = None

    @model_validator(mode="after")
    def _says_who(self) -> "StudentEntry":
        if not (self.first_name.strip() or self.last_name.strip()):
            raise ValueError("first_name and last_name are both empty; give at least one")
        return self

    @field_validator("email")
    @classmethod
    def _is_an_address(cls, email: str | None) -> str | None:
        if email and "@" not in email:
            raise ValueError("email has no @; correct it or leave it empty")
        return email


class Student(Base):
    """A student of a class."""

    __tablename__ = "students"

    class_id: Mapped[UUID] = mapped_column(ForeignKey("classes.class_id"), primary_key=True, init=False)
    student_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    legal_full_name: Mapped[str | None]
    email: Mapped[str | None]


type Trait = Callable[[Student | StudentEntry], object]


class SchoolClass(Base):
    """A class of one teacher, and what it wants done with associations."""

    __tablename__ = "classes"

    class_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    course_code: Mapped[CourseCode]
    teacher_id: Mapped[str] = mapped_column(index=True)
    association_deadline_seconds: Mapped[int]
    auto_confirm: Mapped[bool]
    roster_version: Mapped[int] = mapped_column(default=1)
    students: Mapped[list[Student]] = relationship(
        lazy="selectin",
        order_by=(Student.last_name, Student.first_name, Student.student_id),
        cascade="all, delete-orphan",
        default_factory=list,
    )

    erased_students: Mapped[tuple[UUID, ...]] = mapped_column(
        Json(tuple[UUID, ...]), default=(), server_default=text("'[]'")
    )
    former_students: Mapped[Mapping[str, UUID]] = mapped_column(
        Json(dict[str, UUID]), default_factory=dict, server_default=text("'{}'")
    )
    """Who left, by a hash of name and e-mail: nobody's data are kept for the case that they come back."""

    @property
    def student_ids(self) -> set[UUID]:
        """Who is in the class."""
        return {student.student_id for student in self.students}

    @property
    def known_ids(self) -> set[UUID]:
        """Who is in the class, and who left it and would be known again."""
        return self.student_ids | set(self.former_students.values())

    def announced(self) -> Event:
        """The class and its whole roster, as others hear of it."""
        students = tuple(RosterStudent.model_validate(student, from_attributes=True) for student in self.students)
        return ClassRosterChangedV1(
            class_id=self.class_id,
            class_name=self.name,
            course_code=self.course_code,
            teacher_id=self.teacher_id,
            roster_version=self.roster_version,
            students=students,
        )

    def erase(self, student_id: UUID) -> list[Event]:
        """Take a student from the roster for ever: their id is never taken again."""
        self.erased_students = (*self.erased_students, student_id)
        self.former_students = {who: each for who, each in self.former_students.items() if each != student_id}
        left = [student for student in self.students if student.student_id != student_id]
        if len(left) == len(self.students):
            return []
        self.students, self.roster_version = left, self.roster_version + 1
        return [self.announced()]

    def meant(self, entries: Sequence[StudentEntry]) -> list[UUID | None]:
        """The id each entry has or will keep; None for somebody new. Raises StudentRepeated or StudentIsErased."""
        found = _who_is_who(entries, self.students, self._came_back(entries))
        if repeated := [student_id for student_id, times in Counter(found.values()).items() if times > 1]:
            raise StudentRepeated(repeated[0])
        if gone := set(found.values()) & set(self.erased_students):
            raise StudentIsErased(min(gone))
        return [found.get(place) for place in range(len(entries))]

    def change_roster(self, entries: Sequence[StudentEntry], new_id: Callable[[], UUID]) -> list[Event]:
        """Replace the roster; who was in it has their id. Raises StudentRepeated or StudentIsErased."""
        before = [_fields(student) for student in self.students]
        known = {student.student_id: student for student in self.students}
        ids = [student_id or new_id() for student_id in self.meant(entries)]
        self.students = [_updated(known.get(each), each, entry) for each, entry in zip(ids, entries, strict=True)]
        if sorted(map(_fields, self.students), key=str) == sorted(before, key=str):
            return []
        self._remember(student for student_id, student in known.items() if student_id not in ids)
        self.roster_version += 1
        return [self.announced()]

    def _came_back(self, entries: Iterable[StudentEntry]) -> dict[int, UUID]:
        """Who left earlier with the same name and e-mail, by the entry's place."""
        found = {place: self.former_students.get(self._fingerprint(entry)) for place, entry in enumerate(entries)}
        return {place: student_id for place, student_id in found.items() if student_id}

    def _remember(self, leaving: Iterable[Student]) -> None:
        left = {self._fingerprint(each): each.student_id for each in leaving if each.email}
        former = {**self.former_students, **left}
        self.former_students = {who: each for who, each in former.items() if each not in self.student_ids}

    def _fingerprint(self, person: Student | StudentEntry) -> str:
        return sha256(f"{self.class_id} {folded(person)} {_email(person)}".encode()).hexdigest()


def _who_is_who(
    entries: Sequence[StudentEntry], students: Iterable[Student], came_back: Mapping[int, UUID]
) -> dict[int, UUID]:
    """The student each entry means, by the entry's place; who has another e-mail is somebody else."""
    found = {place: entry.student_id for place, entry in enumerate(entries) if entry.student_id}
    given = set(found.values())
    left = {student.student_id: student for student in students if student.student_id not in given}
    _find_alike(found, left, entries, SURE_TRAITS)
    for place, student_id in came_back.items():
        if place not in found and student_id not in found.values():
            found[place] = student_id
    _find_alike(found, left, entries, NAMES)
    return found


def _find_alike(
    found: dict[int, UUID], left: dict[UUID, Student], entries: Sequence[StudentEntry], traits: Sequence[Trait]
) -> None:
    """Add to `found` those of `left` who share a trait with an entry."""
    for trait in traits:
        alike = defaultdict[object, list[Student]](list)
        for student in left.values():
            alike[trait(student)].append(student)
        for place, entry in enumerate(entries):
            candidates = alike.get(trait(entry), []) if place not in found and trait(entry) else []
            meant = next((each for each in candidates if _same_email_or_none(each, entry)), None)
            if meant:
                candidates.remove(meant)
                found[place] = left.pop(meant.student_id).student_id


def folded(person: Student | StudentEntry) -> str:
    """A person's name without the accidents of how it was typed: capitals, spaces, ways to encode an accent."""
    return " ".join(unicodedata.normalize("NFC", f"{person.first_name} {person.last_name}").casefold().split())


def _email(person: Student | StudentEntry) -> str:
    return (person.email or "").casefold()


def _same_email_or_none(student: Student, entry: StudentEntry) -> bool:
    return not (student.email and entry.email) or _email(student) == _email(entry)


# The surest first, for all entries: who is equal keeps their id before somebody similar can take it.
SURE_TRAITS: tuple[Trait, ...] = (
    lambda each: (each.first_name, each.last_name, _email(each), each.legal_full_name),
    lambda each: (each.first_name, each.last_name, _email(each)),
    _email,
)
NAMES: tuple[Trait, ...] = (lambda each: (each.first_name, each.last_name), folded)


def _updated(student: Student | None, student_id: UUID, entry: StudentEntry) -> Student:
    fields = entry.model_dump(exclude={"student_id"})
    if student is None:
        return Student(student_id=student_id, **fields)
    for name, value in fields.items():
        setattr(student, name, value)
    return student


def _fields(student: Student) -> tuple[UUID, str, str, str | None, str | None]:
    return student.student_id, student.first_name, student.last_name, student.legal_full_name, student.email
