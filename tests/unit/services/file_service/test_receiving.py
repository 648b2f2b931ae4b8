"""What makes two uploads the same, and which file names can be stored."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO
from types import SimpleNamespace

import httpx
import pytest
from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.types import Message

from services.file_service.receiving import ReceivedFile, _storable, _ToDisk, fingerprint
from services.file_service.receiving import received as received_of
from services.file_service.settings import Settings
from services.file_service.spool import MAX_REQUEST_BYTES, Spool


def received(name: str, digest: str) -> ReceivedFile:
    return ReceivedFile(name, 1, digest, UploadFile(BytesIO()).read)


ONE, OTHER = received("a.txt", "aa"), received("b.txt", "bb")


def test_the_same_names_and_contents_in_the_same_order_are_the_same_upload() -> None:
    assert fingerprint([ONE, OTHER]) == fingerprint([received("a.txt", "aa"), received("b.txt", "bb")])


@pytest.mark.parametrize(
    "other",
    [[ONE], [OTHER, ONE], [received("c.txt", "aa"), OTHER], [received("a.txt", "cc"), OTHER]],
    ids=["fewer files", "another order", "another name", "another content"],
)
def test_anything_else_is_another_upload(other: list[ReceivedFile]) -> None:
    assert fingerprint([ONE, OTHER]) != fingerprint(other)


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("Åsas uppsats.txt", "Åsas uppsats.txt"),
        ("A\u030asas uppsats.txt", "Åsas uppsats.txt"),
        ("сочинение 作文 مقال.docx", "сочинение 作文 مقال.docx"),
        ("a\x00b", "ab"),
        ("\ud800.txt", "?.txt"),
        ("x" * 300 + ".pdf", None),
    ],
    ids=["plain", "of a Mac", "any script", "NUL", "lone surrogate", "long"],
)
def test_a_file_name_is_kept_as_far_as_it_can_be_stored(name: str, stored: str | None) -> None:
    kept = _storable(name)

    assert kept == stored or (stored is None and len(kept) == 255 and kept.endswith(".pdf"))


def a_request(spool: Spool, until_answered: AsyncExitStack, *, chunked: bool = False) -> Request:
    """An upload of one file that has come whole."""
    sent = httpx.Request("POST", "http://files", files=[("files", ("a.txt", b"An essay"))])
    left_out = {b"content-length"} if chunked else set()

    async def receive() -> Message:
        return {"type": "http.request", "body": sent.read(), "more_body": False}

    settings = SimpleNamespace(upload_silence_seconds=Settings.model_fields["upload_silence_seconds"].default)
    scope = {
        "type": "http",
        "headers": [(name.lower(), value) for name, value in sent.headers.raw if name.lower() not in left_out],
        "app": SimpleNamespace(state=SimpleNamespace(spool=spool, settings=settings)),
        "state": {"until_answered": until_answered},
    }
    return Request(scope, receive)


async def test_an_upload_takes_as_much_room_as_it_announces_until_it_is_answered() -> None:
    spool = Spool(1, MAX_REQUEST_BYTES - 1, 0.0)
    async with AsyncExitStack() as until_answered, AsyncExitStack() as other:
        (file,) = await received_of(a_request(spool, until_answered))

        assert (file.name, await file.data()) == ("a.txt", b"An essay")
        with pytest.raises(HTTPException, match="503"):
            await received_of(a_request(spool, other))
    async with AsyncExitStack() as until_answered:
        assert await received_of(a_request(spool, until_answered))


async def test_an_upload_that_announces_nothing_takes_as_much_room_as_any_may() -> None:
    async with AsyncExitStack() as until_answered:
        with pytest.raises(HTTPException, match="503"):
            await received_of(a_request(Spool(1, MAX_REQUEST_BYTES - 1, 0.0), until_answered, chunked=True))
        assert await received_of(a_request(Spool(1, MAX_REQUEST_BYTES, 0.0), until_answered, chunked=True))


async def test_a_file_of_more_than_16_kilobytes_is_on_disk() -> None:
    sent = httpx.Request(
        "POST", "http://files", files=[("files", ("a", bytes(16_000))), ("files", ("b", bytes(17_000)))]
    )

    async def body() -> AsyncIterator[bytes]:
        yield sent.read()

    form = await _ToDisk(httpx.Headers(sent.headers), body()).parse()  # type: ignore[arg-type]  # It asks by name only.

    small, large = (part for part in form.getlist("files") if isinstance(part, UploadFile))
    assert (small._in_memory, large._in_memory) == (True, False)
    await form.close()
