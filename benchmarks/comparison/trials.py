"""The trials. Each puts one contestant, or all at once where they share a server's end, before one event and looks."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from local_stack import ChildProcess, LocalStack

from benchmarks.comparison.arena import Arena, wait_for
from benchmarks.comparison.contestants import Contestant

PATIENCE = 75.0
"""Longer than every library's default lease or heartbeat, so that who comes back by itself has come back."""
STARTED = 300.0
"""How long what is not judged may take: starts, and writers, on a busy machine."""
GRACE = 40.0
OUTAGE = 8.0
AFTERWARDS = 5.0
RECOVERY = 60.0
KEYS = ("a", "b", "c")
CHANGES = 120

type Outcomes = dict[Contestant, str]


async def raises_once(arena: Arena) -> str:
    """The handler raises once, for the second of three messages of one key."""
    await arena.start_worker()
    messages = ["a:before", "a:raises once", "a:after"]
    offset = await arena.committed() if arena.contestant.on_kafka else 0
    await arena.send(*messages)
    handled = await arena.has_effect(messages[1], within=GRACE)
    await arena.has_effect(messages[2], within=GRACE)
    order = [message for message, _ in await arena.effects() if message in messages]
    if handled:
        return "handled, in order" if order == messages else "handled, after the later one"
    if not arena.contestant.on_kafka:
        return "never handled"

    async def passed() -> bool:
        return await arena.committed() >= offset + len(messages)

    return "lost: offset committed past it" if await wait_for(passed, 10) else "not handled"


async def always_raises(arena: Arena) -> str:
    """The handler raises always for one message; ten of other keys come after it."""
    await arena.start_worker()
    others = [f"other{number}:plain" for number in range(10)]
    await arena.send("poison:always raises", *others)
    done = await arena.has_effect(others[-1], within=GRACE)
    return "others go on" if done else "all behind it in the partition wait"


async def killed_before_effect(arena: Arena) -> str:
    """Kill -9 in the handler, before its effect; then the process is started again."""
    await arena.start_worker()
    seconds = await _killed(arena, "k:kills before", expected=1)
    return f"handled after {seconds:.0f} s" if await arena.times("k:kills before") else "never handled"


async def killed_after_effect(arena: Arena) -> str:
    """Kill -9 after the effect is committed, before the message is acknowledged; then it is started again."""
    await arena.start_worker()
    arena.worker.kill()
    arena.worker = arena.start("work", **arena.contestant.kill_after)
    await _killed(arena, "k:kills after", expected=2)
    return {0: "no effect", 1: "one effect", 2: "two effects"}[await arena.times("k:kills after")]


async def _killed(arena: Arena, message: str, expected: int) -> float:
    await arena.send(message)
    await asyncio.to_thread(arena.worker.wait, STARTED)
    arena.worker = arena.start("work")
    started = time.monotonic()
    await arena.has_effect(message, within=PATIENCE, times=expected)
    return time.monotonic() - started


async def repeated(arena: Arena) -> str:
    """The same message comes a second time, after it was handled."""
    return await _repeated(arena, forget=False)


async def repeated_after_memory(arena: Arena) -> str:
    """The same message comes a second time, after the inbox has been emptied."""
    return await _repeated(arena, forget=True)


async def _repeated(arena: Arena, *, forget: bool) -> str:
    await arena.start_worker()
    await arena.send("r:plain")
    await arena.has_effect("r:plain", within=60)
    if forget:
        await arena.fetch("DELETE FROM inbox")
    await arena.send("r:plain", "r:after")
    await arena.has_effect("r:after", within=60)
    return {1: "one effect", 2: "two effects"}[await arena.times("r:plain")]


async def concurrent_writers(arena: Arena) -> str:
    """Four processes change three aggregates at the same time; the outbox is published."""
    relays = [arena.start("relay") for _ in range(arena.contestant.relays)]
    writers = [arena.start("change", str(CHANGES), "0", *KEYS) for _ in range(4)]
    await asyncio.gather(*(asyncio.to_thread(writer.finish, STARTED) for writer in writers))
    return await _all_published(arena, 4 * CHANGES, within=60, relays=relays)


async def _all_published(arena: Arena, expected: int, within: float, relays: Sequence[ChildProcess]) -> str:
    async def complete() -> bool:
        return len(set(await arena.published())) >= expected

    await wait_for(complete, within)
    assert all(relay.running for relay in relays), f"a relay ended: {relays[0].tail()}"
    published = await arena.published()
    first = list(dict.fromkeys(published))
    behind = sum(_is_behind([version for key, version in first if key == each]) for each in KEYS)
    lost = expected - len(first)
    repeats = f", {len(published) - len(first)} repeated" if len(published) > len(first) else ""
    order = "in order" if not behind else f"{behind} of {expected} behind a later version"
    return (f"{lost} of {expected} not published, {order}" if lost else order) + repeats


def _is_behind(versions: list[int]) -> int:
    return sum(version < max(versions[:place], default=0) for place, version in enumerate(versions))


async def broker_stops(stack: LocalStack, contestants: Sequence[Contestant]) -> Outcomes:
    """The broker is killed while one writer goes on, and started again after eight seconds."""
    async with AsyncExitStack() as ends:
        arenas = await asyncio.gather(*(ends.enter_async_context(Arena.opened(stack, each)) for each in contestants))
        relays = {arena: arena.start("relay") for arena in arenas}
        writers = [arena.start("change", str(CHANGES), "0.05", *KEYS) for arena in arenas]
        await asyncio.gather(*(wait_for(_some_are_published(arena), 30) for arena in arenas))
        await asyncio.to_thread(stack.kafka.kill)
        await asyncio.sleep(OUTAGE)
        await asyncio.gather(*(asyncio.to_thread(writer.finish, STARTED) for writer in writers))
        await asyncio.to_thread(stack.kafka.start)
        back = time.monotonic()

        async def outcome(arena: Arena) -> str:
            said = await _all_published(arena, CHANGES, within=PATIENCE, relays=[relays[arena]])
            return f"{said}; complete after {time.monotonic() - back:.0f} s"

        outcomes = await asyncio.gather(*map(outcome, arenas))
        return {arena.contestant: said for arena, said in zip(arenas, outcomes, strict=True)}


def _some_are_published(arena: Arena) -> Callable[[], Awaitable[bool]]:
    async def some() -> bool:
        return len(await arena.published()) >= 10

    return some


async def connections_end(stack: LocalStack, contestants: Sequence[Contestant]) -> Outcomes:
    """The server ends all connections of the workers (`pg_terminate_backend`) while messages come."""

    async def end(arenas: Sequence[Arena]) -> None:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
        await asyncio.gather(*(arena.fetch(query, arena.name) for arena in arenas))

    return await _disturbed(stack, contestants, end)


async def database_restarts(stack: LocalStack, contestants: Sequence[Contestant]) -> Outcomes:
    """PostgreSQL is restarted with `-m immediate` while messages come; no process is started again."""

    async def restart(_: Sequence[Arena]) -> None:
        await asyncio.to_thread(stack.postgres.restart, "immediate")

    return await _disturbed(stack, contestants, restart)


async def _disturbed(
    stack: LocalStack, contestants: Sequence[Contestant], disturb: Callable[[Sequence[Arena]], Awaitable[None]]
) -> Outcomes:
    over = asyncio.Event()
    async with AsyncExitStack() as ends:
        arenas = await asyncio.gather(*(ends.enter_async_context(Arena.opened(stack, each)) for each in contestants))
        await asyncio.gather(*(arena.start_worker() for arena in arenas))
        streams = [asyncio.create_task(_stream(arena, over)) for arena in arenas]
        await asyncio.gather(*(arena.has_effect("k3:plain", within=30) for arena in arenas))
        await disturb(arenas)
        back = time.time()
        await asyncio.sleep(AFTERWARDS)
        over.set()
        sent = await asyncio.gather(*streams)
        outcomes = await asyncio.gather(*(_recovered(*each, back) for each in zip(arenas, sent, strict=True)))
        return {arena.contestant: said for arena, said in zip(arenas, outcomes, strict=True)}


async def _stream(arena: Arena, over: asyncio.Event) -> set[str]:
    """Send four messages a second until it is over or nobody is there to handle them; the messages."""
    sent: set[str] = set()
    while not over.is_set() and (arena.worker.running or not sent):
        sent.add(f"k{len(sent)}:plain")
        await arena.send(f"k{len(sent) - 1}:plain", pause=0.25)
    return sent


async def _recovered(arena: Arena, sent: set[str], back: float) -> str:
    async def is_over() -> bool:
        return not arena.worker.running or sent <= {message for message, _ in await arena.effects()}

    await wait_for(is_over, RECOVERY - (time.time() - back))
    effects = await arena.effects()
    missing = len(sent - {message for message, _ in effects})
    after = [at for _, at in effects if at > back]
    if not arena.worker.running:
        return "its process ended"
    if not after:
        return f"not within {RECOVERY:.0f} s"
    return f"after {after[0] - back:.1f} s" + (f"; {missing} of {len(sent)} lost" if missing else ", nothing lost")
