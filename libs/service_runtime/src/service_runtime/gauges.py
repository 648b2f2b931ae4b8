"""What is there now, read from database and broker when somebody asks for `/metrics`; in between it costs nothing."""

import asyncio
import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.errors import KafkaError
from prometheus_client import Gauge
from sqlalchemy import Row, TextClause, text
from sqlalchemy.exc import SQLAlchemyError

from service_runtime import metrics
from service_runtime.consumer import Consumer
from service_runtime.parked import Reason
from service_runtime.unit_of_work import UnitsOfWork

PATIENCE_SECONDS = 3.0
"""For database and broker; Prometheus itself gives up after ten."""
NOW = text("""
    SELECT 'outbox' AS what, '' AS name, count(*) AS number,
        CAST(extract(epoch FROM now() - min(recorded_at)) AS float8) AS seconds
    FROM (SELECT recorded_at FROM outbox ORDER BY position LIMIT 100000) AS unpublished
    UNION ALL
    SELECT CASE state WHEN 'dead' THEN 'dead' ELSE 'parked' END, reason, count(*),
        CAST(extract(epoch FROM now() - min(parked_at)) AS float8)
    FROM parked_messages GROUP BY 1, 2
    UNION ALL
    SELECT 'timers', name, count(*), CAST(extract(epoch FROM now() - min(due_at)) AS float8)
    FROM timers WHERE due_at <= now() GROUP BY name
""")
DEAD = (Reason.BUG, Reason.REFUSED, Reason.UNDECODABLE, Reason.WAITED_TOO_LONG)
WAITING = (Reason.NOT_YET, Reason.BEHIND, Reason.BUG)

type Rows = Sequence[Row[Any]]


@dataclass(frozen=True)
class Gauges:
    """Gauges that one query fills; with None, no answer, they are taken away: an old number would be a wrong one."""

    query: TextClause
    show: Callable[[Rows | None], None]


async def measure(units: UnitsOfWork, consumer: Consumer, every: Sequence[Gauges]) -> None:
    """Set all gauges; what database or broker do not say in time is left out."""
    lag, answers = await asyncio.gather(_lag(consumer), _answers(units, every))
    # Nothing is awaited from here until the page is written, so two who ask at once cannot mix.
    metrics.LAG.clear()
    for topic, messages in lag.items():
        metrics.LAG.labels(topic).set(messages)
    for gauges, rows in zip(every, answers, strict=True):
        gauges.show(rows)


def of_runtime(timers: Collection[str]) -> Gauges:
    """The outbox, what is parked, and timers that are due: for every service."""

    def show(rows: Rows | None) -> None:
        found = {(row.what, row.name): row for row in rows or ()}
        outbox = found.get(("outbox", ""))
        metrics.OUTBOX.set(outbox.number if outbox else math.nan)
        metrics.OUTBOX_OLDEST.set(outbox.seconds or 0 if outbox else math.nan)
        for what, names, numbers, oldest in (
            ("dead", DEAD, metrics.DEAD_LETTERS, metrics.DEAD_LETTERS_OLDEST),
            ("parked", WAITING, metrics.PARKED_NOW, metrics.PARKED_OLDEST),
            ("timers", timers, metrics.TIMERS_DUE, metrics.TIMERS_OLDEST),
        ):
            known = {name: found.get((what, name)) for name in names} if rows else {}
            show_each(numbers, {name: row.number if row else 0 for name, row in known.items()})
            show_each(oldest, {name: row.seconds if row else 0 for name, row in known.items()})

    return Gauges(NOW, show)


def show_each(gauge: Gauge, values: dict[str, float]) -> None:
    """These values of a gauge with one label, and no others."""
    gauge.clear()
    for label, value in values.items():
        gauge.labels(label).set(value)


async def _lag(consumer: Consumer) -> dict[str, int]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await consumer.lag()
    except (KafkaError, OSError):
        return {}


async def _answers(units: UnitsOfWork, every: Sequence[Gauges]) -> Sequence[Rows | None]:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), units.reading() as session:
            return [list(await session.execute(each.query)) for each in every]
    except (SQLAlchemyError, OSError):
        return [None for _ in every]
