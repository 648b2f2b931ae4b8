"""The HTTP server of a process: uvicorn's, which says when it is asked to stop."""

import socket
from collections.abc import Callable

import uvicorn


class Server(uvicorn.Server):
    """Calls `on_stop` before it waits for the answers at hand, so that streams can end by themselves."""

    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more requests, answer those at hand, then end the application."""
        self._on_stop()
        await super().shutdown(sockets)
