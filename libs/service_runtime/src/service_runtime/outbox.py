"""What will be said: events are rows of the transaction that decided them; the relay publishes what was committed."""

from dataclasses import dataclass, field
from uuid import UUID

from common_core.errors import DomainError
from common_core.events.base import Event
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from service_runtime.handlers import Cause

CHANNEL = "outbox"
MAX_BYTES = 900_000
ADD = text("""
    INSERT INTO outbox (event_id, type, topic, key, correlation_id, causation_id, traceparent, data)
    SELECT * FROM unnest(CAST(:event_id AS uuid[]), CAST(:type AS text[]), CAST(:topic AS text[]),
        CAST(:key AS text[]), CAST(:correlation_id AS text[]), CAST(:causation_id AS text[]),
        CAST(:traceparent AS text[]), CAST(:data AS bytea[]))
""")


class EventTooLarge(DomainError):
    """The broker would refuse this event; split what caused it into smaller parts."""

    def __init__(self, event: Event, size: int) -> None:
        super().__init__(f"{type(event).__name__} has {size} bytes, {MAX_BYTES} are allowed")


@dataclass(slots=True)
class Outbox:
    """The events of one transaction, in the order in which they were said."""

    prefix: str
    rows: list[tuple[UUID, str, str, str, str, str | None, str | None, bytes]] = field(default_factory=list)

    def add(self, event: Event, cause: Cause) -> None:
        """Say an event; raises EventTooLarge."""
        data = event.model_dump_json().encode()
        if len(data) > MAX_BYTES:
            raise EventTooLarge(event, len(data))
        kind, topic = type(event).__name__, self.prefix + event.topic
        about = (cause.correlation_id, cause.event_id, cause.traceparent)
        self.rows.append((uuid7(), kind, topic, str(event.key), *about, data))

    async def write(self, session: AsyncSession) -> bool:
        """Write all rows in one statement; whether there were any."""
        if not self.rows:
            return False
        names = ("event_id", "type", "topic", "key", "correlation_id", "causation_id", "traceparent", "data")
        await session.execute(ADD, dict(zip(names, map(list, zip(*self.rows, strict=True)), strict=True)))
        self.rows.clear()
        return True
