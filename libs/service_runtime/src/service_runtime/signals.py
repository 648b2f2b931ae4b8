"""Who is woken after a commit: the relay, timers, and messages that waited for what was just done."""

import asyncio
from collections.abc import Callable, Collection

from sqlalchemy.ext.asyncio import AsyncEngine

from service_runtime import parked
from service_runtime.outbox import CHANNEL


class Signals:
    """Wakes the loops of this process, and by NOTIFY the relay of another; polling covers a lost signal."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.outbox = asyncio.Event()
        self.timers = asyncio.Event()
        self.parked = asyncio.Event()
        self.relay_leads_here: Callable[[], bool] = lambda: False
        self._to_tell = asyncio.Event()
        self._keys: set[str] = set()
        self._notify = False

    def committed(self, *, keys: Collection[str], said: bool, timers_changed: bool, replays: bool) -> None:
        """Called after each commit: wakes who is here, and has `tell` wake others beside the next transaction."""
        if timers_changed:
            self.timers.set()
        if replays:
            self.parked.set()
        if said:
            self.outbox.set()
            self._notify |= not self.relay_leads_here()
        self._keys.update(keys)
        if self._keys or self._notify:
            self._to_tell.set()

    async def tell(self) -> None:
        """Wait for the next commit that others should know of, and wake them; what fails here is found by polling."""
        await self._to_tell.wait()
        self._to_tell.clear()
        keys, notify, self._keys, self._notify = self._keys, self._notify, set(), False
        # After the commit and in a transaction of its own: NOTIFY inside takes a database-wide lock until the commit
        # is flushed, and a waiting message locked beside an aggregate could deadlock with its retry.
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            if notify:
                await connection.exec_driver_sql(f"NOTIFY {CHANNEL}")
            if keys and await parked.wake(connection, keys):
                self.parked.set()


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until the event is set or the time is over; clear it before looking for work, or a wake-up is lost."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
