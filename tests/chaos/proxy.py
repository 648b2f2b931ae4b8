"""A TCP proxy that can break the connections that go through it, the way networks do."""

import asyncio
import socket
import struct
from contextlib import suppress
from enum import StrEnum
from random import Random


class Cut(StrEnum):
    """How connections are broken."""

    RESET = "reset"
    """All open connections are reset, new ones work."""
    REFUSE = "refuse"
    """All are reset, and new ones too."""
    HANG = "hang"
    """Nothing goes through in either direction; at the end the connections are gone, as after a network's failure."""
    FREEZE = "freeze"
    """Nothing goes through for a while, then everything comes late."""
    GHOST = "ghost"
    """The client's side is reset and the server does not notice, until the end."""
    SLOW = "slow"
    """Every piece comes late."""


_LINGER = struct.pack("ii", 1, 0)


class _Link:
    """One connection: the client's side and the server's."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.client = client
        self.server: asyncio.StreamWriter | None = None

    def reset(self, *, ghost: bool = False) -> None:
        """Break it with a reset; as a ghost only towards the client."""
        _abort(self.client)
        if self.server is not None and not ghost:
            _abort(self.server)


class Proxy:
    """Forwards a free port of 127.0.0.1 to another one."""

    def __init__(self, target: int, rng: Random) -> None:
        self._target = target
        self._rng = rng
        self._links: set[_Link] = set()
        self._mode: Cut | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._no_ghosts = asyncio.Event()
        self._no_ghosts.set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen, on the same port again after a stop."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse from now on and reset what is open."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.reset()

    async def cut(self, how: Cut, seconds: float) -> None:
        """Break the connections in this way for so long."""
        links = list(self._links)
        self._mode = how
        if how is Cut.GHOST:
            self._no_ghosts.clear()
        if how in (Cut.RESET, Cut.REFUSE, Cut.GHOST):
            for link in links:
                link.reset(ghost=how is Cut.GHOST)
        if how in (Cut.HANG, Cut.FREEZE):
            self._open.clear()
        if how is not Cut.RESET:
            await asyncio.sleep(seconds)
        self._mode = None
        if how in (Cut.HANG, Cut.GHOST):
            opened = [each for each in self._links if how is Cut.HANG or each.client.is_closing()]
            for link in {*links, *opened}:
                link.reset()
        self._no_ghosts.set()
        self._open.set()

    def carries(self, server_side_port: int) -> bool:
        """Whether the server sees this port as the other end of one of the connections."""
        ports = (link.server.get_extra_info("sockname") for link in self._links if link.server is not None)
        return any(port and port[1] == server_side_port for port in ports)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer)
        if self._mode is Cut.REFUSE:
            link.reset()
            return
        self._links.add(link)
        try:
            with suppress(OSError):
                await self._open.wait()
                server_reader, link.server = await asyncio.open_connection("127.0.0.1", self._target)
                there = asyncio.create_task(self._pump(reader, link.server))
                await self._pump(server_reader, writer)
                if self._mode is Cut.GHOST:
                    await there
                there.cancel()
        finally:
            await self._no_ghosts.wait()  # The server must not notice that the client is gone.
            link.reset()
            self._links.discard(link)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self._mode is Cut.SLOW:
                    await asyncio.sleep(self._rng.uniform(0.02, 0.2))
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        if self._mode is not Cut.GHOST:
            with suppress(OSError):
                writer.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, AttributeError):
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
    writer.transport.abort()
