"""Room for uploads is counted in requests and in bytes, and given back."""

import asyncio
import resource
from contextlib import AsyncExitStack

import pytest
from fastapi import HTTPException

from services.file_service.spool import MAX_FILES, Spool


async def has_room(spool: Spool, size: int) -> bool:
    try:
        async with spool.room(size):
            return True
    except HTTPException:
        return False


async def test_so_many_requests_have_room_at_the_same_time() -> None:
    spool = Spool(2, 100, 0.0)

    async with spool.room(1), spool.room(1):
        assert not await has_room(spool, 1)
    assert await has_room(spool, 1)


async def test_who_finds_no_room_is_told_when_to_come_again() -> None:
    with pytest.raises(HTTPException) as refused:
        async with Spool(1, 100, 0.0).room(101):
            pass

    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "5"})


async def test_so_many_bytes_have_room_at_the_same_time() -> None:
    spool = Spool(9, 100, 0.0)

    async with spool.room(60):
        assert not await has_room(spool, 41)
        assert await has_room(spool, 40)
    assert await has_room(spool, 100)


async def test_a_request_that_fails_gives_its_room_back() -> None:
    spool = Spool(1, 100, 0.0)
    with pytest.raises(ValueError, match="cut"):
        async with spool.room(100):
            raise ValueError("cut")

    assert await has_room(spool, 100)


async def test_who_finds_no_room_has_it_when_another_is_done() -> None:
    spool = Spool(1, 100, 60.0)
    async with spool.room(100):
        waiting = asyncio.create_task(has_room(spool, 1))
        await asyncio.sleep(0)
        assert not waiting.done()

    assert await waiting


async def test_who_needs_more_than_was_given_back_waits_on() -> None:
    spool = Spool(9, 100, 60.0)
    async with AsyncExitStack() as first:
        async with AsyncExitStack() as second:
            await first.enter_async_context(spool.room(60))
            await second.enter_async_context(spool.room(40))
            waiting = asyncio.create_task(has_room(spool, 100))
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not waiting.done()

    assert await waiting


def test_all_files_of_all_requests_may_be_open_at_the_same_time() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1_024), hard))
    try:
        Spool(3, 100, 0.0)
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert allowed > 3 * MAX_FILES or allowed == hard
