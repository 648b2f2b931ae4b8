"""What goes wrong: chosen by the seed, at moments the seed chooses too."""

import asyncio
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import httpx

from tests.chaos.cluster import Cluster, Instance, is_ready
from tests.chaos.options import Options
from tests.chaos.places import arm, deadly
from tests.chaos.proxy import Cut
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.timeline import Timeline
from tests.chaos.watch import Leaders

KILLED = "killed"
MOST_DOWN = 2
PEACE = 3.0
"""Seconds in which nothing else happens before and after a kill in peace."""


class Faults:
    """Does harm until enough processes were killed, and starts again what died."""

    def __init__(self, cluster: Cluster, options: Options, leaders: Leaders, timeline: Timeline) -> None:
        self.counts: Counter[str] = Counter()
        self.died_at: Counter[str] = Counter()
        """How many processes died at each failpoint."""
        self.kills = 0
        self.stopped = False
        """Whether somebody wants to see the end of it."""
        self._cluster = cluster
        self._options = options
        self._leaders = leaders
        self._timeline = timeline
        self._always = SABOTAGES[options.sabotage].failpoints if options.sabotage else ""
        self._rng = Random(f"faults {options.seed}.{options.round}")  # noqa: S311  # no secret
        self._failpoints_rest = True
        self._side: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()

    async def run(self) -> None:
        """First some kills in peace, then all faults at once; at the end everything runs again, without failpoints."""
        watchers = [asyncio.create_task(self._keep(each)) for each in self._cluster.instances]
        await self._one_by_one()
        self._failpoints_rest = False
        await self._storm()
        self._failpoints_rest = True
        await asyncio.gather(*self._side)
        for instance in self._cluster.instances:  # The last ones come back without failpoints.
            self._strike(instance, "SIGKILL at the end, to disarm")
        await asyncio.sleep(1)
        late = await self._cluster.until_ready(60)
        self.counts["not ready 60 s after the last fault"] += len(late)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)

    def stop(self) -> None:
        """No more harm; what was struck down comes back."""
        self.stopped = True

    @property
    def _enough(self) -> bool:
        return self.stopped or self.kills >= self._options.kills

    async def _one_by_one(self) -> None:
        for number in range(self._options.peaceful):
            instance = self._cluster.instances[number % len(self._cluster.instances)]
            await asyncio.sleep(PEACE + self._rng.random())
            if self._enough:
                return
            self._strike(instance, "SIGKILL at a random moment", alone=True)
            while not instance.process.running or instance.death:
                await asyncio.sleep(0.05)
            await asyncio.sleep(PEACE)

    async def _storm(self) -> None:
        choices: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (self._kill, 80),
            (self._freeze, 3),
            (self._cut_database, 8),
            (self._cut_kafka, 3),
            (self._restart_postgres, 2),
            (self._restart_kafka, 1.5),
        ]
        while not self._enough:
            await asyncio.sleep(self._rng.expovariate(1 / self._options.pace))
            if sum(each.death is not None for each in self._cluster.instances) > MOST_DOWN:
                continue  # A system that never comes up does no work that could be lost.
            (fault,) = self._rng.choices([each for each, _ in choices], [weight for _, weight in choices])
            task = asyncio.ensure_future(fault())
            self._side.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._side.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.counts[f"a fault failed by itself: {error!r}"[:90]] += 1

    async def _keep(self, instance: Instance) -> None:
        """Start it again whenever it has died, and see how long it takes to be ready."""
        async with httpx.AsyncClient(trust_env=False, timeout=2) as client:
            while True:
                await asyncio.sleep(0.05)
                if not instance.process.running:
                    self._note_death(instance)
                    await asyncio.sleep(self._rng.uniform(0, 0.3))
                    instance.process.bury()
                    self._cluster.start(instance, "" if self._failpoints_rest else self._failpoints(instance))
                elif instance.death and await is_ready(client, instance):
                    self._timeline.end(instance.death)
                    instance.death = None

    def _note_death(self, instance: Instance) -> None:
        if instance.name in self._busy:
            self._busy.discard(instance.name)
            return
        place = deadly(instance.failpoints)
        if place:
            self.died_at[place] += 1
            self.counts["SIGKILL at a failpoint"] += 1
            self.kills += 1
        else:
            self.counts["died by itself"] += 1
        self._has_died(instance)

    def _has_died(self, instance: Instance, *, alone: bool = False) -> None:
        if instance.death is None:
            instance.death = self._timeline.begin(KILLED, instance.name, alone=alone)
        self._leaders.struck(instance, KILLED)

    def _failpoints(self, instance: Instance) -> str:
        return self._always or arm(self._rng, instance.member.folder, self.died_at)

    def _strike(self, instance: Instance, how: str, *, alone: bool = False) -> None:
        if instance.process.running and instance.name not in self._busy:
            self._busy.add(instance.name)
            self.counts[how] += 1
            self.kills += 1
            instance.process.send(signal.SIGKILL)
            self._has_died(instance, alone=alone)

    async def _kill(self) -> None:
        self._strike(self._rng.choice(self._cluster.instances), "SIGKILL at a random moment")

    async def _freeze(self) -> None:
        instance = self._rng.choice(self._cluster.instances)
        seconds = 30.0 if self._rng.random() < 0.2 and self._options.freeze >= 12 else self._options.freeze
        if not instance.process.running or self._timeline.going_on(instance.name):
            return
        process = instance.process
        self.counts[f"SIGSTOP for {seconds:.0f} s"] += 1
        incident = self._timeline.begin("frozen", instance.name)
        process.send(signal.SIGSTOP)
        self._leaders.struck(instance, "frozen")
        await asyncio.sleep(seconds)
        process.send(signal.SIGCONT)
        self._timeline.end(incident)

    async def _cut_database(self) -> None:
        instance, how = self._rng.choice(self._cluster.instances), self._rng.choice(list(Cut))
        self.counts[f"PostgreSQL connections: {how}"] += 1
        incident = self._timeline.begin(f"PostgreSQL connections: {how}", instance.name)
        if how in (Cut.HANG, Cut.GHOST):
            self._leaders.struck(instance, "cut off")
        await instance.proxy.cut(how, self._rng.uniform(1, 10))
        self._timeline.end(incident)

    async def _cut_kafka(self) -> None:
        how = self._rng.choice([each for each in Cut if each is not Cut.GHOST])
        self.counts[f"Kafka connections: {how}"] += 1
        incident = self._timeline.begin(f"Kafka connections: {how}", "Kafka")
        await self._cluster.kafka.cut(how, self._rng.uniform(1, 8))
        self._timeline.end(incident)

    async def _restart_postgres(self) -> None:
        if self._timeline.going_on("PostgreSQL"):
            return
        self.counts["PostgreSQL restarted, immediate"] += 1
        incident = self._timeline.begin("PostgreSQL restarted", "PostgreSQL")
        await asyncio.to_thread(self._cluster.stack.postgres.restart, "immediate")
        self._timeline.end(incident)

    async def _restart_kafka(self) -> None:
        if "kafka" in self._busy:
            return
        self._busy.add("kafka")
        self.counts["broker killed"] += 1
        incident = self._timeline.begin("broker killed", "Kafka")
        await asyncio.to_thread(self._cluster.stack.kafka.kill)
        await asyncio.sleep(self._rng.uniform(0, 2))
        await asyncio.to_thread(self._cluster.stack.kafka.start)
        self._timeline.end(incident)
        self._busy.discard("kafka")
