"""Consumers stay in their group: slow handlers, rebalances, more and fewer processes, more partitions."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from common_core.events import EssayContentProvisionedV1, EssaySlotAssignedV1, Event, RegisterBatchV1, Topic
from local_stack import ChildProcess
from prometheus_client import REGISTRY
from service_runtime import Handlers, UnitOfWork, consumer, kafka_clients
from service_runtime.relay import partition_of
from service_runtime.testing import Listener, Outside, Running, wait_until

from tests.integration.notebook import TABLES, Page, line, lines, open_page, opening, service
from tests.integration.world import INSTANCE, Database, World

FORGET_TRANSACTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND state = 'idle in transaction'
"""

slow = Handlers()
slow.on(RegisterBatchV1, loads=Page)(open_page)
slow_reader = replace(service, handlers=slow)

gates: dict[str, asyncio.Event] = {}
"""Where the handler waits before it notes this line, in this process."""
begun: list[str] = []


@slow.on(EssayContentProvisionedV1, loads=Page)
async def note_slowly(work: UnitOfWork, event: EssayContentProvisionedV1) -> list[Event]:
    page = await work.get(Page, event.batch_id)
    begun.append(event.original_file_name)
    if gate := gates.get(event.original_file_name):
        await gate.wait()
    return page.note(event.original_file_name)


@pytest.fixture(autouse=True)
def _no_gates() -> Iterator[None]:
    yield
    gates.clear()
    begun.clear()


async def in_time[T](condition: Callable[[], T | Awaitable[T]]) -> T:
    """Wait longer than elsewhere: a rebalance takes as long as the slowest member."""
    return await wait_until(condition, 60)


async def opened(world: World, number: int) -> list[UUID]:
    """Pages in all partitions; all that is said to them stands in one topic."""
    pages = [uuid4() for _ in range(number)]
    for page in pages:
        await world.outside.publish(opening(page), topic=Topic.UPSTREAM)
    return pages


async def two_members(world: World, **changes: Any) -> list[Running]:
    """Two instances of the slow reader, each with its share of the partitions."""
    members = [await world.run(slow_reader, TABLES, **changes) for _ in range(2)]
    await in_time(lambda: not any(each.runtime.problems() for each in members))
    return members


def assignments() -> float:
    """How often members in this process were given partitions."""
    return REGISTRY.get_sample_value("scriptorium_partitions_assigned_total") or 0.0


@dataclass
class Load:
    """Lines that are published to every page, round after round, until the block ends."""

    rounds: int = 0
    wanted: int = 0

    async def goes_on(self, rounds: int = 10) -> None:
        """Wait for so many more, which are published even if nobody notes any."""
        self.wanted = self.rounds + rounds
        await in_time(lambda: self.rounds >= self.wanted)


@asynccontextmanager
async def load(outside: Outside, database: Database, pages: list[UUID], since: int = 0) -> AsyncIterator[Load]:
    """Publish meanwhile, not faster than the lines are noted; every round that was begun is finished."""
    at_work, stopping = Load(since), asyncio.Event()

    async def has_room() -> bool:
        (row,) = await database.fetch("SELECT min(jsonb_array_length(lines)) FROM pages WHERE page_id = ANY($1)", pages)
        return stopping.is_set() or at_work.rounds < max(at_work.wanted, (row["min"] or 0) + 30)

    async def publish() -> None:
        for number in count(since):
            await in_time(has_room)
            if stopping.is_set():
                return
            await asyncio.gather(*(outside.publish(line(page, str(number)), topic=Topic.UPSTREAM) for page in pages))
            at_work.rounds = number + 1

    async with asyncio.TaskGroup() as group:
        group.create_task(publish())
        yield at_work
        stopping.set()


# Slow handlers


async def test_a_handler_slower_than_the_poll_interval_keeps_its_partitions(world: World) -> None:
    database = await world.database(slow_reader, TABLES)
    await two_members(world, poll_interval_seconds=2)
    (page,) = await opened(world, 1)
    gates["slow"] = asyncio.Event()
    before = assignments()

    await world.outside.publish(line(page, "slow"), topic=Topic.UPSTREAM)
    await world.outside.publish(line(page, "next"), topic=Topic.UPSTREAM)
    await in_time(lambda: begun == ["slow"])
    # Nothing is to happen meanwhile, so there is only the time to wait for.
    since = time.monotonic()
    await in_time(lambda: time.monotonic() - since > 6)
    gates["slow"].set()

    assert await in_time(lambda: noted_all(database, [page], 2)) == {page: ["slow", "next"]}
    assert begun == ["slow", "next"]
    assert assignments() == before


async def test_a_handler_that_never_ends_becomes_a_dead_letter_and_holds_up_nobody(world: World) -> None:
    database = await world.database(slow_reader, TABLES)
    await two_members(world, poll_interval_seconds=2, handling_seconds=0.5, failing_attempts=3)
    before, pages = assignments(), await opened(world, 4)
    gates["stuck"] = asyncio.Event()

    for page in pages:
        for text in ("one", *(["stuck"] if page == pages[0] else []), "two"):
            await world.outside.publish(line(page, text), topic=Topic.UPSTREAM)

    assert await in_time(lambda: noted_all(database, pages, 2)) == {page: ["one", "two"] for page in pages}
    (dead,) = await database.fetch("SELECT state, reason, error FROM parked_messages")
    assert (dead["state"], dead["reason"]) == ("dead", "bug")
    assert "SCRIPTORIUM_HANDLING_SECONDS" in dead["error"]
    assert assignments() == before


async def noted_all(database: Database, pages: list[UUID], each: int) -> dict[UUID, list[str]] | None:
    """What all pages say, once each has so many lines or more."""
    noted = {page: await lines(database, page) for page in pages}
    return noted if all(len(said) >= each for said in noted.values()) else None


# Rebalances


@pytest.mark.parametrize("end", ["commits", "is rolled back"])
async def test_a_micro_batch_that_two_members_hold_after_a_rebalance_has_its_effects_once_and_in_order(
    world: World, end: str
) -> None:
    database, pages = await world.database(slow_reader, TABLES), await opened(world, 8)
    for number in range(5):
        for page in pages:
            await world.outside.publish(line(page, str(number)), topic=Topic.UPSTREAM)
    gates["3"] = gate = asyncio.Event()
    await world.run(slow_reader, TABLES)
    await in_time(lambda: "3" in begun)
    gates.clear()

    # It gets the same messages again: their offsets are not committed.
    await world.run(slow_reader, TABLES, micro_batch=1)
    await in_time(database.somebody_waits_for_a_lock)
    for page in pages:
        await world.outside.publish(line(page, "5"), topic=Topic.UPSTREAM)
    assert await database.count("pages") == 0
    if end == "is rolled back":
        await database.fetch(FORGET_TRANSACTIONS)
    gate.set()

    expected = [str(number) for number in range(6)]
    assert await in_time(lambda: noted_all(database, pages, 6)) == dict.fromkeys(pages, expected)
    await in_time(lambda: world.is_done(slow_reader))
    assert await noted_all(database, pages, 6) == dict.fromkeys(pages, expected)


async def test_partitions_that_are_assigned_during_a_delivery_are_not_fetched_before_its_end(world: World) -> None:
    database, pages = await world.database(slow_reader, TABLES), await opened(world, 8)
    gates["held"] = gate = asyncio.Event()
    for page in pages:
        await world.outside.publish(line(page, "held"), topic=Topic.UPSTREAM)
    holding = (await world.run(slow_reader, TABLES)).runtime
    await in_time(lambda: begun)
    client = holding.consumer._client
    assert client is not None

    joining = (await world.run(slow_reader, TABLES)).runtime
    # Two topics of two partitions: each has one of a topic as soon as both have heard of it.
    await in_time(lambda: len(client.assignment()) == 2 and not (holding.problems() or joining.problems()))

    assert client.paused() == client.assignment()
    gate.set()
    await in_time(lambda: noted_all(database, pages, 1))
    await in_time(lambda: not client.paused())


async def test_a_static_member_that_comes_back_interrupts_nobody(world: World) -> None:
    await world.database(service, TABLES)
    async with world.running(service, TABLES, instance_id="first") as first:
        await in_time(lambda: not first.runtime.problems())
        await world.run(service, TABLES, instance_id="second")
        await in_time(lambda: len(first.runtime.consumer._client.assignment()) == 2)
    before = assignments()

    back = await world.run(service, TABLES, instance_id="first")
    await in_time(lambda: back.runtime.consumer._given_out)
    await opened(world, 8)
    await in_time(lambda: world.is_done(service))

    assert assignments() == before + 1


def shares(process: ChildProcess) -> list[int]:
    """How many partitions a process was given, each time it was."""
    said = [json.loads(each) for each in process.log_file.read_text().splitlines() if '"partitions_assigned"' in each]
    return [each["count"] for each in said]


async def test_from_one_process_to_four_and_back_under_load(world: World) -> None:
    database, pages = await world.database(service, TABLES), await opened(world, 10)
    processes: list[ChildProcess] = []

    # A long session: on a slow machine a member must not fall out of the group only for want of a processor.
    dynamic = {"instance_id": None, "micro_batch": 20, "session_seconds": 20}

    async def start(number: int) -> None:
        for _ in range(number):
            module = "tests.integration.notebook"
            processes.append(await world.process(service, module, TABLES, **dynamic))

    await start(1)
    (first,) = processes
    async with load(world.outside, database, pages) as at_work:
        await in_time(lambda: shares(first)[-1:] == [4])
        await start(3)
        # Two topics of two partitions: one for each.
        await in_time(lambda: all(shares(each)[-1:] == [1] for each in processes))
        await at_work.goes_on()
        for each in processes[1:]:
            await asyncio.to_thread(each.stop)
        await in_time(lambda: shares(first)[-1] == 4)
        settled = len(shares(first))
        await at_work.goes_on(50)

    noted = await in_time(lambda: noted_all(database, pages, at_work.rounds))
    expected = [str(number) for number in range(at_work.rounds)]
    assert noted == dict.fromkeys(pages, expected)
    await in_time(lambda: world.is_done(service))
    assert await database.count("inbox") == len(pages) * (1 + at_work.rounds)
    # One for itself, one for each who came or went, and a few more for those who came in the middle of one.
    assert settled <= 10
    assert len(shares(first)) == settled


# Partitions


async def more_partitions(world: World, number: int) -> None:
    """Every topic has so many partitions from now on."""
    settings = world.settings(database_url="postgresql://nowhere/none")
    client = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await client.start()
    try:
        await client.create_partitions({settings.topic_prefix + each: NewPartitions(number) for each in Topic})
    finally:
        await client.close()


def place(page: UUID, partitions: int) -> int:
    """The partition of a page's messages."""
    return partition_of(str(page).encode(), range(partitions), range(partitions))


async def staying_and_moving(world: World) -> tuple[list[UUID], list[UUID]]:
    """Pages whose messages stay in their partition when there are six of them, and pages whose messages move."""
    pages = await opened(world, 40)
    staying = [page for page in pages if place(page, 6) == place(page, 2)]
    moving = [page for page in pages if place(page, 6) >= 2]
    return staying[:3], moving[:3]


@pytest.mark.parametrize("members", ["two", "one, restarted before", "one, restarted after"])
async def test_new_partitions_are_found_and_read_from_their_beginning_under_load(world: World, members: str) -> None:
    database = await world.database(service, TABLES)
    staying, moving = await staying_and_moving(world)
    pages = staying + moving
    changes = {"partitions_known_seconds": 2, "instance_id": None if members == "two" else INSTANCE}
    async with world.running(service, TABLES, **changes):
        await in_time(lambda: world.is_done(service))
        if members == "two":
            await world.run(service, TABLES, **changes)
    if members != "one, restarted after":
        await world.run(service, TABLES, **changes)

    # Producers know the old partitions for a while, ...
    async with load(world.outside, database, pages) as before:
        await before.goes_on()
        await more_partitions(world, 6)
        await before.goes_on()
    # ... and new ones know the new at once, earlier than the consumers.
    six = world.settings(database_url="postgresql://nowhere/none", partitions=6)
    async with (
        Outside(six) as outside,
        Listener(six) as listener,
        load(outside, database, pages, before.rounds) as after,
    ):
        if members == "one, restarted after":
            await world.run(service, TABLES, **changes)

        async def our_relay_knows_them() -> bool:
            return any(each.record.partition >= 2 for each in await listener.all_of(EssaySlotAssignedV1))

        await in_time(our_relay_knows_them)
        await after.goes_on()

    noted = await in_time(lambda: noted_all(database, pages, after.rounds))
    expected = [str(number) for number in range(after.rounds)]
    assert {page: noted[page] for page in staying} == dict.fromkeys(staying, expected)
    for page in moving:
        # What is not promised: order between the old partition and the new one.
        old = {str(number) for number in range(before.rounds)}
        assert [text for text in noted[page] if text in old] == expected[: before.rounds]
        assert [text for text in noted[page] if text not in old] == expected[before.rounds :]


# A broker that does not answer


def clients() -> int:
    """How many clients of Kafka are at work in this process."""
    return sum("AIOKafkaClient" in repr(task.get_coro()) for task in asyncio.all_tasks())


async def test_a_consumer_that_begins_anew_while_the_broker_is_silent_leaves_no_client_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer, "BEGINNING_ANEW_SECONDS", 0.0)
    runtime = (await world.run(service, TABLES)).runtime
    before = clients()

    async def fail(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("our fault")

    with world.stack.kafka.frozen():
        with monkeypatch.context() as bug:
            bug.setattr(AIOKafkaConsumer, "getmany", fail)
            await wait_until(runtime.problems)
        await wait_until(lambda: kafka_clients._stopping)

    await wait_until(lambda: not runtime.problems() and clients() == before)
