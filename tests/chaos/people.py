"""Everybody who uses the system: teachers, a system outside at a steady pace, and an operator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from service_runtime.auth import Role

from tests.chaos.cluster import Cluster
from tests.chaos.journal import Journal
from tests.chaos.office import Operator
from tests.chaos.options import Options
from tests.chaos.outside import Outside
from tests.chaos.pulse import Pulse
from tests.chaos.teacher import Teacher
from tests.chaos.workload import School


class People:
    """Work until they are told that it is over, and bring what they have begun to its end."""

    def __init__(self, cluster: Cluster, journal: Journal, options: Options) -> None:
        self.tasks: list[asyncio.Task[None]] = []
        self._cluster = cluster
        self._journal = journal
        self._options = options
        self.pulse: Pulse | None = None
        self.operator = Operator(self._person("operator-1", Role.OPERATOR), journal)

    @property
    def batches(self) -> int:
        """How many batches teachers have begun."""
        return sum(not each.steady for each in self._journal.batches.values())

    async def flows(self) -> bool:
        """Whether the steady work gets done at its pace."""
        return self.pulse is not None and await self.pulse.flows()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[asyncio.Event]:
        """While the block lasts; it sets the event when it is over, and at the end nobody works any more."""
        over = asyncio.Event()
        async with Outside(self._cluster.brokers) as outside, Outside(self._cluster.brokers) as steady:
            schools = [
                School(self._person(f"teacher-{number}"), outside, self._journal)
                for number in range(self._options.teachers)
            ]
            database = self._cluster.stack.postgres_url("batch_orchestrator_service")
            self.pulse = pulse = Pulse(self._person("steady"), steady, self._journal, database, self._options.steady)
            # The operator goes home last: what the others send at the end may have to be mended.
            others_gone = asyncio.Event()
            operator = asyncio.create_task(self.operator.run(others_gone))
            works = [pulse.run(over), *(school.run(over) for school in schools)]
            others = [asyncio.create_task(work) for work in works]
            self.tasks = [operator, *others]
            try:
                yield over
                done, _ = await asyncio.wait(others, timeout=self._options.patience)
                others_gone.set()
                done |= (await asyncio.wait([operator], timeout=self._options.patience))[0]
                for task in done:
                    task.result()
            finally:
                for task in self.tasks:
                    task.cancel()

    def _person(self, name: str, role: Role = Role.TEACHER) -> Teacher:
        seed = f"{name} {self._options.seed}.{self._options.round}"
        return Teacher(name, self._cluster, self._journal, Random(seed), role)  # noqa: S311  # no secret
