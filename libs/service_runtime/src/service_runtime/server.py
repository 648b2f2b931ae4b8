"""The HTTP server of a process: uvicorn's, which says when it is asked to stop."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from service_runtime.signals import wait


class Server(uvicorn.Server):
    """Calls `on_stop` before it waits for the answers at hand, so that streams can end by themselves."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._asked_to_stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called for SIGTERM and SIGINT, between any two steps of the program."""
        super().handle_exit(sig, frame)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._asked_to_stop.set)

    async def main_loop(self) -> None:
        """Until asked to stop; uvicorn's own wakes ten times a second to see whether it was."""
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # 0: with the date that answers carry, in seconds
            await wait(self._asked_to_stop, 1.0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, answer those at hand, then end the application."""
        self._on_stop()
        await super().shutdown(sockets)
