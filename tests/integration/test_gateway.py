"""The gateway in front of services: every answer comes through, whoever of the service's processes gives it."""

import asyncio
from contextlib import AsyncExitStack

import pytest
import typer
from local_stack import free_port
from scriptorium.gateway import Target, serve, target

HOST = "127.0.0.1"


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A service that answers when the question is complete."""
    writer.write(b"heard: " + await reader.read())
    writer.close()


async def ask(port: int, question: bytes) -> bytes:
    """The whole answer; nothing when the connection is closed without one."""
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(question)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_questions_and_answers_of_any_length_come_through() -> None:
    front, behind = free_port(), free_port()
    async with AsyncExitStack() as servers:
        await servers.enter_async_context(await asyncio.start_server(echo, HOST, behind))
        await servers.enter_async_context(await serve(Target(front, HOST, behind), HOST))

        assert await ask(front, b"") == b"heard: "
        assert await ask(front, b"x" * 1_000_000) == b"heard: " + b"x" * 1_000_000


async def test_without_a_service_the_connection_is_closed_and_the_next_one_served() -> None:
    front, behind = free_port(), free_port()
    async with await serve(Target(front, HOST, behind), HOST):
        assert await ask(front, b"is anybody there?") == b""

        async with await asyncio.start_server(echo, HOST, behind):
            assert await ask(front, b"and now?") == b"heard: and now?"


def test_a_target_is_read_or_explained() -> None:
    assert target("8001=orchestrator:8000") == Target(8001, "orchestrator", 8000)
    with pytest.raises(typer.BadParameter, match="8001=orchestrator:8000"):
        target("8001:8000")
