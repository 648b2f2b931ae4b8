"""What the soak watches: the service's counters, its tables, and who waits for whose lock."""

import asyncio
import re
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

import asyncpg

TABLES = ("inbox", "outbox", "parked_messages", "timers")
SAMPLE = re.compile(r"^(\w+)(?:{(.*)})? (\S+)$", re.MULTILINE)
SIZES = """
    SELECT relname, n_live_tup, n_dead_tup, autovacuum_count, pg_total_relation_size(relid) AS bytes
    FROM pg_stat_user_tables WHERE relname = ANY($1)
"""
DEPTH = "SELECT count(*), coalesce(extract(epoch FROM now() - min(recorded_at)), 0)::float8 AS oldest FROM outbox"
LONGEST_WAIT = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8 FROM pg_locks
    WHERE NOT granted AND waitstart IS NOT NULL
"""
FETCH = "scriptorium_outbox_fetch_seconds_bucket"
BETWEEN_LOOKS = 10.0


@dataclass(frozen=True, slots=True)
class Look:
    """One look at everything."""

    at: float
    counters: Mapping[tuple[str, str], float]
    depth: int
    oldest: float
    """Seconds since the oldest outbox row was recorded."""
    tables: Mapping[str, asyncpg.Record]

    @property
    def consumed(self) -> int:
        """Messages read from Kafka so far."""
        return int(total(self.counters, "scriptorium_messages_consumed_total"))


def read_counters(port: int) -> dict[tuple[str, str], float]:
    """All of a service's metrics by name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {(name, labels): float(value) for name, labels, value in SAMPLE.findall(text)}


def total(counters: Mapping[tuple[str, str], float], name: str) -> float:
    """The sum over all labels."""
    return sum(value for (found, _), value in counters.items() if found == name)


def fetches(before: Look, after: Look, share: float) -> str:
    """Within what time this share of the relay's fetches between two looks came back, as the bucket's bound."""
    buckets = {
        labels.split('"')[1]: value - before.counters.get((name, labels), 0.0)
        for (name, labels), value in after.counters.items()
        if name == FETCH
    }
    wanted = share * buckets.get("+Inf", 0.0)
    for bound, count in buckets.items():
        if count >= wanted:
            return f"{float(bound) * 1000:g} ms"
    return "?"


def megabytes(size: int) -> str:
    """A size as people read it."""
    return f"{size / 1e6:.0f} MB"


@dataclass
class Watch:
    """Looks every ten seconds, prints what it sees, and remembers it."""

    url: str
    port: int
    looks: list[Look] = field(default_factory=list)
    longest_wait: float = 0.0

    async def look(self) -> Look:
        """Look once, and print a line about what happened since the last time."""
        counters = await asyncio.to_thread(read_counters, self.port)
        connection = await asyncpg.connect(self.url)
        try:
            depth = await connection.fetchrow(DEPTH)
            tables = {row["relname"]: row for row in await connection.fetch(SIZES, list(TABLES))}
        finally:
            await connection.close()
        look = Look(time.monotonic(), counters, depth["count"], depth["oldest"], tables)
        if self.looks:
            self._print(self.looks[-1], look)
        self.looks.append(look)
        return look

    def _print(self, before: Look, now: Look) -> None:
        rate = (now.consumed - before.consumed) / (now.at - before.at)
        tables = "  ".join(
            f"{name} {row['n_live_tup']:,}+{row['n_dead_tup']:,} dead {megabytes(row['bytes'])}"
            for name, row in sorted(now.tables.items())
        )
        print(
            f"{now.at - self.looks[0].at:5.0f} s {now.consumed:>9,} messages {rate:6,.0f}/s  "
            f"outbox {now.depth:,} rows, oldest {now.oldest:.1f} s  "
            f"fetch p50 {fetches(before, now, 0.5)} p99 {fetches(before, now, 0.99)}  {tables}",
            flush=True,
        )

    async def keep_looking(self) -> None:
        """Until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(BETWEEN_LOOKS)

    async def keep_an_eye_on_locks(self) -> None:
        """Until cancelled: how long anybody waits for a lock, ten times a second."""
        connection = await asyncpg.connect(self.url)
        try:
            while True:
                self.longest_wait = max(self.longest_wait, await connection.fetchval(LONGEST_WAIT))
                await asyncio.sleep(0.1)
        finally:
            connection.terminate()

    def rate(self, first: float, last: float) -> float:
        """Messages a second between two shares of all messages."""
        begin, end = self.looks[0], self.looks[-1]
        wanted = end.consumed - begin.consumed
        inside = [look for look in self.looks if first * wanted <= look.consumed - begin.consumed <= last * wanted]
        if len(inside) < 2:
            return float("nan")
        return (inside[-1].consumed - inside[0].consumed) / (inside[-1].at - inside[0].at)
