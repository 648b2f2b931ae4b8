"""Extraction in separate processes: no file can block the event loop, fill the memory or end the service."""

import asyncio
import ctypes
import logging
import multiprocessing
import resource
import signal
import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from pebble import ProcessExpired, ProcessPool

from services.file_service.extraction import essay_text
from services.file_service.formats.failures import ExtractionFailed, gave_no_answer

STARTING = 30.0
"""Seconds a worker may take to start on a busy machine, beyond the time for its file."""

FILES_PER_WORKER = 200
"""After so many files a worker is replaced, so that what a parser leaks cannot add up."""

PR_SET_PDEATHSIG = 1


class Extractor:
    """Hands files to sandboxed workers. Each reads one at a time; more files than workers wait their turn."""

    def __init__(
        self,
        workers: int = 2,
        seconds: float = 2.0,  # of the processor's time for one file
        memory: int = 300_000_000,  # bytes of address space, of which a worker at rest has 70 million
        extract: Callable[[bytes], str] = essay_text,
        patience: float = 5.0,  # how many times as long one may take by the clock
    ) -> None:
        limited = partial(_within, seconds, extract)
        self._sandboxes = [_Sandbox(seconds * patience, memory, limited) for _ in range(workers)]
        # Last in, first out: one worker is kept busy and warm, the others rest.
        self._free: asyncio.LifoQueue[_Sandbox] = asyncio.LifoQueue()
        for sandbox in self._sandboxes:
            self._free.put_nowait(sandbox)

    async def start(self) -> None:
        """Starts the workers, so that the first files need not wait for them."""
        await asyncio.gather(*(sandbox.run(len, b"") for sandbox in self._sandboxes))

    async def extract(self, data: bytes) -> str:
        """The essay in `data`. Raises ExtractionFailed, also where reading takes too long or ends the worker."""
        sandbox = await self._free.get()
        try:
            return await sandbox.extract(data)
        finally:
            self._free.put_nowait(sandbox)

    async def close(self) -> None:
        """Ends the workers, also in the middle of a file."""
        await asyncio.gather(*(sandbox.discard() for sandbox in self._sandboxes))


class _Sandbox:
    """One worker and its limits, in a pool of its own: what breaks it can only be the file it has."""

    def __init__(self, timeout: float, memory: int, extract: Callable[[bytes], str]) -> None:
        self._timeout, self._memory, self._extract = timeout, memory, extract
        self._pool: ProcessPool | None = None

    async def extract(self, data: bytes) -> str:
        for _ in range(2):  # A worker may die for reasons of the machine; a file that kills does it again.
            try:
                return await self.run(self._extract, data)
            except MemoryError:
                raise await self._failed("needs too much memory") from None
            except TimeoutError:
                raise await self._failed("took too long") from None
            except (ProcessExpired, BrokenProcessPool) as ended:
                if getattr(ended, "exitcode", None) == -signal.SIGPROF:
                    raise await self._failed("took too long") from None
                await self.discard()
        raise await self._failed("broke the program that reads it")

    async def run[T](self, function: Callable[[bytes], T], data: bytes) -> T:
        """Calls `function` in the worker, which is started where there is none."""
        if self._pool is None or not self._pool.active:
            await self.discard()
            self._pool = self._new_pool()
        future = self._pool.schedule(function, args=[data], timeout=self._timeout)
        async with asyncio.timeout(STARTING + self._timeout):
            return await asyncio.wrap_future(future)

    async def discard(self) -> None:
        """Ends the worker: after a failure its memory is not to be trusted."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.stop()  # type: ignore[no-untyped-call]  # pebble types the rest, not this
            await asyncio.to_thread(pool.join)

    async def _failed(self, why: str) -> ExtractionFailed:
        await self.discard()
        return gave_no_answer(why)

    def _new_pool(self) -> ProcessPool:
        # Not forked: a fork would inherit connections to database and broker, and locks that other threads hold.
        spawn = multiprocessing.get_context("spawn")
        return ProcessPool(1, FILES_PER_WORKER, initializer=_confine, initargs=[self._memory], context=spawn)


def _within(seconds: float, extract: Callable[[bytes], str], data: bytes) -> str:
    """What `extract` gives; a worker that needs more of the processor's time is ended by SIGPROF.

    Not by the clock: on a busy machine it would refuse files that are in order, and a parser never waits.
    """
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return extract(data)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _confine(memory: int) -> None:
    """Runs first in a worker: sets its limits. Systems other than Linux have only the time limit."""
    # pebble's own handler runs between two bytecodes, which in a parser's C code may mean never.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logging.disable()  # What parsers say about a file may quote it.
    if sys.platform == "linux":
        # A killed service cannot end its workers, so the kernel does. Where it died even before this, the pipe says so.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
