"""Rosters as CSV."""

import csv
import io
from collections.abc import Iterator

from common_core.errors import DomainError
from pydantic import ValidationError
from service_runtime.cloudevents import problem

from services.class_management_service.models import StudentEntry

COLUMNS = ("first_name", "last_name", "email")


class RosterUnreadable(DomainError):
    """The CSV does not say who is in the class; correct the line and send it again."""

    http_status = 422


def read(body: bytes) -> list[StudentEntry]:
    """The students of a CSV file with a header line; raises RosterUnreadable, naming the line and the column."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RosterUnreadable("the file is not UTF-8; save it as CSV UTF-8 and send it again") from error
    try:
        return list(_entries(text))
    except csv.Error as error:
        raise RosterUnreadable(f"the file is not CSV: {error}") from error


def _entries(text: str) -> Iterator[StudentEntry]:
    header = text.splitlines()[0] if text.strip() else ""
    rows = csv.DictReader(io.StringIO(text), delimiter=";" if ";" in header else ",", strict=True)
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    missing = [name for name in COLUMNS[:2] if name not in rows.fieldnames]
    if missing:
        raise RosterUnreadable(f"line 1: the column {missing[0]} is missing; the header is {','.join(COLUMNS)}")
    for row in rows:
        if None in row:
            raise RosterUnreadable(f"line {rows.line_num}: more values than the header has columns")
        named = {name: value.strip() or None for name, value in row.items() if value}
        if not named:
            continue
        try:
            yield StudentEntry.model_validate({"first_name": "", "last_name": ""} | _without_none(named))
        except ValidationError as error:
            raise RosterUnreadable(f"line {rows.line_num}: {problem(error)}") from error


def _without_none(row: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in row.items() if value}
