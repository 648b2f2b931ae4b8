"""One run from the first start to the last look."""

import asyncio
import sys
import time
from contextlib import suppress
from pathlib import Path
from random import Random

import asyncpg
from service_runtime.testing import wait_until

from tests.chaos import checker, evidence, sabotage
from tests.chaos.cluster import Cluster, running
from tests.chaos.faults import Faults
from tests.chaos.journal import Journal
from tests.chaos.options import Options
from tests.chaos.outside import Outside
from tests.chaos.report import Report
from tests.chaos.teacher import Teacher
from tests.chaos.watch import Leaders
from tests.chaos.workload import School

LEFT = """
    SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM timers) AS timers,
        (SELECT count(*) FROM parked_messages WHERE state <> 'dead') AS parked, (SELECT count(*) FROM inbox) AS inbox
"""


async def run(options: Options, folder: Path) -> Report:
    """Start the system, do harm while it works, wait until it is quiet, and judge."""
    rng = Random(f"cluster {options.seed}")  # noqa: S311  # no secret
    journal = Journal()
    began = time.monotonic()
    broken = sabotage.SABOTAGES.get(options.sabotage)
    async with running(rng, folder / "logs", options.sabotage, broken.env if broken else {}) as cluster:
        leaders = Leaders(cluster)
        watching = asyncio.create_task(leaders.run())
        faults = Faults(cluster, options, leaders)
        telling = asyncio.create_task(_tell(faults, journal, began))
        try:
            await _work_through(faults, cluster, journal, options)
            quiet_after = await _until_quiet(cluster, options.patience)
        finally:
            telling.cancel()
            watching.cancel()
        journal.write(folder / "journal.json")
        urls = {each.member.folder: cluster.database(each.member) for each in cluster.instances}
        found = await evidence.gather(cluster.brokers, urls, journal)
    report = Report.of(options, faults, leaders, cluster, found, checker.violations(found))
    report.seconds, report.quiet_after = time.monotonic() - began, quiet_after
    return report


async def _work_through(faults: Faults, cluster: Cluster, journal: Journal, options: Options) -> None:
    over = asyncio.Event()
    async with Outside(cluster.brokers) as outside:
        schools = []
        for number in range(options.teachers):
            rng = Random(f"teacher {options.seed} {number}")  # noqa: S311  # no secret
            teacher = Teacher(f"teacher-{number}", cluster, journal, rng)
            schools.append(asyncio.create_task(School(teacher, outside, journal).work(over)))
        harm = asyncio.create_task(faults.run())
        done, _ = await asyncio.wait([harm, *schools], return_when=asyncio.FIRST_COMPLETED)
        if harm not in done:
            harm.cancel()
        for task in done:
            task.result()
        with suppress(AssertionError):
            await wait_until(lambda: len(journal.batches) >= options.batches, options.patience)
        over.set()
        done, late = await asyncio.wait(schools, timeout=options.patience)
        for task in late:
            task.cancel()
        for task in done:
            task.result()


async def _until_quiet(cluster: Cluster, seconds: float) -> float | None:
    """Wait until nothing is left and nothing comes in any more; how long it took, None when it did not."""
    began, last, same = time.monotonic(), "", 0
    while time.monotonic() - began < seconds:
        now = str([await _left(cluster, each) for each in sorted({i.member.folder for i in cluster.instances})])
        idle = "outbox=0 timers=0 parked=0" in now and now.count("outbox=0 timers=0 parked=0") == 5
        same = same + 1 if idle and now == last else 0
        last = now
        if same == 6:
            return time.monotonic() - began
        await asyncio.sleep(0.5)
    sys.stdout.write(f"not quiet after {seconds:.0f} s: {last}\n")
    return None


async def _left(cluster: Cluster, database: str) -> str:
    connection = await asyncpg.connect(cluster.stack.postgres_url(database))
    try:
        row = await connection.fetchrow(LEFT)
        return " ".join(f"{name}={row[name]}" for name in ("outbox", "timers", "parked", "inbox"))
    finally:
        await connection.close()


async def _tell(faults: Faults, journal: Journal, began: float) -> None:
    """A line every few seconds."""
    while True:
        await asyncio.sleep(5)
        gave_up = sum(each.gave_up is not None for each in journal.batches.values())
        others = sum(faults.counts.values()) - faults.kills
        sys.stdout.write(
            f"{time.monotonic() - began:5.0f} s  {faults.kills:5} kills  {others:4} other faults  "
            f"{len(journal.batches):5} batches begun  {gave_up} given up\n"
        )
        sys.stdout.flush()
