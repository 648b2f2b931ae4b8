"""How fast the system came back: to being ready, to its rate of work, to a leader of each relay."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from tests.chaos.evidence import TOPICS, Evidence
from tests.chaos.faults import KILLED
from tests.chaos.timeline import Incident, Timeline
from tests.chaos.watch import Takeover

WINDOW = 1.0
"""Seconds over which a rate is taken."""
ENOUGH = 0.9
STEP = 0.05
MOST = 60.0
"""Seconds after which the rate is given up as not back."""

type Seconds = dict[str, list[float]]


def steady_work(evidence: Evidence) -> list[float]:
    """When each event about the steady work was recorded, by PostgreSQL, in order."""
    steady = {batch_id for batch_id, asked in evidence.journal.batches.items() if asked.steady}
    rows = (row for database in TOPICS.values() for row in evidence.rows(database, "chaos_outbox_journal"))
    return sorted(row["said_at"].timestamp() for row in rows if row["key"] in steady)


def baseline(times: Sequence[float], since: float, until: float) -> float:
    """Events a second between these moments: the median over windows."""
    starts = [since + number * STEP for number in range(int((until - since - WINDOW) / STEP) + 1)]
    return median([_count(times, start) for start in starts]) / WINDOW if starts else 0.0


def rate_again(times: Sequence[float], incidents: Sequence[Incident], rate: float, last: float) -> Seconds:
    """Seconds until a whole window after each fault has 90 % of the rate, by kind: from a kill, from the end of others.

    Steady work ends at `last`; what was not back by then is not counted.
    """
    found: Seconds = defaultdict(list)
    for each in incidents:
        kind = f"{each.kind}, in peace" if each.alone else each.kind
        since = each.began if each.kind == KILLED else each.ended
        steps = range(int(min(MOST, last - WINDOW - since) / STEP) + 1) if since + WINDOW < last else range(0)
        back = (number * STEP for number in steps if _count(times, since + number * STEP) >= ENOUGH * rate * WINDOW)
        seconds = next(back, None)
        if seconds is not None:
            found[kind].append(seconds)
        elif since + MOST < last:
            found[kind].append(MOST)
    return dict(sorted(found.items()))


def ready_again(incidents: Sequence[Incident], timeline: Timeline) -> Seconds:
    """Seconds from each kill until the process was ready, by what else went on."""
    found: Seconds = defaultdict(list)
    for each in incidents:
        if each.kind == KILLED and each.ended < float("inf"):
            others = [other for other in timeline.meanwhile(each.began, each.ended, but=each) if _shared(other, each)]
            kind = "broker or database away meanwhile" if others else "broker and database up"
            found[kind].append(each.ended - each.began)
    return dict(sorted(found.items()))


def takeovers(found: Sequence[Takeover], timeline: Timeline, doubled: set[str]) -> Seconds:
    """Seconds until a database's relay had a leader again, by what had happened and who could take over."""
    seconds: Seconds = defaultdict(list)
    for each in found:
        kind = "no standby"
        if each.database in doubled:
            others = [
                other
                for other in timeline.meanwhile(each.since - 1, each.until)
                if other.where != each.loser and (other.where in ("Kafka", "PostgreSQL") or _same(other, each))
            ]
            kind = "the standby, Kafka or PostgreSQL broken too" if others else "a standby"
        seconds[f"{each.how}, {kind}"].append(each.until - each.since)
    return dict(sorted(seconds.items()))


def _shared(other: Incident, kill: Incident) -> bool:
    return other.where in ("Kafka", "PostgreSQL") or (other.where == kill.where and other.kind != KILLED)


def _same(other: Incident, takeover: Takeover) -> bool:
    return other.where.rpartition("-")[0] == takeover.database


def _count(times: Sequence[float], start: float) -> int:
    return bisect_left(times, start + WINDOW) - bisect_left(times, start)
