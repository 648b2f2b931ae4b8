"""PDF documents give their text, or are named as locked, scanned or too long."""

from collections.abc import Callable

import pytest
from common_core.status_enums import FileErrorCode
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, NumberObject

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


def with_pictures(writer: PdfWriter) -> None:
    picture = DictionaryObject(
        {NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Image")}
    )
    for page in writer.pages:
        page[NameObject("/Resources")][NameObject("/XObject")] = DictionaryObject({NameObject("/Im0"): picture})


def test_pages_that_name_only_the_program_that_scanned_them_seem_to_be_scanned(pdf_file: PdfFile) -> None:
    pages = [f"Scanned with CamScanner\n{number}" for number in range(1, 6)]

    assert "scanned" in failure(pdf_file(*pages, change=with_pictures)).detail
    assert extract_text(pdf_file(*pages)).startswith("Scanned with"), "without pictures this is all there is"


def test_an_essay_with_a_picture_is_not_scanned(pdf_file: PdfFile) -> None:
    text = "An essay of one line with a picture beside it, and nothing else."

    assert extract_text(pdf_file(text, change=with_pictures)) == text


def placed(*texts: tuple[int, int, str]) -> Callable[[PdfWriter], None]:
    """Puts texts on the first page at their places, in this order, with ligatures as signs 1 to 4 of the font."""
    signs = ArrayObject([NumberObject(1), *(NameObject(name) for name in ("/fi", "/fl", "/ff", "/ffi"))])
    names = {NameObject("/BaseEncoding"): NameObject("/WinAnsiEncoding"), NameObject("/Differences"): signs}

    def change(writer: PdfWriter) -> None:
        page = writer.pages[0]
        page["/Resources"]["/Font"]["/F1"][NameObject("/Encoding")] = DictionaryObject(names)
        content = DecodedStreamObject()
        lines = [f"BT /F1 12 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET" for x, y, text in texts]
        content.set_data("\n".join(lines).encode("cp1252"))
        page[NameObject("/Contents")] = writer._add_object(content)

    return change


def test_columns_are_read_one_after_the_other_as_they_were_written(pdf_file: PdfFile) -> None:
    columns = placed(
        (50, 800, "A title"), (50, 780, "Left"), (50, 766, "below"), (300, 780, "Right"), (300, 766, "end")
    )

    assert extract_text(pdf_file("", change=columns)) == "A title\nLeft\nbelow\nRight\nend"


def test_ligatures_are_read_as_their_letters(pdf_file: PdfFile) -> None:
    ligatures = placed((50, 800, "\1ne \2ow o\3 o\4ce"))

    assert extract_text(pdf_file("", change=ligatures)) == "fine flow off office"


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        ("en foto-\ngrafi av", "en fotografi\nav"),
        ("foto-\ngrafi", "fotografi"),
        ("soft\xad\nly said", "softly\nsaid"),
        ("av Anna-\nLena Berg-\nSvensson och", "av Anna-Lena\nBerg-Svensson\noch"),
        ("för-\noch nackdelar", "för-\noch nackdelar"),
        ("asa.berg-\nek@example.org", "asa.berg-\nek@example.org"),
        ("1914-\n1918", "1914-\n1918"),
        ("a dash -\nand more", "a dash -\nand more"),
        ("the EU-\nCommission", "the EU-\nCommission"),
        ("a very-\nvery-\nlong word", "a veryverylong\nword"),
    ],
)
def test_a_word_divided_at_the_end_of_a_line_is_put_together(printed: str, read: str, pdf_file: PdfFile) -> None:
    assert extract_text(pdf_file(printed)) == read


def test_a_book_is_too_long(pdf_file: PdfFile) -> None:
    failed = failure(pdf_file(*["page"] * 501))

    assert failed.code is FileErrorCode.CONTENT_TOO_LONG
    assert "501 pages" in failed.detail


def test_a_page_that_is_huge_when_unpacked_is_refused(pdf_file: PdfFile) -> None:
    bomb = pdf_file("word " * 20_000_000)

    assert len(bomb) < 1_000_000
    assert failure(bomb).code is FileErrorCode.TEXT_EXTRACTION_FAILED
