"""How late timers fire among a million others; and that each fires once, also when its process is killed.

Lateness is the time between a timer's due time and the commit of what it caused, both by PostgreSQL's clock.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local_stack import ChildProcess
from service_runtime.testing import wait_until

from benchmarks.speed.stage import servers
from tests.integration.notebook import TABLES, service
from tests.integration.world import Database, World

PENDING = 1_000_000
HEAD_START_SECONDS = 10.0
"""Between the setting of the timers, which takes a while itself, and the first that is due."""
GOAL_SECONDS = 0.25
PATIENCE_SECONDS = 300

PEND = """
    INSERT INTO timers (name, aggregate_id, due_at, setting_id, correlation_id)
    SELECT 'ring', gen_random_uuid(), now() + interval '1 day' * (1 + random()), gen_random_uuid(), 'pending'
    FROM generate_series(1, $1)
"""
PLAN = """
    WITH planned AS (
        INSERT INTO plan (part, page_id, due_at)
        SELECT $1, gen_random_uuid(), now() + make_interval(secs => $2 + number / $3::float8)
        FROM generate_series(1, $4::int) AS number RETURNING page_id, due_at),
    opened AS (INSERT INTO pages (page_id, lines, largest) SELECT page_id, '[]', 0 FROM planned)
    INSERT INTO timers (name, aggregate_id, due_at, setting_id, correlation_id)
    SELECT 'ring', page_id, due_at, gen_random_uuid(), 'due' FROM planned
"""
LEFT = "SELECT 1 FROM timers WHERE correlation_id = 'due' AND due_at < now() + interval '1 hour' LIMIT 1"
TIMES_FIRED = """
    SELECT jsonb_array_length(lines) AS times, count(*) FROM plan JOIN pages USING (page_id) WHERE part = $1 GROUP BY 1
"""
LATENESS = """
    SELECT percentile_cont(ARRAY[0.5, 0.99, 1]) WITHIN GROUP (ORDER BY extract(epoch FROM late)) AS seconds, min(late)
    FROM (SELECT pg_xact_commit_timestamp(pages.xmin) - due_at AS late
          FROM plan JOIN pages USING (page_id) WHERE part = $1) AS fired
"""


class WrongTimers(Exception):
    """Timers did not fire once each, not before their time; no figure of this run counts."""


@asynccontextmanager
async def a_million_pending() -> AsyncIterator[tuple[World, Database]]:
    """A world whose notebook has so many timers that are due tomorrow."""
    async with servers() as parts, World.opened(parts) as world:
        database = await world.database(service, TABLES)
        await database.fetch("CREATE TABLE plan (part text, page_id uuid PRIMARY KEY, due_at timestamptz)")
        await database.fetch(PEND, PENDING)
        await database.fetch("ANALYZE timers")
        yield world, database


async def start(world: World, name: str) -> ChildProcess:
    """A process of the notebook with the settings of production."""
    variables = {"SCRIPTORIUM_INSTANCE_ID": name, "SCRIPTORIUM_POLL_SECONDS": "1.0"}
    return await world.process(service, "tests.integration.notebook", TABLES, variables=variables)


async def measure(world: World, part: str, *, rate: int, seconds: int, processes: int = 1, kills: int = 0) -> None:
    """Let timers fall due at this rate per second, kill the processes in turn meanwhile, and check and print."""
    database = await world.database(service)
    running = [await start(world, f"{part} {number}") for number in range(processes)]
    await database.fetch(PLAN, "start", 0.0, 1.0, processes)
    await wait_until(lambda: none_left(database), PATIENCE_SECONDS)
    await database.fetch(PLAN, part, HEAD_START_SECONDS, float(rate), rate * seconds)
    pause = (HEAD_START_SECONDS + seconds) / (kills + 1)
    for number in range(kills):
        await asyncio.sleep(pause)
        running[number % processes].kill()
        running[number % processes] = await start(world, f"{part} {number % processes}")
    await asyncio.sleep(pause)
    await wait_until(lambda: none_left(database), PATIENCE_SECONDS)
    for process in running:
        process.kill()
    await check_and_print(database, part, rate * seconds)


async def none_left(database: Database) -> bool:
    return not await database.fetch(LEFT)


async def check_and_print(database: Database, part: str, planned: int) -> None:
    times = {row["times"]: row["count"] for row in await database.fetch(TIMES_FIRED, part)}
    pending = await database.count("timers")
    (late,) = await database.fetch(LATENESS, part)
    if times != {1: planned} or pending != PENDING or late["min"].total_seconds() < 0:
        raise WrongTimers(f"{part}: {planned} timers, fired {times}, {pending} still pending, earliest {late['min']}")
    p50, p99, most = late["seconds"]
    goal = "" if p99 < GOAL_SECONDS else f" (p99 misses the goal of {GOAL_SECONDS} s)"
    print(f"| {part} | {planned} | {1000 * p50:.0f} | {1000 * p99:.0f} | {1000 * most:.0f} |{goal}", flush=True)


async def run() -> None:
    async with a_million_pending() as (world, _):
        busy = f"{os.cpu_count()} processors, load average before {os.getloadavg()[0]:.1f}"
        print(f"{PENDING} timers pending; lateness in ms; {busy}\n")
        print("| part | due | p50 | p99 | max |\n|---|---:|---:|---:|---:|", flush=True)
        await measure(world, "200/s", rate=200, seconds=20)
        await measure(world, "1000/s", rate=1_000, seconds=15)
        await measure(world, "1000/s, two processes", rate=1_000, seconds=15, processes=2)
        await measure(world, "200/s, killed 5 times", rate=200, seconds=30, kills=5)
        await measure(world, "1000/s, two processes, killed 6 times", rate=1_000, seconds=20, processes=2, kills=6)


if __name__ == "__main__":
    try:
        asyncio.run(run())
    except WrongTimers as wrong:
        sys.exit(str(wrong))
