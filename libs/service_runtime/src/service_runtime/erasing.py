"""Erases people from the runtime's tables: parked messages, records of operators' actions, and remembered answers.

They are found by ids, and only what is personal is blanked: what is left can still be decoded, replayed and counted.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Self
from uuid import UUID

import pydantic_core
from common_core.events import ERASED, StudentErasureRequestedV1
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column

from service_runtime.masking import error_with

PERSONAL = frozenset(
    {"first_name", "last_name", "legal_full_name", "email", "student_name", "original_file_name", "found"}
)
"""Fields of a person or a file; erased where the ids beside them, or above them, are those that are asked for."""
QUOTING = frozenset({"match_reasons", "evidence"})
"""Fields that quote texts and name other students than their own; erased wherever one of the ids is in a document."""

FOUND = "EXISTS (SELECT 1 FROM unnest(CAST(:ids AS text[])) AS id WHERE strpos(lower(encode({}, 'escape')), id) > 0)"
PARKED = text(f"""
    SELECT position, record_value AS said FROM parked_messages WHERE {FOUND.format("record_value")}
    ORDER BY position FOR UPDATE
""")  # noqa: S608  # constants
BLANK_PARKED = text(f"""
    UPDATE parked_messages SET record_value = :said, error = {error_with(ERASED)} WHERE position = :position
""")  # noqa: S608  # constants
RECORDED = text(f"""
    SELECT position, decode(about ->> 'record_value', 'hex') AS said FROM operator_actions
    WHERE jsonb_exists(about, 'record_value') AND {FOUND.format("decode(about ->> 'record_value', 'hex')")}
    ORDER BY position FOR UPDATE
""")  # noqa: S608  # constants
BLANK_RECORDED = text("""
    UPDATE operator_actions
    SET about = (about - 'error') || jsonb_build_object('record_value', encode(CAST(:said AS bytea), 'hex'))
    WHERE position = :position
""")
ANSWERED = text(f"""
    SELECT caller, route, key, body AS said FROM idempotency_keys WHERE {FOUND.format("body")}
    ORDER BY caller, route, key FOR UPDATE
""")  # noqa: S608  # constants
BLANK_ANSWERED = text("""
    UPDATE idempotency_keys SET body = :said WHERE caller = :caller AND route = :route AND key = :key
""")
KEPT = ((PARKED, BLANK_PARKED), (RECORDED, BLANK_RECORDED), (ANSWERED, BLANK_ANSWERED))


class ErasedStudent(MappedAsDataclass, kw_only=True):
    """The columns of a student who was erased in a service: ids only. Its aggregate, so that it is answered once."""

    erasure_id: Mapped[UUID] = mapped_column(primary_key=True)
    student_id: Mapped[UUID]
    erased_at: Mapped[datetime]

    @classmethod
    def of(cls, event: StudentErasureRequestedV1, at: datetime) -> Self:
        """The student that an event asks to erase."""
        return cls(erasure_id=event.erasure_id, student_id=event.student_id, erased_at=at)


async def erase_traces(session: AsyncSession, ids: Iterable[UUID | str], about: Iterable[UUID]) -> None:
    """Blank what is said of these ids (a student, essays, files); where `about` (a class, a batch) is named, quotes."""
    theirs = {str(each).lower() for each in ids}
    columns = {"ids": sorted(theirs | {str(each) for each in about})}
    for found, blank in KEPT:
        for row in (await session.execute(found, columns)).mappings().all():
            said = blanked_bytes(row["said"], theirs)
            if said != row["said"]:
                await session.execute(blank, {**row, "said": said})


def blanked_bytes(said: bytes, ids: set[str]) -> bytes:
    """A JSON document without what is personal; bytes that nobody can read are erased as a whole."""
    try:
        data = pydantic_core.from_json(said)
    except ValueError:
        return ERASED.encode()
    left = blanked(data, ids)
    return said if left == data else json.dumps(left, ensure_ascii=False).encode()


def blanked(data: object, ids: set[str], *, theirs: bool = False) -> object:
    """Data without quotes, and without names in objects that carry one of these ids, or within such objects."""
    match data:
        case dict():
            theirs = theirs or any(isinstance(each, str) and each.lower() in ids for each in data.values())
            gone = QUOTING | PERSONAL if theirs else QUOTING
            return {
                name: _nothing(each) if name in gone else blanked(each, ids, theirs=theirs)
                for name, each in data.items()
            }
        case list():
            return [blanked(each, ids, theirs=theirs) for each in data]
        case _:
            return data


def _nothing(value: object) -> object:
    match value:
        case None:
            return None
        case list():
            return []
        case _:
            return ERASED
