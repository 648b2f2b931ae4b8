"""Fixtures of the tests on real Kafka and real PostgreSQL; `stack` alone decides where those come from."""

import logging
import os
from collections.abc import AsyncIterator, Iterator

import pytest
import service_runtime.logging
from local_stack import LocalStack
from service_runtime.testing import Running

from tests.integration import notebook
from tests.integration.containers import Containers
from tests.integration.stacks import Stack
from tests.integration.world import Database, RealParts, World

# A failing test shows what went wrong, as it would stand in production's log, not every message.
service_runtime.logging.configure("tests", "WARNING")
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The local stack; with TEST_STACK=containers what testcontainers starts."""
    with Containers() if os.environ.get("TEST_STACK") == "containers" else LocalStack() as started:
        yield started


@pytest.fixture(scope="session")
def parts(stack: Stack) -> RealParts:
    return RealParts(stack)


@pytest.fixture
async def world(parts: RealParts) -> AsyncIterator[World]:
    async with World.opened(parts) as opened:
        yield opened


@pytest.fixture(scope="module")
async def shared_world(parts: RealParts) -> AsyncIterator[World]:
    """For files whose tests do not disturb each other: one world for all of them."""
    async with World.opened(parts) as opened:
        yield opened


@pytest.fixture
async def database(world: World) -> Database:
    """The notebook's."""
    return await world.database(notebook.service, notebook.TABLES)


@pytest.fixture(name="notebook")
async def _notebook(world: World) -> Running:
    """The notebook, at work."""
    return await world.run(notebook.service, notebook.TABLES)


@pytest.fixture(autouse=True)
def _no_trouble() -> Iterator[None]:
    yield
    notebook.trouble.clear()
