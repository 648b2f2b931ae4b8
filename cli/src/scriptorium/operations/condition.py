"""How a running system is: each service's `/readyz` and `/metrics`, which need no token, and its lag, which does."""

import asyncio
import math
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TypedDict

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from scriptorium import environment
from scriptorium.environment import Variables
from scriptorium.errors import CommandFailed
from scriptorium.operations.client import Operator, Service, acting

ANSWER_SECONDS = 8.0
"""A service itself gives its database and the broker three."""
ADDRESS = "address"
"""The part that is wrong when nothing, or something else, answers."""
NO_LAG = {ADDRESS, "database", "broker", "consumer"}
"""Who has such a problem cannot say how far it is behind, or only after long."""


class Heap(TypedDict):
    """How many there are, and for how many seconds the oldest has been there."""

    number: int
    oldest_seconds: float


class ServiceCondition(TypedDict):
    """One service; ready or not is the process that answered. None where something is not known."""

    service: str
    url: str
    ready: bool
    problems: dict[str, str]
    lag: dict[str, int] | None
    """Messages by topic that all processes of the service together have not handled yet."""
    lag_problem: str | None
    """Why it is not known."""
    outbox: Heap | None
    parked: Heap | None
    dead_letters: Heap | None
    timers_due: Heap | None


class BatchesInState(TypedDict):
    """How many batches are in a state; for how long at the most is known of those that are open."""

    state: str
    number: int
    oldest_seconds: float | None


class Condition(TypedDict):
    """The whole system."""

    ready: bool
    services: list[ServiceCondition]
    batches: list[BatchesInState] | None


async def condition(variables: Variables) -> Condition:
    """Ask all five services at the same time; raises Misconfigured when an address is missing."""
    addresses = {service: environment.address(variables, f"{service.name}_URL") for service in Service}
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False))
        operator: Operator | CommandFailed
        try:
            operator = await stack.enter_async_context(acting(variables))
        except CommandFailed as error:
            operator = error
        found = await asyncio.gather(*(_ask(http, operator, *each) for each in addresses.items()))
    batches = [_batches(samples) for each, samples in found if each["service"] == Service.BATCH_ORCHESTRATOR]
    services = [each for each, _ in found]
    return {"ready": all(each["ready"] for each in services), "services": services, "batches": batches[0]}


async def _ask(
    http: httpx.AsyncClient, operator: Operator | CommandFailed, service: Service, url: str
) -> tuple[ServiceCondition, list[Sample]]:
    problems, samples = await asyncio.gather(_problems(http, service, url), _samples(http, url))
    lag, lag_problem = (None, None) if NO_LAG & set(problems) else await _lag(operator, service)
    timers = _heap(samples, "scriptorium_timers_due", "scriptorium_timers_oldest_due_seconds")
    found: ServiceCondition = {
        "service": service,
        "url": url,
        "ready": not problems,
        "problems": problems,
        "lag": lag,
        "lag_problem": lag_problem,
        "outbox": _heap(samples, "scriptorium_outbox_events", "scriptorium_outbox_oldest_seconds"),
        "parked": _heap(samples, "scriptorium_parked_messages", "scriptorium_parked_oldest_seconds"),
        "dead_letters": _heap(samples, "scriptorium_dead_letters", "scriptorium_dead_letters_oldest_seconds"),
        "timers_due": timers,
    }
    if found["dead_letters"] and not timers:  # A service without timers measures none.
        found["timers_due"] = {"number": 0, "oldest_seconds": 0.0}
    return found, samples


async def _problems(http: httpx.AsyncClient, service: Service, url: str) -> dict[str, str]:
    """What keeps the service from working, by part."""
    try:
        answer = await http.get(f"{url}/readyz")
        problems = answer.json()["problems"]
        return {str(part): str(reason) for part, reason in problems.items()}
    except httpx.TransportError as error:
        reason = str(error) or type(error).__name__
        return {ADDRESS: f"nothing answers at {url} ({reason}); start it, or correct {service.name}_URL"}
    except (ValueError, KeyError, TypeError, AttributeError):
        said = f"{answer.status_code} {answer.reason_phrase}"
        return {ADDRESS: f"what answers at {url} is no service of ours ({said}); correct {service.name}_URL"}


async def _samples(http: httpx.AsyncClient, url: str) -> list[Sample]:
    """What the service measures; nothing when it does not say."""
    try:
        answer = (await http.get(f"{url}/metrics")).raise_for_status()
        return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    except (httpx.HTTPError, ValueError):
        return []


def _named(samples: Iterable[Sample], name: str) -> Mapping[str, float]:
    """The known values of a gauge with at most one label, by that label's value."""
    return {
        next(iter(each.labels.values()), ""): each.value
        for each in samples
        if each.name == name and not math.isnan(each.value)
    }


def _heap(samples: Iterable[Sample], number: str, oldest: str) -> Heap | None:
    numbers, ages = _named(samples, number), _named(samples, oldest)
    if not numbers:
        return None
    return {"number": int(sum(numbers.values())), "oldest_seconds": max(ages.values(), default=0.0)}


async def _lag(operator: Operator | CommandFailed, service: Service) -> tuple[dict[str, int] | None, str | None]:
    """What the service is behind, or why it is not known."""
    try:
        if isinstance(operator, CommandFailed):
            raise operator
        return await operator.lag(service), None
    except CommandFailed as error:
        return None, str(error)


def _batches(samples: Iterable[Sample]) -> list[BatchesInState] | None:
    numbers, ages = (_named(samples, name) for name in ("scriptorium_batches", "scriptorium_batch_oldest_seconds"))
    found: list[BatchesInState] = [
        {"state": state, "number": int(number), "oldest_seconds": ages.get(state)} for state, number in numbers.items()
    ]
    return found or None
