"""What a file is shows in its bytes, and every file becomes a clean text or a failure that a teacher understands."""

import pickle
import unicodedata
from collections.abc import Callable

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.extraction import ExtractionFailed, essay_text, extract_text, validated
from tests.integration.documents import archive, opendocument, rich_text

OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(1000)


def failure(data: bytes) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        essay_text(data)
    assert caught.value.detail.endswith(".")
    return caught.value


def test_all_kinds_of_file_give_the_same_text(
    essay: str, word_file: Callable[..., bytes], pdf_file: Callable[..., bytes]
) -> None:
    files = (essay.encode(), word_file(essay), opendocument(essay), rich_text(essay), pdf_file(essay))

    assert {essay_text(data) for data in files} == {essay}


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


HEIC = b"\0\0\0\x24ftypheic" + bytes(range(256)) * 4
OTHERS = {
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, "type the essay anew"),
    "photo": (HEIC, "type the essay anew"),
    "exe": (b"MZ" + bytes(range(256)) * 4, "OpenDocument"),
    "gzip": (b"\x1f\x8b\x08" + bytes(range(1, 256)) * 4, "Unpack it"),
    "empty zip": (b"PK\x05\x06" + bytes(18), "Unpack it"),
    "old doc": (OLE, "save it as Word document (.docx)"),
    "zip": (archive({"essay.txt": b"An essay inside an archive inside an archive."}), "Unpack it"),
    "xlsx": (archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}), "OpenDocument"),
    "ods": (archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}), "OpenDocument"),
    "epub": (archive({"mimetype": b"application/epub+zip", "content.xml": b"<a/>"}), "OpenDocument"),
    "pages": (archive({"Index/Document.iwa": b"", "preview.jpg": b""}), "Export To"),
    "html": (b"\n<!DOCTYPE html><html><body>An essay saved from a browser.</body></html>", "web page"),
    "flat odt": (b'\xef\xbb\xbf<?xml version="1.0"?><office:document>An essay</office:document>', "web page"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_kinds_of_file_are_named_as_such_with_the_way_out(kind: str) -> None:
    data, way_out = OTHERS[kind]

    failed = failure(data)

    assert failed.code is FileErrorCode.FILE_TYPE_UNSUPPORTED
    assert way_out in failed.detail


def test_a_word_document_with_a_password_is_named_as_such() -> None:
    failed = failure(OLE + "EncryptedPackage".encode("utf-16-le") + bytes(500))

    assert failed.code is FileErrorCode.ENCRYPTED_FILE_UNSUPPORTED
    assert "without a password" in failed.detail


@pytest.mark.parametrize("kind", ["word", "opendocument", "rtf", "pdf"])
def test_half_a_document_is_damaged(
    kind: str, essay: str, word_file: Callable[..., bytes], pdf_file: Callable[..., bytes]
) -> None:
    make = {"word": word_file, "opendocument": opendocument, "rtf": rich_text, "pdf": pdf_file}[kind]
    whole = make(essay)

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
