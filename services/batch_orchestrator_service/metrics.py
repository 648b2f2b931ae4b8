"""Where batches are, and for how long: read from the database when somebody asks for `/metrics`."""

from common_core.status_enums import BatchStatus
from prometheus_client import Gauge
from service_runtime.gauges import Gauges, Rows, show_each
from sqlalchemy import text

from services.batch_orchestrator_service.repository import IN_STATE_SINCE
from services.batch_orchestrator_service.state_machine import ENDS, OPEN

BATCHES = Gauge("scriptorium_batches", "Batches by state; of each in which batches end, at most 100,000", ["state"])
OLDEST = Gauge("scriptorium_batch_oldest_seconds", "For how long a batch has been in this state at the most", ["state"])
MOST = 100_000
# By states and in the order of their index, so that it is used: the cost grows with open batches, not with all.
QUERY = text(f"""
    SELECT status, count(*) AS number, CAST(extract(epoch FROM now() - min({IN_STATE_SINCE})) AS float8) AS seconds
    FROM batches WHERE status = ANY(:open) GROUP BY status
    UNION ALL
    SELECT ended.status, counted.number, NULL
    FROM unnest(CAST(:ends AS text[])) AS ended (status)
    CROSS JOIN LATERAL (
        SELECT count(*) AS number FROM (
            SELECT FROM batches WHERE batches.status = ended.status ORDER BY batch_id LIMIT :most) AS found) AS counted
""").bindparams(open=list(OPEN), ends=list(ENDS), most=MOST)  # noqa: S608  # constants


def _show(rows: Rows | None) -> None:
    found = {row.status: row for row in rows or ()}
    known = {state: found.get(state) for state in BatchStatus} if rows is not None else {}
    show_each(BATCHES, {state: row.number if row else 0 for state, row in known.items()})
    open_ones = {state: row for state, row in known.items() if state in OPEN}
    show_each(OLDEST, {state: row.seconds if row else 0 for state, row in open_ones.items()})


gauges = Gauges(QUERY, _show)
