"""One run from the first start to the last look."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random

import asyncpg
from service_runtime.testing import wait_until

from tests.chaos import evidence, sabotage
from tests.chaos.cluster import Cluster, running
from tests.chaos.faults import Faults
from tests.chaos.journal import Journal
from tests.chaos.options import Options
from tests.chaos.people import People
from tests.chaos.report import Report
from tests.chaos.timeline import Timeline
from tests.chaos.watch import Leaders

WARM_UP = 2.0
"""Seconds of steady work that do not count."""

LEFT = """
    SELECT (SELECT count(*) FROM outbox) AS outbox, (SELECT count(*) FROM timers) AS timers,
        (SELECT count(*) FROM parked_messages WHERE state <> 'dead') AS parked, (SELECT count(*) FROM inbox) AS inbox
"""


async def run(options: Options, folder: Path) -> Report:
    """Start the system, do harm while it works, wait until it is quiet, and judge.

    SIGINT or SIGTERM ends the harm early, or the wait for quiet; what was done is judged then.
    """
    rng = Random(f"cluster {options.seed}.{options.round}")  # noqa: S311  # no secret
    journal, timeline = Journal(), Timeline()
    began = time.monotonic()
    broken = sabotage.SABOTAGES.get(options.sabotage)
    async with running(rng, folder / "logs", options.sabotage, broken.env if broken else {}) as cluster:
        leaders = Leaders(cluster)
        faults = Faults(cluster, options, leaders, timeline)
        people = People(cluster, journal, options)
        side = [asyncio.create_task(leaders.run()), asyncio.create_task(_tell(faults, journal, options))]
        try:
            with _ended_by_a_signal(faults.stop):
                calm = await _work_through(people, faults, options)
            quiet = asyncio.create_task(_until_quiet(cluster, options.patience))
            with _ended_by_a_signal(quiet.cancel):
                await asyncio.wait([quiet])
        finally:
            for task in side:
                task.cancel()
        cluster.kill_all()
        journal.write(folder / "journal.json")
        urls = {each.member.folder: cluster.database(each.member) for each in cluster.instances}
        found = await evidence.gather(cluster.brokers, urls, journal)
    report = Report.of(options, faults, leaders, timeline, found, calm)
    report.seconds, report.not_quiet = time.monotonic() - began, int(quiet.cancelled() or not quiet.result())
    report.operator = people.operator.actions
    report.stopped = int(faults.stopped or quiet.cancelled())
    return report


@contextmanager
def _ended_by_a_signal(end: Callable[[], object]) -> Iterator[None]:
    """The first SIGINT or SIGTERM ends what goes on; a second one ends everything at once."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        end()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _work_through(people: People, faults: Faults, options: Options) -> float:
    """Work and harm, until enough was done; when the harm began (time.time())."""
    async with people.at_work() as over:
        with suppress(AssertionError):  # Whoever cannot begin is seen by the checker.
            await wait_until(people.flows, options.patience)  # type: ignore[arg-type]  # mypy infers no T without a use
        await asyncio.sleep(WARM_UP + options.calm)
        calm = time.time()
        harm = asyncio.create_task(faults.run())
        done, _ = await asyncio.wait([harm, *people.tasks], return_when=asyncio.FIRST_COMPLETED)
        if harm not in done:
            harm.cancel()
        for task in done:
            task.result()
        with suppress(AssertionError):
            await wait_until(lambda: people.batches >= options.batches, options.patience)
        over.set()
    return calm


async def _until_quiet(cluster: Cluster, seconds: float) -> bool:
    """Wait until nothing is left and nothing comes in any more; whether that was in time."""
    began, last, same = time.monotonic(), "", 0
    while time.monotonic() - began < seconds:
        now = str([await _left(cluster, each) for each in sorted({i.member.folder for i in cluster.instances})])
        idle = "outbox=0 timers=0 parked=0" in now and now.count("outbox=0 timers=0 parked=0") == 5
        same = same + 1 if idle and now == last else 0
        last = now
        if same == 6:
            return True
        await asyncio.sleep(0.5)
    sys.stdout.write(f"not quiet after {seconds:.0f} s: {last}\n")
    return False


async def _left(cluster: Cluster, database: str) -> str:
    connection = await asyncpg.connect(cluster.stack.postgres_url(database))
    try:
        row = await connection.fetchrow(LEFT)
        return " ".join(f"{name}={row[name]}" for name in ("outbox", "timers", "parked", "inbox"))
    finally:
        await connection.close()


async def _tell(faults: Faults, journal: Journal, options: Options) -> None:
    """A line every few seconds."""
    began = time.monotonic()
    while True:
        await asyncio.sleep(5)
        gave_up = sum(each.gave_up is not None for each in journal.batches.values())
        others = sum(faults.counts.values()) - faults.kills
        passed = time.monotonic() - began
        left = passed * (options.kills - faults.kills) / faults.kills if faults.kills else 0.0
        sys.stdout.write(
            f"{passed:5.0f} s  {faults.kills:5} of {options.kills} kills, about {max(left, 0):5.0f} s left  "
            f"{others:4} other faults  {len(journal.batches):5} batches begun  {gave_up} given up\n"
        )
        sys.stdout.flush()
