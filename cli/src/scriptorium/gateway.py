"""Fixed ports in front of services whose number and addresses change: connections are passed on as they are."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, closing, suppress
from typing import NamedTuple

import typer

CONNECT_SECONDS = 3.0
CHUNK = 65_536


class Target(NamedTuple):
    """A port to listen on, and the service behind it; its host name may stand for several processes."""

    port: int
    service: str
    service_port: int


def target(text: str) -> Target:
    """Read `8001=orchestrator:8000`."""
    port, _, address = text.partition("=")
    service, _, service_port = address.rpartition(":")
    if not (port.isdecimal() and service and service_port.isdecimal()):
        raise typer.BadParameter(f"{text} is not PORT=HOST:PORT, such as 8001=orchestrator:8000")
    return Target(int(port), service, int(service_port))


async def pass_on(targets: Sequence[Target], host: str) -> None:
    """Listen until cancelled."""
    async with AsyncExitStack() as servers:
        for each in targets:
            await servers.enter_async_context(await serve(each, host))
        await asyncio.Event().wait()


async def serve(behind: Target, host: str) -> asyncio.Server:
    """One port; each connection goes to one process of the service, or is closed when none takes it within 3 s."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError):
            # The name is resolved anew each time, in changing order; an address that refuses is followed by the next.
            async with asyncio.timeout(CONNECT_SECONDS):
                answers, questions = await asyncio.open_connection(behind.service, behind.service_port)
            with closing(questions):
                async with asyncio.TaskGroup() as group:
                    asking = group.create_task(_copy(reader, questions))
                    await _copy(answers, writer)
                    asking.cancel()

    return await asyncio.start_server(connected, host, behind.port)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()
