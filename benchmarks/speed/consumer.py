"""Messages a second through a real handler: inbox, state and outbox, from the open gate to the last commit.

All messages are in Kafka and all processes wait at the inbox before the clock runs. Nobody publishes the outbox
meanwhile, on either side, but where the table says so. Alternating rounds, so that ratios are of the same mood.
"""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from local_stack import ChildProcess
from service_runtime import RuntimeSettings

from benchmarks import figures
from benchmarks.speed.loads import Confirmations, Load, Uploads
from benchmarks.speed.pictures import lines
from benchmarks.speed.stage import (
    Gate,
    Run,
    cpu_seconds,
    median_rate,
    now,
    produce,
    rounds,
    servers,
    session,
    spread,
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
BY_SIZE = "Messages a second by micro-batch size"
MANY = 20_000
LOOK_SECONDS = 0.25


type Found = Mapping["Variant", Sequence[Run]]


@dataclass(frozen=True)
class Variant:
    """One row of a table."""

    name: str
    load: Load
    messages: int = MANY
    processes: int = 1
    micro_batch: int = RuntimeSettings.model_fields["micro_batch"].default
    snapshot: bool = False
    """Whether somebody keeps a transaction with a snapshot open in the database."""
    published: bool = False
    """Whether the outbox is published meanwhile, and counts."""
    faststream: str | None = None
    """The acknowledgement policy of a plain FastStream program that takes the service's place."""


CONFIRMED, HOT = Confirmations(), Uploads()
OURS = Variant("ours, one process", CONFIRMED)
ALONE = Variant("the same service, one message = one transaction", CONFIRMED, 600, micro_batch=1)
PLAIN = Variant("FastStream and SQLAlchemy, one transaction each", CONFIRMED, 800, faststream="NACK_ON_ERROR")
DEFAULT = Variant(
    "the same, acknowledged first (FastStream's default): may lose messages", CONFIRMED, 1_000, faststream="ACK_FIRST"
)
SNAPSHOT = Variant("ours, while a transaction is kept open", CONFIRMED, snapshot=True)
POISON = Variant("ours, 1 % is poison", Confirmations(poison_every=100))
HOT_OURS = Variant("ours, 100 for each aggregate", HOT)
HOT_ALONE = Variant("100 for each aggregate, one message = one transaction", HOT, 400, micro_batch=1)
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
SIZES = [
    ALONE if size == 1 else OURS if size == OURS.micro_batch else replace(OURS, name=f"ours, {size}", micro_batch=size)
    for size in (1, 50, 200, 500, 1_000)
]


async def one_run(parts: RealParts, variant: Variant) -> Run:
    """One variant on a stage of its own; raises WrongData."""
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
            processes = await start_and_meet(world, variant, ends, gate)
            used_before = cpu_seconds(processes)
        began = await now(database)
        await until(database, load.done, variant.messages, LOOK_SECONDS)
        used = cpu_seconds(processes) - used_before
        (row,) = await database.fetch(load.last_effect)
        ended = row["at"]
        if variant.published:
            await until(database, NOT_PUBLISHED, 0)
            used = cpu_seconds(processes) - used_before
            ended = max(ended, await last_published(world, load))
        await load.check(world, variant.messages, published=variant.published)
        return Run(variant.messages / (ended - began).total_seconds(), 1e6 * used / variant.messages)


async def start_and_meet(world: World, variant: Variant, ends: AsyncExitStack, gate: Gate) -> list[ChildProcess]:
    """All processes of a variant, waiting at the gate with their first messages."""
    service, module = variant.load.service, variant.load.module
    processes = []
    for number in range(variant.processes):
        if variant.faststream is None:
            processes.append(await start(world, service, module, number, micro_batch=variant.micro_batch))
        else:
            variables = {
                "DATABASE_URL": (await world.database(service)).url,
                "BROKERS": world.stack.kafka_bootstrap_servers,
                "TOPIC": topic_of(world, variant.load.topic),
                "ACK_POLICY": variant.faststream,
            }
            processes.append(start_program(ends, "faststream_confirmed", **variables))
    await gate.crowded(processes[-1], variant.processes)
    return processes


async def last_published(world: World, load: Load) -> datetime:
    """When the last record of what a load causes was sent."""
    heard = await world.listener.all_of(load.says)
    return datetime.fromtimestamp(max(each.record.timestamp for each in heard) / 1_000, UTC)


async def main(wanted: Mapping[str, Sequence[Variant]], runs: int, only: str) -> None:
    """Measure what the wanted tables need, all in the same rounds."""
    reports = {name: figures.Report(name) for name in wanted}
    variants = dict.fromkeys(each for some in wanted.values() for each in some if only in each.name)
    async with servers() as parts:
        found, failed = await rounds(list(variants), runs, lambda each: one_run(parts, each))
    for name, report in reports.items():
        FILL[name](report, {each: found[each] for each in wanted[name] if each in found})
        report.finish()
    figures.complete(failed)


def compare(report: figures.Report, found: Found) -> None:
    """The rates, and how ours are beside them."""
    for variant, some in found.items():
        base = found.get(HOT_OURS if variant.load is HOT else OURS)
        ratio = median_rate(base) / median_rate(some) if base else None
        report.row(TABLE, {"with": variant.name, "messages": variant.messages, **spread(some), figures.RATIO: ratio})


def by_size(report: figures.Report, found: Found) -> None:
    """The rates by micro-batch size, and their picture."""
    for variant, some in found.items():
        report.row(BY_SIZE, {"micro-batch": variant.micro_batch, **spread(some)})
    points = [(variant.micro_batch, median_rate(some)) for variant, some in found.items()]
    if points:
        report.picture(lines(BY_SIZE, "micro-batch size", {"messages/s": points}, log_x=True))


FILL = {"consumer": compare, "batch": by_size}
TABLES = {"consumer": VARIANTS, "batch": SIZES}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=[*TABLES], help=f"of {', '.join(TABLES)}; both without a name")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="rows that have these words in their name")
    chosen = parser.parse_args()
    figures.measured(main({name: TABLES[name] for name in chosen.tables}, chosen.runs, chosen.only))
