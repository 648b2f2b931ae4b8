"""How columns are named and typed, and the runtime's tables in every service's database."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Enum,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
NOW = text("now()")
TYPES = {
    str: Text(),
    datetime: DateTime(timezone=True),
    StrEnum: Enum(StrEnum, native_enum=False, length=60, values_callable=lambda words: [str(word) for word in words]),
}
"""How annotations become columns: enums as their words, so that a new word needs no migration."""


class Json[T](TypeDecorator[T]):
    """A JSONB column holding a pydantic-checked value; store tuples and new dicts, in-place changes are not seen."""

    impl = JSONB
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        """Tells two columns apart in SQLAlchemy's cache of compiled statements."""
        self._adapter: TypeAdapter[T] = TypeAdapter(kind)

    def bind_processor(self, dialect: Dialect) -> Callable[[object], str]:  # noqa: ARG002  # SQLAlchemy's signature
        """Pydantic writes models, ids, times and enums at once; no other serializer comes after it."""
        return lambda value: to_json(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> T | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else self._adapter.validate_python(value)


def add_runtime_tables(metadata: MetaData) -> None:
    """Declare the runtime's tables beside a service's own, so that `alembic check` sees all of them."""
    Table(
        "inbox",
        metadata,
        Column("source", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Index(None, "received_at"),
    )
    Table(
        "outbox",
        metadata,
        Column("position", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False),
        Column("type", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("correlation_id", Text, nullable=False),
        Column("causation_id", Text),
        Column("traceparent", Text),
        Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Column("data", LargeBinary, nullable=False),
    )
    _add_parked_messages(metadata)
    _add_timers(metadata)
    _add_commands(metadata)


def _add_parked_messages(metadata: MetaData) -> None:
    waiting = text("state <> 'dead'")
    parked = Table(
        "parked_messages",
        metadata,
        Column("position", BigInteger, Identity(always=True), primary_key=True),
        Column("state", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("waits_for", Text),
        Column("attempts", Integer, nullable=False, server_default=text("1")),
        Column("parked_at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Column("due_at", DateTime(timezone=True), nullable=False),
        Column("source", Text, nullable=False),
        Column("event_id", Text, nullable=False),
        Column("type", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("record_offset", BigInteger, nullable=False),
        Column("record_key", LargeBinary),
        Column("record_headers", JSONB, nullable=False),
        Column("record_value", LargeBinary),
    )
    Index(None, parked.c.topic, parked.c.key, parked.c.position, postgresql_where=waiting)
    Index(None, parked.c.due_at, postgresql_where=text("state <> 'dead' AND due_at < 'infinity'"))
    Index(None, parked.c.waits_for, postgresql_where=text("state = 'waiting'"))


def _add_timers(metadata: MetaData) -> None:
    Table(
        "timers",
        metadata,
        Column("name", Text, primary_key=True),
        Column("aggregate_id", Uuid, primary_key=True),
        Column("due_at", DateTime(timezone=True), nullable=False, index=True),
        Column("setting_id", Uuid, nullable=False, index=True),
        Column("attempts", Integer, nullable=False, server_default=text("0")),
        Column("last_error", Text),
        Column("event_id", Text),
        Column("correlation_id", Text, nullable=False),
        Column("traceparent", Text),
    )


def _add_commands(metadata: MetaData) -> None:
    Table(
        "operator_actions",
        metadata,
        Column("position", BigInteger, Identity(always=True), primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False, server_default=NOW),
        Column("operator", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("about", JSONB, nullable=False),
    )
    Table(
        "idempotency_keys",
        metadata,
        Column("caller", Text, primary_key=True),
        Column("route", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("fingerprint", LargeBinary, nullable=False),
        Column("status", Integer),
        Column("body", LargeBinary),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=NOW, index=True),
    )
