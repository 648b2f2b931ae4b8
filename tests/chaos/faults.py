"""What goes wrong: chosen by the seed, at moments the seed chooses too."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random

import httpx
from service_runtime.failpoints import PLACES

from tests.chaos.cluster import Cluster, Instance, is_ready
from tests.chaos.options import Options
from tests.chaos.proxy import Cut
from tests.chaos.sabotage import SABOTAGES
from tests.chaos.watch import Leaders

RARE = ("delivery.before_park", "retries.after_decide", "timers.after_take", "timers.after_prepare")
"""Places that a process comes by seldom."""
MOST_DOWN = 2


class Faults:
    """Does harm until enough processes were killed, and starts again what died."""

    def __init__(self, cluster: Cluster, options: Options, leaders: Leaders) -> None:
        self.counts: Counter[str] = Counter()
        self.kills = 0
        self._cluster = cluster
        self._options = options
        self._leaders = leaders
        self._always = SABOTAGES[options.sabotage].failpoints if options.sabotage else ""
        self._rng = Random(f"faults {options.seed}")  # noqa: S311  # no secret
        self._over = False
        self._outages = 0
        self._last_outage = 0.0
        self._frozen: set[str] = set()
        self._side: set[asyncio.Task[None]] = set()
        self._busy: set[str] = set()

    async def run(self) -> None:
        """All faults; at the end everything runs again, without failpoints."""
        watchers = [asyncio.create_task(self._keep(each)) for each in self._cluster.instances]
        choices: list[tuple[Callable[[], Awaitable[None]], float]] = [
            (self._kill, 80),
            (self._freeze, 3),
            (self._cut_database, 8),
            (self._cut_kafka, 3),
            (self._restart_postgres, 2),
            (self._restart_kafka, 1.5),
        ]
        while self.kills < self._options.kills:
            await asyncio.sleep(self._rng.expovariate(1 / self._options.pace))
            if sum(each.died_at is not None for each in self._cluster.instances) > MOST_DOWN:
                continue  # A system that never comes up does no work that could be lost.
            (fault,) = self._rng.choices([each for each, _ in choices], [weight for _, weight in choices])
            outage = fault not in (self._kill, self._freeze)
            task = asyncio.ensure_future(self._as_outage(fault) if outage else fault())
            self._side.add(task)
            task.add_done_callback(self._done)
        self._over = True
        await asyncio.gather(*self._side)
        for instance in self._cluster.instances:  # The last ones come back without failpoints.
            self._strike(instance, "SIGKILL at the end, to disarm")
        await asyncio.sleep(1)
        late = await self._cluster.until_ready(60)
        self.counts["not ready 60 s after the last fault"] += len(late)
        for watcher in watchers:
            watcher.cancel()
        await asyncio.gather(*watchers, return_exceptions=True)

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
                    self._cluster.start(instance, "" if self._over else self._failpoints())
                elif instance.died_at is not None and await is_ready(client, instance):
                    calm = not self._outages and self._last_outage < instance.died_at
                    kind = "broker and database up" if calm else "one of them away, or a cut"
                    instance.recoveries[kind].append(time.monotonic() - instance.died_at)
                    instance.died_at = None

    def _note_death(self, instance: Instance) -> None:
        if instance.name in self._frozen:
            self._frozen.discard(instance.name)
        if instance.name in self._busy:
            self._busy.discard(instance.name)
        elif "kill" in instance.failpoints:
            places = [each.partition("=")[0] for each in instance.failpoints.split(",") if "=kill" in each]
            self.counts[f"SIGKILL at {places[0]}"] += 1
            self.kills += 1
            self._leaders.struck(instance, "killed")
        else:
            self.counts["died by itself"] += 1
        instance.died_at = time.monotonic()

    def _failpoints(self) -> str:
        """Mostly one place to die at, sometimes one to fail at."""
        if self._always:
            return self._always
        armed = {}
        if self._rng.random() < 0.6:
            place = self._rng.choice(PLACES)
            chance = self._rng.uniform(0.05, 0.3) if place in RARE else self._rng.uniform(0.003, 0.05)
            armed[place] = f"kill:{chance:.3f}"
        if self._rng.random() < 0.3:
            armed.setdefault(self._rng.choice(PLACES), f"raise:{self._rng.uniform(0.01, 0.1):.3f}")
        return ",".join(f"{place}={action}" for place, action in armed.items())

    def _strike(self, instance: Instance, how: str) -> None:
        if instance.process.running and instance.name not in self._busy:
            self._busy.add(instance.name)
            self.counts[how] += 1
            self.kills += 1
            self._leaders.struck(instance, "killed")
            instance.process.send(signal.SIGKILL)

    async def _as_outage(self, fault: Callable[[], Awaitable[None]]) -> None:
        self._outages += 1
        try:
            await fault()
        finally:
            self._outages -= 1
            self._last_outage = time.monotonic()

    async def _kill(self) -> None:
        self._strike(self._rng.choice(self._cluster.instances), "SIGKILL at a random moment")

    async def _freeze(self) -> None:
        instance = self._rng.choice(self._cluster.instances)
        seconds = 30.0 if self._rng.random() < 0.2 and self._options.freeze >= 12 else self._options.freeze
        if not instance.process.running or instance.name in self._frozen:
            return
        process = instance.process
        self.counts[f"SIGSTOP for {seconds:.0f} s"] += 1
        self._frozen.add(instance.name)
        process.send(signal.SIGSTOP)
        self._leaders.struck(instance, "frozen")
        await asyncio.sleep(seconds)
        process.send(signal.SIGCONT)
        self._frozen.discard(instance.name)

    async def _cut_database(self) -> None:
        instance, how = self._rng.choice(self._cluster.instances), self._rng.choice(list(Cut))
        self.counts[f"PostgreSQL connections: {how}"] += 1
        if how in (Cut.HANG, Cut.GHOST):
            self._leaders.struck(instance, "cut off")
        await instance.proxy.cut(how, self._rng.uniform(1, 10))

    async def _cut_kafka(self) -> None:
        how = self._rng.choice([each for each in Cut if each is not Cut.GHOST])
        self.counts[f"Kafka connections: {how}"] += 1
        await self._cluster.kafka.cut(how, self._rng.uniform(1, 8))

    async def _restart_postgres(self) -> None:
        if "postgres" not in self._busy:
            self._busy.add("postgres")
            self.counts["PostgreSQL restarted, immediate"] += 1
            await asyncio.to_thread(self._cluster.stack.postgres.restart, "immediate")
            self._busy.discard("postgres")

    async def _restart_kafka(self) -> None:
        if "kafka" not in self._busy:
            self._busy.add("kafka")
            self.counts["broker killed"] += 1
            await asyncio.to_thread(self._cluster.stack.kafka.kill)
            await asyncio.sleep(self._rng.uniform(0, 2))
            await asyncio.to_thread(self._cluster.stack.kafka.start)
            self._busy.discard("kafka")
