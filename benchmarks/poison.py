"""What poison costs the others: the same messages without any, with one, and with up to a tenth of them.

Three kinds of it, all of them bugs, so that they are retried meanwhile: a handler that raises before it changed
anything, one that raises halfway, and an async one. Everything goes through the real delivery in micro-batches of 500.
"""

import asyncio
import logging
import os
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import service_runtime.logging
from common_core.events import EssayContentProvisionedV1, Event, RegisterBatchV1
from local_stack import LocalStack
from service_runtime import Handlers, Service, UnitOfWork
from service_runtime.http import router
from service_runtime.messages import Message, decode
from service_runtime.parked import ParkedRecord
from service_runtime.testing import Running, binary

from tests.integration.notebook import TABLES, Page, line, opening
from tests.integration.world import Database, RealParts, World

MESSAGES = int(os.environ.get("MESSAGES", "10000"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
MICRO_BATCH = 500
POISON = "poison"
RATES = {"none": 0, "one": 1, "0.1 %": MESSAGES // 1_000, "1 %": MESSAGES // 100, "10 %": MESSAGES // 10}
ADD_PAGES = "INSERT INTO pages (page_id, lines, largest) SELECT *, '[]', 0 FROM unnest($1::uuid[])"

handlers = Handlers()


@handlers.on(EssayContentProvisionedV1, loads=Page)
def note(page: Page, event: EssayContentProvisionedV1) -> list[Event]:
    """A plain handler; a file of one byte is a bug at once, one of two bytes a bug halfway."""
    if event.original_file_name == POISON and event.file_size_bytes == 1:
        raise RuntimeError("before anything was changed")
    noted = page.note(event.original_file_name)
    if event.original_file_name == POISON:
        raise RuntimeError("halfway")
    return noted


@handlers.on(RegisterBatchV1, loads=Page)
async def reopen(work: UnitOfWork, event: RegisterBatchV1) -> list[Event]:
    """An async handler."""
    page = await work.get(Page, event.batch_id)
    noted = page.note("opened again")
    if event.assignment == POISON:
        raise RuntimeError("in an async handler")
    return noted


notes = Service(name="notes", handlers=handlers, router=router())
KINDS: dict[str, Callable[[UUID, str], Event]] = {
    "at once": lambda page, text: line(page, text, 1),
    "halfway": lambda page, text: line(page, text, 2),
    "async": opening,
}


def messages(run: Running, events: list[Event]) -> list[Message]:
    """These events as they would come from one partition."""
    records = [
        ParkedRecord(
            "topic", 0, number, str(each.key).encode(), each.model_dump_json().encode(), binary(each, str(uuid4()))
        )
        for number, each in enumerate(events)
    ]
    return [message for record in records if (message := decode(record, run.runtime.consumer._delivery.types))]


async def one_run(run: Running, database: Database, kind: str, poisonous: int) -> float:
    """Seconds until all messages were handled or parked; raises if any was lost."""
    await database.fetch("TRUNCATE parked_messages, pages, inbox")
    pages = [uuid4() for _ in range(MESSAGES)]
    await database.fetch(ADD_PAGES, pages)
    every = MESSAGES // poisonous if poisonous else MESSAGES + 1
    texts = [POISON if number % every == every // 2 else "line" for number in range(MESSAGES)]
    events = messages(run, [KINDS[kind](page, text) for page, text in zip(pages, texts, strict=True)])
    started = time.perf_counter()
    for first in range(0, MESSAGES, MICRO_BATCH):
        await run.runtime.consumer._delivery.deliver(events[first : first + MICRO_BATCH])
    seconds = time.perf_counter() - started
    noted = (await database.fetch("SELECT count(*) FROM pages WHERE jsonb_array_length(lines) = 1"))[0]["count"]
    parked = await database.count("parked_messages")
    if (noted, parked) != (MESSAGES - texts.count(POISON), texts.count(POISON)):
        raise AssertionError(f"{noted} noted and {parked} parked of {MESSAGES} with {texts.count(POISON)} poisonous")
    return seconds


async def measure(one: Callable[[str, int], Awaitable[float]], kind: str) -> None:
    """Rounds of all rates, and what they say."""
    seconds: dict[str, list[float]] = {name: [] for name in RATES}
    for number in range(ROUNDS):
        for name in RATES if number % 2 else reversed(RATES):
            seconds[name].append(await one(kind, RATES[name]))
    clean = statistics.median(seconds["none"])
    for name, poisonous in RATES.items():
        took = statistics.median(seconds[name])
        ratios = sorted(base / with_it for base, with_it in zip(seconds["none"], seconds[name], strict=True))
        each = f"{1_000 * (took - clean) / poisonous:8.2f}" if poisonous else " " * 8
        spread = f"{ratios[0]:.2f}-{ratios[-1]:.2f}"
        print(f"{kind:10}{name:>8}{MESSAGES / took:14,.0f}{clean / took:10.2f}   {spread:10}{each}", flush=True)


async def main() -> None:
    """Print one table."""
    service_runtime.logging.configure("poison", "CRITICAL")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    print(
        f"{MESSAGES:,} messages, micro-batches of {MICRO_BATCH}, median of {ROUNDS} runs; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'raises':10}{'poison':>8}{'messages/s':>14}{'ratio':>10}   {'spread':10}{'ms each':>8}")
    with LocalStack() as stack:
        async with World.opened(RealParts(stack)) as world:
            run = await world.run(notes, TABLES, poll_seconds=1.0, retry_first_seconds=0.2, retry_most_seconds=30.0)
            database = await world.database(notes, TABLES)
            for kind in KINDS:
                await measure(lambda kind, poisonous: one_run(run, database, kind, poisonous), kind)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
