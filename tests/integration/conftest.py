"""Fixtures of the tests on real Kafka and real PostgreSQL; `stack` alone decides where those come from."""

from collections.abc import AsyncIterator, Iterator

import pytest
from local_stack import LocalStack

from tests.integration.world import RealParts, World


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    with LocalStack() as started:
        yield started


@pytest.fixture(scope="session")
def parts(stack: LocalStack) -> RealParts:
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
