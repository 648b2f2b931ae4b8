"""Room for uploads is counted in requests and in bytes, and given back."""

import pytest
from fastapi import HTTPException

from services.file_service.spool import Spool


def has_room(spool: Spool, size: int) -> bool:
    try:
        with spool.room(size):
            return True
    except HTTPException:
        return False


def test_so_many_requests_have_room_at_the_same_time() -> None:
    spool = Spool(2, 100)

    with spool.room(1), spool.room(1):
        assert not has_room(spool, 1)
    assert has_room(spool, 1)


def test_who_finds_no_room_is_told_when_to_come_again() -> None:
    with pytest.raises(HTTPException) as refused, Spool(1, 100).room(101):
        pass

    assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "5"})


def test_so_many_bytes_have_room_at_the_same_time() -> None:
    spool = Spool(9, 100)

    with spool.room(60):
        assert not has_room(spool, 41)
        assert has_room(spool, 40)
    assert has_room(spool, 100)


def test_a_request_that_fails_gives_its_room_back() -> None:
    spool = Spool(1, 100)
    with pytest.raises(ValueError, match="cut"), spool.room(100):
        raise ValueError("cut")

    assert has_room(spool, 100)
