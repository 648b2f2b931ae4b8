"""What operators are shown of data and errors unless they ask for all: nothing that may be personal."""

import re
from typing import Any

import pydantic_core
from sqlalchemy import Row

from service_runtime.parked import Reason

MASK = "•••"


def error_with(mark: str) -> str:
    """SQL for the error of a parked message, with this mark for what a bug says: it may quote the data."""
    quotes = f"reason = '{Reason.BUG}' OR error LIKE 'replayed; %'"
    return f"CASE WHEN {quotes} THEN split_part(error, ': ', 1) || ': {mark}' ELSE error END"


CAUSE = rf"regexp_replace({error_with(MASK)}, '[0-9a-f]{{8}}-[0-9a-f-]{{27}}|\y[0-9]+\y', '…', 'g')"
"""SQL for what parked messages of equal cause share: their error, without ids and numbers."""
SHOWN = re.compile(r"(_id|_ids|_code|_count|_score|_version|_at|_method|_type|_bytes)$|^(status|deadline|reason)$")


def masked(value: object, name: str = "") -> object:
    """Data without what may be personal: of texts only ids, codes, numbers and times are shown."""
    match value:
        case dict():
            return {key: masked(each, str(key)) for key, each in value.items()}
        case list():
            return [masked(each, name) for each in value]
        case str() if not SHOWN.search(name) or name == "teacher_id":
            return MASK
        case _:
            return value


def shown(raw: bytes, *, reveal: bool) -> object:
    """The data of an event; masked unless revealed. Bytes that are not JSON are shown only revealed, as hex."""
    try:
        data = pydantic_core.from_json(raw)
    except ValueError:
        return raw.hex() if reveal else MASK
    return data if reveal else masked(data)


def error_of(row: Row[Any], *, reveal: bool) -> str:
    """Why a message is parked; what a bug says may quote the data, so unless revealed only its kind is shown."""
    said: str = row.error
    quotes = row.reason == Reason.BUG or said.startswith("replayed; ")
    return said if reveal or not quotes else _kind_only(said)


def timer_error(said: str | None) -> str | None:
    """Why a timer is tried again; of a bug only its kind."""
    return said if said is None or said.startswith("NotYet: ") else _kind_only(said)


def _kind_only(said: str) -> str:
    return f"{said.partition(': ')[0]}: {MASK}"
