"""A class and its roster."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from common_core.errors import DomainError
from common_core.events import ClassRosterChangedV1, Event, RosterStudent
from common_core.events.base import Contract, Text
from common_core.status_enums import CourseCode
from pydantic import model_validator
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from services.class_management_service.models.base import Base


class StudentRepeated(DomainError):
    """Two entries of a roster have the same student_id."""

    http_status = 422

    def __init__(self, student_id: UUID) -> None:
        super().__init__(f"students: the student_id {student_id} stands twice; give each student once")


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
        if self.email and "@" not in self.email:
            raise ValueError("email has no @; correct it or leave it empty")
        return self


class Student(Base):
    """A student of a class."""

    __tablename__ = "students"

    class_id: Mapped[UUID] = mapped_column(ForeignKey("classes.class_id"), primary_key=True, init=False)
    student_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    legal_full_name: Mapped[str | None]
    email: Mapped[str | None]


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

    @property
    def student_ids(self) -> set[UUID]:
        """Who is in the class."""
        return {student.student_id for student in self.students}

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

    def change_roster(self, entries: Sequence[StudentEntry], new_id: Callable[[], UUID]) -> list[Event]:
        """Replace the roster; who was in it keeps their id. Raises StudentRepeated."""
        before = [_fields(student) for student in self.students]
        left = {student.student_id: student for student in self.students}
        chosen: list[tuple[UUID, StudentEntry]] = []
        for entry in sorted(entries, key=lambda each: each.student_id is None):
            student_id = entry.student_id or _same_person(entry, left.values()) or new_id()
            if any(student_id == taken for taken, _ in chosen):
                raise StudentRepeated(student_id)
            left.pop(student_id, None)
            chosen.append((student_id, entry))
        known = {student.student_id: student for student in self.students}
        self.students = [_updated(known.get(student_id), student_id, entry) for student_id, entry in chosen]
        if sorted(map(_fields, self.students), key=str) == sorted(before, key=str):
            return []
        self.roster_version += 1
        return [self.announced()]


def _same_person(entry: StudentEntry, students: Iterable[Student]) -> UUID | None:
    """The student with this e-mail, or else with this name and no other e-mail."""
    by_name = None
    for student in students:
        if student.email and entry.email:
            if student.email.casefold() == entry.email.casefold():
                return student.student_id
        elif by_name is None and (student.first_name, student.last_name) == (entry.first_name, entry.last_name):
            by_name = student.student_id
    return by_name


def _updated(student: Student | None, student_id: UUID, entry: StudentEntry) -> Student:
    fields = entry.model_dump(exclude={"student_id"})
    if student is None:
        return Student(student_id=student_id, **fields)
    for name, value in fields.items():
        setattr(student, name, value)
    return student


def _fields(student: Student) -> tuple[UUID, str, str, str | None, str | None]:
    return student.student_id, student.first_name, student.last_name, student.legal_full_name, student.email
