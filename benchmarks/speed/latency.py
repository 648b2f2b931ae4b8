"""How long from the commit of a batch in the orchestrator until the essay lifecycle has committed what follows.

Both services are processes of their own. Batches are registered through Kafka at an even rate; the orchestrator stores
each and says so, the lifecycle makes its slots. Both commits are dated by the same PostgreSQL.
"""

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import median, quantiles
from uuid import UUID, uuid4

from aiokafka import AIOKafkaProducer
from common_core.events import RegisterBatchV1
from common_core.events.base import Topic
from common_core.status_enums import CourseCode
from service_runtime.testing import binary

from benchmarks import figures
from benchmarks.figures import check
from benchmarks.speed.pictures import lines
from benchmarks.speed.stage import producer, servers, stage, start, topic_of, until
from services.batch_orchestrator_service.service import service as orchestrator
from services.essay_lifecycle_service.service import service as lifecycle
from tests.integration.world import Database, World

TABLE = "From a commit to the commit of its effect in the next service"
LOADS = (100, 500, 1_000)
SECONDS = 5
WARM_UP = 100
TICK = 0.005
COMMITS = "SELECT batch_id, pg_xact_commit_timestamp(xmin) AS at FROM {} WHERE batch_id = ANY($1)"


class Pair:
    """Two services that work, and what was registered with the first."""

    def __init__(self, world: World, first: Database, second: Database, client: AIOKafkaProducer) -> None:
        self._topic = topic_of(world, Topic.UPSTREAM)
        self._first = first
        self._second = second
        self._client = client
        self._registered = 0

    async def delays(self, rate: int, seconds: float) -> list[float]:
        """Seconds between both commits of each batch, registered at this rate a second; raises WrongData."""
        ids = [uuid4() for _ in range(round(rate * seconds))]
        began = time.monotonic()
        for number, batch_id in enumerate(ids):
            while time.monotonic() < began + number / rate:
                await asyncio.sleep(TICK)
            await self._register(batch_id)
        self._registered += len(ids)
        await until(self._second, "SELECT count(*) FROM essay_batches", self._registered)
        said, heard = await commits(self._first, "batches", ids), await commits(self._second, "essay_batches", ids)
        check("batches in both services", (len(said), len(heard)), (len(ids),) * 2)
        slots = await self._second.fetch("SELECT count(*) FROM slots")
        check("slots, one for each batch", slots[0]["count"], self._registered)
        return [heard[each] - said[each] for each in ids]

    async def _register(self, batch_id: UUID) -> None:
        event = RegisterBatchV1(
            batch_id=batch_id, teacher_id="berit", course_code=CourseCode.SV1, expected_essay_count=1
        )
        await self._client.send(
            self._topic,
            event.model_dump_json().encode(),
            key=str(batch_id).encode(),
            headers=binary(event, str(uuid4())),
        )


async def commits(database: Database, table: str, ids: Sequence[UUID]) -> dict[UUID, float]:
    """When each of these rows was committed, in seconds."""
    rows = await database.fetch(COMMITS.format(table), ids)
    return {row["batch_id"]: row["at"].timestamp() for row in rows}


async def measure(runs: int) -> dict[int, list[list[float]]]:
    """The delays of every run at each load."""
    found: dict[int, list[list[float]]] = {rate: [] for rate in LOADS}
    async with servers() as parts, stage(parts) as world, producer(world) as client:
        pair = Pair(world, await world.database(orchestrator), await world.database(lifecycle), client)
        await start(world, orchestrator, "services.batch_orchestrator_service.service")
        await start(world, lifecycle, "services.essay_lifecycle_service.service")
        await pair.delays(WARM_UP, 1)
        for _ in range(runs):
            for rate in LOADS:
                found[rate].append(await pair.delays(rate, SECONDS))
                print(f"{rate}/s: p50 {1000 * median(found[rate][-1]):.0f} ms", file=sys.stderr, flush=True)
    return found


async def main(runs: int) -> None:
    report = figures.Report("latency")
    drawn: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for rate, found in (await measure(runs)).items():
        cuts = [quantiles(each, n=100) for each in found]
        of_runs = {
            "p50 ms": [each[49] for each in cuts],
            "p99 ms": [each[98] for each in cuts],
            "max ms": [max(each) for each in found],
        }
        middle = {name: 1_000 * median(values) for name, values in of_runs.items()}
        worst = {f"{name}, worst run": 1_000 * max(values) for name, values in of_runs.items()}
        report.row(TABLE, {"events/s": rate, "runs": runs, **middle, **worst})
        for name, value in middle.items():
            drawn[name].append((rate, value))
    report.picture(lines(TABLE, "events a second", drawn, log_x=True, log_y=True))
    report.finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    figures.measured(main(parser.parse_args().runs))
