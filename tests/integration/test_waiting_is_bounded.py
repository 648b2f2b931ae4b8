"""Waiting grows up to a limit and ends: when what it waits for comes, or as a dead letter; poison slows nobody down."""

import asyncio
import json
import time
from datetime import datetime
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from common_core.errors import DomainError, NotYet
from common_core.events import Event, Topic
from service_runtime import Service
from service_runtime.parked import backoff
from service_runtime.testing import binary, wait_until

from tests.integration.notebook import TABLES, line, opening, service, trouble
from tests.integration.world import Database, World

LINES = "SELECT jsonb_array_elements_text(lines) AS line FROM pages WHERE page_id = $1"
IN_A_SECOND = 1 / 86_400


async def lines(database: Database, page_id: UUID) -> list[str]:
    return [row["line"] for row in await database.fetch(LINES, page_id)]


async def opened(world: World, number: int, reader: Service = service) -> list[UUID]:
    """So many open pages; the service that opened them has stopped."""
    pages = [uuid4() for _ in range(number)]
    await asyncio.gather(*(world.outside.publish(opening(page_id)) for page_id in pages))
    async with world.running(reader, TABLES):
        await wait_until(lambda: world.has_read_everything(reader))
    return pages


# How long


def test_the_wait_doubles_up_to_a_limit_and_never_is_the_same_for_all(world: World) -> None:
    settings = world.settings(retry_first_seconds=0.2, retry_most_seconds=30, database_url="postgresql://nowhere/none")

    for attempt, expected in ((1, 0.2), (2, 0.4), (5, 3.2), (8, 25.6), (9, 30.0), (1_000_000, 30.0)):
        waits = {backoff(attempt, settings) for _ in range(200)}
        assert 0.75 * expected <= min(waits) < 0.85 * expected
        assert 1.15 * expected < max(waits) <= 1.25 * expected


async def test_a_waiting_message_is_tried_less_and_less_often(world: World) -> None:
    database, (page,) = await world.database(service, TABLES), await opened(world, 1)
    await world.run(service, TABLES, retry_first_seconds=0.1, retry_most_seconds=0.8)
    trouble["early"] = NotYet("page", uuid4())
    await world.outside.publish(line(page, "early"))
    due: dict[int, datetime] = {}

    async def attempted(times: int) -> bool:
        for row in await database.fetch("SELECT attempts, due_at FROM parked_messages"):
            due[row["attempts"]] = row["due_at"]
        return max(due, default=0) >= times

    await wait_until(lambda: attempted(6), 30)

    seen = sorted(due)
    for before, after in pairwise(seen):
        at_least = sum(0.75 * min(0.1 * 2**number, 0.8) for number in range(before, after))
        assert (due[after] - due[before]).total_seconds() >= at_least


async def test_what_waits_longer_than_its_limit_is_a_dead_letter_and_no_loop(world: World) -> None:
    database, (page,) = await world.database(service, TABLES), await opened(world, 1)
    trouble["early"] = NotYet("page", uuid4())
    await world.run(service, TABLES, waiting_days=IN_A_SECOND)
    await world.outside.publish(line(page, "early"))

    await world.outside.publish(line(page, "behind"))

    assert await wait_until(lambda: lines(database, page)) == ["behind"]
    (dead,) = await database.fetch("SELECT *, now() - parked_at AS waited FROM parked_messages")
    assert (dead["state"], dead["reason"]) == ("dead", "waited_too_long")
    assert dead["waited"].total_seconds() > 1
    attempts = dead["attempts"]
    trouble.clear()
    await world.outside.publish(line(page, "later"))
    await wait_until(lambda: world.is_done(service))
    assert await database.fetch("SELECT 1 FROM parked_messages WHERE attempts = $1 AND state = 'dead'", attempts)


@pytest.mark.parametrize("in_another_process", [False, True])
async def test_it_is_woken_when_what_it_waits_for_has_come_long_before_its_time(
    world: World, in_another_process: bool
) -> None:
    database, (page,) = await world.database(service, TABLES), await opened(world, 1)
    long = {"retry_first_seconds": 300, "retry_most_seconds": 300, "poll_seconds": 60}
    needed = uuid4()
    await world.run(service, TABLES, **long)
    if in_another_process:
        await world.run(service, TABLES, **long)
    trouble["early"] = NotYet("page", needed)
    await world.outside.publish(line(page, "early"))
    waiting = "SELECT 1 FROM parked_messages WHERE due_at > now() + interval '200 seconds' AND waits_for = $1"
    await wait_until(lambda: database.fetch(waiting, str(needed)))
    trouble.clear()

    await world.outside.publish(opening(needed))

    assert await wait_until(lambda: lines(database, page)) == ["early"]


# Poison


@pytest.mark.parametrize(
    ("what", "pages", "messages", "size"),
    [
        (DomainError("never"), 50, 2_000, 1),
        (RuntimeError("our fault"), 50, 2_000, 1),
        # Only the database finds this one, so that each time a whole transaction fails.
        (None, 20, 400, 3_000_000_000),
    ],
    ids=["refused", "bug", "the database refuses"],
)
async def test_a_topic_of_one_tenth_poison_still_flows_in_order(
    world: World, what: Exception | None, pages: int, messages: int, size: int
) -> None:
    database, ids = await world.database(service, TABLES), await opened(world, pages)
    if what:
        trouble["poison"] = what
    expected: dict[UUID, list[str]] = {page_id: [] for page_id in ids}
    for number in range(messages):
        page_id, poison = ids[number % pages], number % 10 == number // pages % 10
        text = "poison" if poison else str(number)
        await world.outside.publish(line(page_id, text, size if poison else 1))
        if not poison:
            expected[page_id].append(text)
    started = time.monotonic()

    await world.run(service, TABLES, failing_attempts=2)
    await wait_until(lambda: world.is_done(service), 90)

    print(f"{messages} messages, one tenth poison: {time.monotonic() - started:.1f} s")  # noqa: T201
    assert {page_id: await lines(database, page_id) for page_id in ids} == expected
    dead = await database.fetch("SELECT state FROM parked_messages")
    assert [row["state"] for row in dead] == ["dead"] * (messages // 10)


async def test_a_long_queue_with_poison_in_it_is_worked_off_in_order(world: World) -> None:
    database, (page,) = await world.database(service, TABLES), await opened(world, 1)
    trouble["0"] = NotYet("page", page)
    await asyncio.gather(*(world.outside.publish(line(page, str(number))) for number in range(1_500)))
    await world.outside.publish(line(page, "poison", 3_000_000_000))
    await asyncio.gather(*(world.outside.publish(line(page, str(number))) for number in range(1_500, 2_000)))
    await world.run(service, TABLES, failing_attempts=1)
    await wait_until(lambda: world.has_read_everything(service), 60)
    assert await database.count("parked_messages") > 1_990

    trouble.clear()

    await wait_until(lambda: world.is_done(service), 60)
    noted = await lines(database, page)
    assert len(noted) == 2_000
    (dead,) = await database.fetch("SELECT state, reason FROM parked_messages")
    assert tuple(dead) == ("dead", "bug")


async def test_a_backlog_on_one_partition_does_not_wait_for_those_where_nothing_comes(world: World) -> None:
    database, page = await world.database(service, TABLES), uuid4()
    await world.outside.publish(opening(page), topic=Topic.UPSTREAM)
    said = [str(number) for number in range(200)]
    await asyncio.gather(*(publish_large(world, line(page, each)) for each in said))

    await world.run(service, TABLES, micro_batch=5, fetch_wait_seconds=30.0)

    async def all_noted() -> bool:
        return await lines(database, page) == said

    await wait_until(all_noted)


async def publish_large(world: World, event: Event) -> None:
    """With a field that nobody knows, so that a fetch takes fifty of them: a megabyte from each partition."""
    value = json.dumps({**event.model_dump(mode="json"), "unknown": "x" * 20_000}).encode()
    headers = binary(event, str(uuid4()))
    await world.outside.send(Topic.UPSTREAM, value, key=str(event.key).encode(), headers=headers)
