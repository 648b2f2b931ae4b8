"""What a file is shows in its bytes, and every file becomes a clean text or a failure that a teacher understands."""

import io
import pickle
import unicodedata
import zipfile
from collections.abc import Callable

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.extraction import ExtractionFailed, essay_text, extract_text, validated

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)


def failure(data: bytes) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        essay_text(data)
    assert caught.value.detail.endswith(".")
    return caught.value


def archive(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return file.getvalue()


def test_all_kinds_of_file_give_the_same_text(
    essay: str, word_file: Callable[..., bytes], pdf_file: Callable[..., bytes]
) -> None:
    assert essay_text(essay.encode()) == essay_text(word_file(essay)) == essay_text(pdf_file(essay)) == essay


@pytest.mark.parametrize("data", [b"", b"   \r\n\t ", b"\xef\xbb\xbf", "\u200b\n\xa0".encode()])
def test_a_file_without_anything_to_read_is_empty(data: bytes) -> None:
    assert failure(data).code is FileErrorCode.EMPTY_CONTENT


def test_a_word_document_without_text_is_empty(word_file: Callable[..., bytes]) -> None:
    assert failure(word_file("")).code is FileErrorCode.EMPTY_CONTENT


@pytest.mark.parametrize(("length", "code"), [(49, "content_too_short"), (50_001, "content_too_long")])
def test_a_text_must_be_as_long_as_essays_are(length: int, code: str) -> None:
    assert failure(b"\n " + b"a" * length + b" \n").code == code


@pytest.mark.parametrize("length", [50, 50_000])
def test_the_limits_themselves_are_allowed_and_count_characters_not_bytes(length: int) -> None:
    assert essay_text(("å" * length).encode()) == "å" * length


def test_validation_takes_away_the_white_space_around() -> None:
    assert validated("\n  " + "word " * 20 + "\n") == ("word " * 20).strip()


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
        b"MZ" + bytes(range(256)) * 4,
        b"\x1f\x8b\x08" + bytes(range(1, 256)) * 4,
        b"PK\x05\x06" + bytes(18),
        OLE,
        rb"{\rtf1\ansi An essay that a word processor wrote, in a format nobody asked for.}",
        archive(**{"essay.txt": "An essay inside an archive, which is not looked into."}),
        archive(**{"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}),
        archive(**{"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": "<office/>"}),
    ],
    ids=["png", "exe", "gzip", "empty zip", "old doc", "rtf", "zip", "xlsx", "odt"],
)
def test_other_kinds_of_file_are_named_as_such(data: bytes) -> None:
    assert failure(data).code is FileErrorCode.FILE_TYPE_UNSUPPORTED


def test_a_word_document_with_a_password_is_named_as_such() -> None:
    failed = failure(OLE + "EncryptedPackage".encode("utf-16-le") + bytes(500))

    assert failed.code is FileErrorCode.ENCRYPTED_FILE_UNSUPPORTED
    assert "without a password" in failed.detail


@pytest.mark.parametrize("kind", ["word", "pdf"])
def test_half_a_document_is_damaged(kind: str, word_file: Callable[..., bytes], pdf_file: Callable[..., bytes]) -> None:
    whole = word_file() if kind == "word" else pdf_file("An essay")

    failed = failure(whole[: len(whole) // 3])

    assert failed.code is FileErrorCode.TEXT_EXTRACTION_FAILED
    assert "damaged" in failed.detail


def test_the_text_can_be_stored_compared_and_read_line_by_line() -> None:
    decomposed = unicodedata.normalize("NFD", "Åsa Öström")
    raw = f"\ufeff{decomposed}  \r\nasa@example.org\r\r\nA stray \0 and \x1b, a soft\xadhyphen, ﬁne ﬂow.\u2028End"

    assert extract_text(raw.encode()) == "Åsa Öström\nasa@example.org\n\nA stray  and , a softhyphen, fine flow.\nEnd"


def test_lone_surrogates_do_not_reach_the_database() -> None:
    extract_text("An essay with half a sign \ud83d in it".encode("utf-16", "surrogatepass")).encode()


def test_a_failure_survives_the_way_between_processes() -> None:
    failed = pickle.loads(pickle.dumps(failure(b"")))  # noqa: S301  # Our own bytes.

    assert (failed.code, failed.detail) == (FileErrorCode.EMPTY_CONTENT, failure(b"").detail)
