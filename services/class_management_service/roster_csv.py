"""Class lists as CSV, as school systems and spreadsheets write them; every problem is named with its line."""

import csv
import io
import itertools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from common_core.errors import DomainError
from common_core.events.base import Contract
from pydantic import ValidationError

from services.class_management_service.models import StudentEntry
from services.class_management_service.models.classes import folded
from services.class_management_service.roster_columns import MANUAL_POSTING, NOBODY, Column, columns

MOST_STUDENTS = 2_000
DELIMITERS = ("\t", ";", ",")
HEADER = "first_name,last_name,email"
HEADER_WITHIN = 10
"""Rows in which the header may stand: some systems write a title before it."""
HEADER_LENGTH = 10_000
"""Characters of a header that are looked at."""
SEPARATOR = re.compile("(?i)sep=(.)")
"""What Excel writes and reads as a first line."""
NAMED = 5
"""So many problems stand in the sentence; the list has all."""


class LineProblem(Contract):
    """What is wrong in one line of a class list."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        return (
            f"line {self.line}: {self.column}: {self.message}" if self.column else f"line {self.line}: {self.message}"
        )


class RosterUnreadable(DomainError):
    """The CSV does not say who is in the class; correct these lines and send it again."""

    http_status = 422

    def __init__(self, problems: Sequence[LineProblem]) -> None:
        more = [f"and {len(problems) - NAMED} more, see problems"] if len(problems) > NAMED else []
        super().__init__("; ".join([*map(str, problems[:NAMED]), *more]))
        self._problems = problems

    @property
    def details(self) -> Mapping[str, object]:
        """All problems, by line."""
        return {"problems": [problem.model_dump() for problem in self._problems]}


@dataclass
class RosterFile:
    """What a class list says, and what is wrong with it."""

    students: list[StudentEntry] = field(default_factory=list)
    problems: list[LineProblem] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()

    def complain(self, line: int, message: str, column: str | None = None) -> None:
        """Note a problem."""
        self.problems.append(LineProblem(line=line, column=column, message=message))


def read(body: bytes) -> RosterFile:
    """The students of a CSV file with a header line; what cannot be understood is in its problems."""
    found = RosterFile()
    try:
        text = _decoded(body)
        rows = list(_rows(text, _delimiter(text), found))
    except UnicodeError:
        found.complain(1, "the file is neither UTF-8 nor Windows-1252; save it as CSV UTF-8 and send it again")
        return found
    rows = rows[next((at for at, (_, row) in enumerate(rows[:HEADER_WITHIN]) if not _missing(row)), 0) :]
    line, header = rows[0] if rows else (1, [])
    if missing := _missing(header):
        for column in missing:
            found.complain(line, f"the column {column} is missing; the header is {HEADER}, or name,email")
        return found
    places = columns(header)
    known = {place for of_column in places.values() for place in of_column}
    found.ignored_columns = tuple(name for place, name in enumerate(header) if name and place not in known)
    if len(rows) - 1 > MOST_STUDENTS:
        found.complain(rows[MOST_STUDENTS + 1][0], f"students: a class has at most {MOST_STUDENTS:,}")
        return found
    lines = [line for line, row in rows[1:] if _add(found, line, row, places, len(header))]
    _compare(found, lines)
    found.problems.sort(key=lambda problem: problem.line)
    return found


def _decoded(body: bytes) -> str:
    """The text, by its byte order mark, else as UTF-8, else as Windows-1252; raises UnicodeError."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return body.decode("windows-1252")


def _delimiter(text: str) -> str:
    """What the first line says, or that which makes most sense of the header."""
    lines = (line.rstrip("\n") for line in io.StringIO(text, newline=None) if any(map(str.isalnum, line)))
    first = [line[:HEADER_LENGTH] for line in itertools.islice(lines, HEADER_WITHIN)]
    if first and (said := SEPARATOR.fullmatch(first[0])):
        return said[1]
    understood = {each: [len(columns(row)) for row in csv.reader(first, delimiter=each)] for each in DELIMITERS}
    return max(DELIMITERS, key=lambda each: max(understood[each], default=0))


def _rows(text: str, delimiter: str, found: RosterFile) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader, None)
        except csv.Error as error:
            found.complain(line, f"this is not CSV: {error}; is a quotation mark missing, or one too many?")
            continue
        if row is None:
            return
        cells = [" ".join(unicodedata.normalize("NFC", cell).split()) for cell in row]
        if any(cells) and not (line == 1 and SEPARATOR.fullmatch(delimiter.join(cells))):
            yield line, cells


def _missing(header: Sequence[str]) -> list[Column]:
    places = columns(header)
    missing = [each for each in (Column.FIRST_NAME, Column.LAST_NAME) if each not in places]
    return [] if Column.WHOLE_NAME in places else missing


def _add(found: RosterFile, line: int, row: Sequence[str], places: Mapping[Column, Sequence[int]], width: int) -> bool:
    """Take a row as a student, if it is about one, or say what is wrong with it."""
    if any(row[width:]):
        found.complain(line, "more values than the header has columns")
        return False
    cells = [*row, *[""] * (width - len(row))]
    filled = {column: next(filter(None, (cells[at] for at in ats)), "") for column, ats in places.items()}
    first, last = _split(filled.pop(Column.WHOLE_NAME, ""))
    fields = {Column.FIRST_NAME: first, Column.LAST_NAME: last} | {name: each for name, each in filled.items() if each}
    if _is_about_nobody(fields, cells):
        return False
    try:
        found.students.append(StudentEntry.model_validate(fields))
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False, include_context=False):
            found.complain(
                line, each["msg"].removeprefix("Value error, "), str(each["loc"][0]) if each["loc"] else None
            )
        return False
    return True


def _is_about_nobody(fields: Mapping[Column, str], cells: Sequence[str]) -> bool:
    """Whether a row says something of the tasks, as gradebooks have it between their students."""
    name = f"{fields[Column.FIRST_NAME]} {fields[Column.LAST_NAME]}".strip().casefold()
    of_tasks = not name and any(cell.casefold() == MANUAL_POSTING for cell in cells)
    return of_tasks or (name in NOBODY and Column.EMAIL not in fields)


def _split(whole_name: str) -> tuple[str, str]:
    """First and last name of `Last, First`; without a comma the last word is the last name."""
    last, comma, first = whole_name.partition(",")
    if comma:
        return first.strip(), last.strip()
    first, _, last = whole_name.rpartition(" ")
    return (first, last) if first else (last, "")


def _compare(found: RosterFile, lines: Sequence[int]) -> None:
    """Say who cannot be told from somebody before: by the address, the id, or the name where nothing else differs."""
    first_of: dict[tuple[Column, str], int] = {}
    for place, (line, student) in enumerate(zip(lines, found.students, strict=True)):
        for column, value in ((Column.EMAIL, student.email), (Column.STUDENT_ID, student.student_id)):
            before = first_of.setdefault((column, str(value).casefold()), place) if value else place
            if before != place:
                found.complain(line, f"stands in line {lines[before]} too; every student has an own one", column)
        before = first_of.setdefault((Column.WHOLE_NAME, folded(student)), place)
        if before != place and not _told_apart(found.students[before], student):
            message = f"the name of line {lines[before]} again; leave one out, or give both an e-mail address"
            found.complain(line, message, Column.WHOLE_NAME)


def _told_apart(one: StudentEntry, other: StudentEntry) -> bool:
    """Whether two of one name are two people beyond doubt; equal addresses are a problem of their own."""
    return bool((one.email and other.email) or (one.student_id and other.student_id)) or (
        bool(one.legal_full_name and other.legal_full_name) and one.legal_full_name != other.legal_full_name
    )
