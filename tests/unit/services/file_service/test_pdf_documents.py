"""PDF documents give their text, or are named as locked, scanned or too long."""

from collections.abc import Callable

import pytest
from common_core.status_enums import FileErrorCode
from pypdf import PdfWriter

from services.file_service.extraction import ExtractionFailed, extract_text

PdfFile = Callable[..., bytes]


def failure(data: bytes) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        extract_text(data)
    return caught.value


def test_all_pages_are_read_line_by_line(pdf_file: PdfFile) -> None:
    assert (
        extract_text(pdf_file("Åsa Öström\nasa@example.org", "Second page"))
        == "Åsa Öström\nasa@example.org\nSecond page"
    )


def test_bytes_before_the_document_do_not_hide_it(pdf_file: PdfFile) -> None:
    assert extract_text(b"\r\n \xef\xbb\xbf" + pdf_file("The essay")) == "The essay"


def test_a_document_with_a_password_is_named_as_such(pdf_file: PdfFile) -> None:
    def lock(writer: PdfWriter) -> None:
        writer.encrypt("secret", algorithm="AES-256")

    failed = failure(pdf_file("The essay", change=lock))

    assert failed.code is FileErrorCode.ENCRYPTED_FILE_UNSUPPORTED
    assert "without a password" in failed.detail


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_document_that_only_forbids_changes_is_read(algorithm: str, pdf_file: PdfFile) -> None:
    def protect(writer: PdfWriter) -> None:
        writer.encrypt("", "owner", algorithm=algorithm)

    assert extract_text(pdf_file("The essay", change=protect)) == "The essay"


def test_pages_without_text_seem_to_be_scanned(pdf_file: PdfFile) -> None:
    failed = failure(pdf_file("", ""))

    assert failed.code is FileErrorCode.TEXT_EXTRACTION_FAILED
    assert "scanned" in failed.detail


def test_a_book_is_too_long(pdf_file: PdfFile) -> None:
    failed = failure(pdf_file(*["page"] * 501))

    assert failed.code is FileErrorCode.CONTENT_TOO_LONG
    assert "501 pages" in failed.detail


def test_a_page_that_is_huge_when_unpacked_is_refused(pdf_file: PdfFile) -> None:
    bomb = pdf_file("word " * 20_000_000)

    assert len(bomb) < 1_000_000
    assert failure(bomb).code is FileErrorCode.TEXT_EXTRACTION_FAILED
