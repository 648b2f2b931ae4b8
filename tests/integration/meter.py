"""What `/metrics` of a service says, as numbers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from service_runtime.testing import Running

type Reading = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass
class Meter:
    """Reads a service's `/metrics`; counters from the beginning of the test, since all tests share a process."""

    service: Running

    async def read(self) -> Reading:
        """Every sample."""
        answer = (await self.service.http.get("/metrics")).raise_for_status()
        families = text_string_to_metric_families(answer.text)
        return {
            (each.name, frozenset(each.labels.items())): each.value for family in families for each in family.samples
        }

    async def value(self, name: str, /, **labels: str) -> float | None:
        """The sample with exactly these labels; None when there is none."""
        return (await self.read()).get((f"scriptorium_{name}", frozenset(labels.items())))

    async def count(self, name: str, /, **labels: str) -> float:
        """A counter, 0 before it has counted."""
        return await self.value(name, **labels) or 0.0

    async def is_at(self, number: float, name: str, /, **labels: str) -> bool:
        """Whether a sample has this value."""
        return await self.value(name, **labels) == number

    async def growth(self, name: str, /, **labels: str) -> Callable[[], Awaitable[float]]:
        """What a counter has gained since now, to be asked later."""
        before = await self.count(name, **labels)

        async def gained() -> float:
            return await self.count(name, **labels) - before

        return gained
