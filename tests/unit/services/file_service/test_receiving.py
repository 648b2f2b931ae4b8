"""How files are taken from a request: when there is room, whole or not at all, under names that can be stored."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO
from types import SimpleNamespace

import httpx
import pytest
from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from services.file_service.receiving import ReceivedFile, _storable, _ToDisk, fingerprint
from services.file_service.receiving import received as received_of
from services.file_service.settings import Settings
from services.file_service.spool import MAX_FILES, MAX_REQUEST_BYTES, Spool
from tests.integration.documents import archive


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


SENT = httpx.Request("POST", "http://files", files=[("files", (name, b"An essay")) for name in ("a.txt", "b.txt")])
BODY = SENT.read()
SILENCE_SECONDS = Settings.model_fields["upload_silence_seconds"].default


def message(body: bytes, *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def a_request(
    spool: Spool,
    until_answered: AsyncExitStack,
    *,
    receive: Receive | None = None,
    sent: httpx.Request = SENT,
    chunked: bool = False,
    silence_seconds: float = SILENCE_SECONDS,
) -> Request:
    """An upload, which comes whole or as `receive` says."""

    async def whole() -> Message:
        return message(sent.read())

    left_out = {b"content-length"} if chunked else set()
    settings = SimpleNamespace(upload_silence_seconds=silence_seconds)
    scope = {
        "type": "http",
        "headers": [(name.lower(), value) for name, value in sent.headers.raw if name.lower() not in left_out],
        "app": SimpleNamespace(state=SimpleNamespace(spool=spool, settings=settings)),
        "state": {"until_answered": until_answered},
    }
    return Request(scope, receive or whole)


async def test_an_upload_takes_as_much_room_as_it_announces_until_it_is_answered() -> None:
    spool = Spool(1, MAX_REQUEST_BYTES - 1, 0.0)
    async with AsyncExitStack() as until_answered, AsyncExitStack() as other:
        file, _ = await received_of(a_request(spool, until_answered))

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


async def test_nothing_is_read_of_an_upload_that_finds_no_room() -> None:
    async def receive() -> Message:
        pytest.fail("a body that is read lies in memory")

    async with AsyncExitStack() as until_answered:
        with pytest.raises(HTTPException, match="503"):
            await received_of(a_request(Spool(1, len(BODY) - 1, 0.0), until_answered, receive=receive))


async def test_who_is_silent_in_the_middle_of_an_upload_is_told_so_and_makes_room() -> None:
    spool, parts = Spool(1, MAX_REQUEST_BYTES, 0.0), [message(BODY[:100], more=True)]

    async def receive() -> Message:
        return parts.pop() if parts else await asyncio.Future()

    async with AsyncExitStack() as until_answered, asyncio.timeout(60):
        with pytest.raises(HTTPException, match=r"408: nothing came for 0\.01 s; send the same again"):
            await received_of(a_request(spool, until_answered, receive=receive, silence_seconds=0.01))
    async with AsyncExitStack() as until_answered:
        assert await received_of(a_request(spool, until_answered))


async def test_who_sends_slowly_but_is_never_silent_for_too_long_is_heard_to_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, passed, parts = asyncio.get_running_loop(), 0.0, [BODY[at : at + 40] for at in range(0, len(BODY), 40)]
    clock = loop.time
    monkeypatch.setattr(loop, "time", lambda: clock() + passed)

    async def receive() -> Message:
        nonlocal passed
        passed += 0.9 * SILENCE_SECONDS
        await asyncio.sleep(0)  # Timers that are due go off.
        return message(parts.pop(0), more=len(parts) > 0)

    async with AsyncExitStack() as until_answered:
        files = await received_of(a_request(Spool(1, len(BODY), 0.0), until_answered, receive=receive))

        assert [(each.name, await each.data()) for each in files] == [("a.txt", b"An essay"), ("b.txt", b"An essay")]


async def test_of_who_hangs_up_nothing_is_taken_and_their_room_is_free() -> None:
    spool, parts = Spool(1, MAX_REQUEST_BYTES, 0.0), [{"type": "http.disconnect"}, message(BODY[:-1], more=True)]

    async def receive() -> Message:
        return parts.pop()

    with pytest.raises(ClientDisconnect):
        async with AsyncExitStack() as until_answered:
            await received_of(a_request(spool, until_answered, receive=receive))
    async with AsyncExitStack() as until_answered:
        assert await received_of(a_request(spool, until_answered))


@pytest.mark.parametrize("cut", [4, 60, 200], ids=["in the last boundary", "in the second file", "in the first"])
async def test_a_body_that_ends_within_a_file_is_refused_and_not_taken_without_it(cut: int) -> None:
    async def receive() -> Message:
        return message(BODY[:-cut])

    async with AsyncExitStack() as until_answered:
        with pytest.raises(HTTPException, match="400: the body ends before its last boundary, so a file is cut"):
            await received_of(a_request(Spool(1, len(BODY), 0.0), until_answered, receive=receive))


async def test_what_is_not_multipart_inside_is_refused() -> None:
    async def receive() -> Message:
        return message(b"An essay")

    async with AsyncExitStack() as until_answered:
        with pytest.raises(HTTPException, match="400: Invalid multipart data"):
            await received_of(a_request(Spool(1, len(BODY), 0.0), until_answered, receive=receive))


async def test_the_files_of_all_archives_count_together() -> None:
    packed = archive({f"{number}.txt": b"" for number in range(MAX_FILES // 2 + 1)})
    sent = httpx.Request("POST", "http://files", files=[("files", (name, packed)) for name in ("a.zip", "b.zip")])

    async with AsyncExitStack() as until_answered:
        with pytest.raises(HTTPException, match="422: files: these are 502 files, 500 are allowed"):
            await received_of(a_request(Spool(1, MAX_REQUEST_BYTES, 0.0), until_answered, sent=sent))


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
