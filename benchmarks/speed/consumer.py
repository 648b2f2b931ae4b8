"""Messages a second through a real handler: inbox, state and outbox, from the open gate to the last commit.

All messages are in Kafka and all processes wait at the inbox before the clock runs. Nobody publishes the outbox
meanwhile, on either side, but where the table says so. Alternating rounds, so that ratios are of the same mood.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks import figures
from benchmarks.speed.loads import Confirmations, Load, Uploads
from benchmarks.speed.stage import (
    Gate,
    measured,
    now,
    produce,
    servers,
    session,
    stage,
    start,
    start_program,
    topic_of,
    until,
)
from tests.integration.world import RealParts, World

CLAIMS = "INSERT INTO inbox"
NOBODY_PUBLISHES = "SELECT pg_advisory_lock(hashtext('scriptorium-relay'))"
A_SNAPSHOT = ("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT count(*) FROM outbox")
NOT_PUBLISHED = "SELECT count(*) FROM (SELECT 1 FROM outbox LIMIT 1) AS unsent"
TABLE = "Inbox, state and outbox, messages a second"
MANY, FEW = 12_000, 400


@dataclass(frozen=True)
class Variant:
    """One row of a table."""

    name: str
    load: Load
    messages: int = MANY
    processes: int = 1
    micro_batch: int = 500
    snapshot: bool = False
    """Whether somebody keeps a transaction with a snapshot open in the database."""
    published: bool = False
    """Whether the outbox is published meanwhile, and counts."""
    faststream: str | None = None
    """The acknowledgement policy of a plain FastStream program that takes the service's place."""


CONFIRMED, HOT = Confirmations(), Uploads()
OURS = Variant("ours, one process", CONFIRMED)
ALONE = Variant("the same service, one message = one transaction", CONFIRMED, FEW, micro_batch=1)
PLAIN = Variant("FastStream and SQLAlchemy, one transaction each", CONFIRMED, FEW, faststream="NACK_ON_ERROR")
DEFAULT = Variant(
    "the same, acknowledged first (FastStream's default): may lose messages", CONFIRMED, FEW, faststream="ACK_FIRST"
)
SNAPSHOT = Variant("ours, while a transaction is kept open", CONFIRMED, snapshot=True)
POISON = Variant("ours, 1 % is poison", Confirmations(poison_every=100))
HOT_OURS = Variant("ours, 100 for each aggregate", HOT)
HOT_ALONE = Variant("100 for each aggregate, one message = one transaction", HOT, FEW, micro_batch=1)
VARIANTS = [
    OURS,
    Variant("ours, two processes", CONFIRMED, processes=2),
    Variant("ours, and published", CONFIRMED, published=True),
    Variant("ours, two processes, and published", CONFIRMED, processes=2, published=True),
    SNAPSHOT,
    POISON,
    ALONE,
    PLAIN,
    DEFAULT,
    HOT_OURS,
    Variant("ours, 100 for each aggregate, two processes", HOT, processes=2),
    HOT_ALONE,
]


async def one_run(parts: RealParts, variant: Variant) -> float:
    """Messages a second; raises WrongData."""
    load = variant.load
    async with stage(parts) as world, AsyncExitStack() as ends:
        database = await world.database(load.service)
        await load.seed(database, variant.messages)
        await produce(world, load.events(variant.messages))
        if not variant.published:
            await ends.enter_async_context(session(database.url, NOBODY_PUBLISHES))
        if variant.snapshot:
            await ends.enter_async_context(session(database.url, *A_SNAPSHOT))
        gate = Gate(database, "inbox", CLAIMS)
        async with gate.closed():
            await start_and_meet(world, variant, ends, gate)
        began = await now(database)
        await until(database, load.done, variant.messages)
        (row,) = await database.fetch(load.last_effect)
        ended = row["at"]
        if variant.published:
            await until(database, NOT_PUBLISHED, 0, pause=0.01)
            ended = await now(database)
        await load.check(world, variant.messages, published=variant.published)
        return float(variant.messages / (ended - began).total_seconds())


async def start_and_meet(world: World, variant: Variant, ends: AsyncExitStack, gate: Gate) -> None:
    """All processes of a variant, waiting at the gate with their first messages."""
    service, module = variant.load.service, variant.load.module
    for number in range(variant.processes):
        if variant.faststream is None:
            process = await start(world, service, module, number, micro_batch=variant.micro_batch)
        else:
            variables = {
                "DATABASE_URL": (await world.database(service)).url,
                "BROKERS": world.stack.kafka_bootstrap_servers,
                "TOPIC": topic_of(world, variant.load.topic),
                "ACK_POLICY": variant.faststream,
            }
            process = start_program(ends, "faststream_confirmed", **variables)
    await gate.crowded(process, variant.processes)


async def rounds(parts: RealParts, variants: Sequence[Variant], runs: int) -> dict[Variant, list[float]]:
    """The rates of all variants, each run so often, every other round in the opposite order."""
    rates: dict[Variant, list[float]] = {each: [] for each in variants}
    for number in range(runs):
        for each in variants if number % 2 else reversed(variants):
            rates[each].append(await one_run(parts, each))
            print(f"{each.name}: {rates[each][-1]:,.0f}/s", file=sys.stderr, flush=True)
    return rates


async def main(runs: int, only: str) -> None:
    report = figures.Report("consumer")
    async with servers() as parts:
        rates = await rounds(parts, [each for each in VARIANTS if only in each.name], runs)
    for variant, found in rates.items():
        base = rates.get(HOT_OURS if variant.load is HOT else OURS, found)
        about = {"with": variant.name, "messages": variant.messages}
        report.row(TABLE, {**about, **figures.rates(found), figures.RATIO: median(base) / median(found)})
    report.finish()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="rows that have these words in their name")
    chosen = parser.parse_args()
    measured(main(chosen.runs, chosen.only))
