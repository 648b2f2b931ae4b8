"""OpenDocument texts give what a reader of the printed page sees, wherever on the page it stands."""

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.extraction import ExtractionFailed, extract_text
from tests.integration.documents import NAMESPACES, archive, opendocument

BOX = "<draw:frame><draw:text-box><text:p>Åsa Öström</text:p></draw:text-box><svg:desc>A box</svg:desc></draw:frame>"


def code_of(data: bytes) -> FileErrorCode:
    with pytest.raises(ExtractionFailed) as caught:
        extract_text(data)
    return caught.value.code


def test_the_header_comes_first_and_the_footer_last_and_each_once() -> None:
    margins = (
        "<style:header><text:p>Åsa Öström</text:p></style:header><style:footer><text:p>The end</text:p></style:footer>"
        "<style:header-first><text:p>Åsa Öström</text:p></style:header-first>"
    )

    assert extract_text(opendocument("The essay.", header=margins)) == "Åsa Öström\nThe essay.\nThe end"


def test_a_table_row_of_short_cells_is_one_line() -> None:
    cells = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in ("Namn:", "Åsa Öström"))
    long = "<table:table-cell><text:p>Two</text:p><text:p>lines</text:p></table:table-cell>"
    rows = f"<table:table-row>{cells}</table:table-row><table:table-row>{long}{cells}</table:table-row>"

    text = extract_text(opendocument("The essay.", more=f"<table:table>{rows}</table:table>"))

    assert text == "Namn:\tÅsa Öström\nTwo\nlines\nNamn:\nÅsa Öström\nThe essay."


def test_a_text_box_is_read_after_its_paragraph() -> None:
    assert extract_text(opendocument("The essay.", more=f"<text:p>Anc{BOX}hor</text:p>")) == (
        "Anchor\nÅsa Öström\nThe essay."
    )


def test_tracked_changes_count_as_accepted_and_comments_and_footnotes_are_not_read() -> None:
    changes = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
        "<text:p>Kept <text:change-start/>added<text:change-end/><text:change/>"
        "<office:annotation><text:p>a comment</text:p></office:annotation>, and"
        "<text:note><text:note-body><text:p>a note</text:p></text:note-body></text:note> more</text:p>"
    )

    assert extract_text(opendocument("The essay.", more=changes)) == "Kept added, and more\nThe essay."


def test_white_space_counts_as_it_does_on_the_page() -> None:
    spaced = (
        "<text:p>\n  <text:span>Åsa</text:span> <text:span>Öström</text:span><text:tab/>SV1<text:line-break/>"
        '<text:a>asa@example.org</text:a><text:s text:c="3"/>2026\n  <text:s text:c="999999999"/></text:p>'
    )

    assert extract_text(opendocument("The essay.", more=spaced)) == (
        "Åsa Öström\tSV1\nasa@example.org   2026\nThe essay."
    )


@pytest.mark.parametrize("of_its_time", ["each part", "all in one"])
def test_a_document_with_a_password_is_named_as_such(of_its_time: str) -> None:
    locked = opendocument("The essay.", manifest="<manifest:encryption-data xmlns:manifest='urn'/>")
    if of_its_time == "all in one":
        locked = archive({"mimetype": b"application/vnd.oasis.opendocument.text", "encrypted-package": b"?"})

    assert code_of(locked) is FileErrorCode.ENCRYPTED_FILE_UNSUPPORTED


def test_a_document_that_is_huge_when_unpacked_is_refused_before_unpacking() -> None:
    bomb = opendocument(" " * 30_000_000)

    assert len(bomb) < 100_000
    assert code_of(bomb) is FileErrorCode.FILE_TOO_LARGE


@pytest.mark.parametrize("more", ["<text:p>", "<text:list>" * 400 + "</text:list>" * 400], ids=["open", "deep"])
def test_broken_xml_is_a_damaged_document(more: str) -> None:
    assert code_of(opendocument("The essay.", more=more)) is FileErrorCode.TEXT_EXTRACTION_FAILED


def test_no_entity_is_read_into_a_document() -> None:
    parts = {"mimetype": b"application/vnd.oasis.opendocument.text"}
    parts["content.xml"] = (
        f'<!DOCTYPE d [<!ENTITY s SYSTEM "file:///etc/hostname"><!ENTITY t "typed">]>'
        f"<office:d {NAMESPACES}><office:text><text:p>A &s;&t; text</text:p></office:text></office:d>"
    ).encode()

    assert extract_text(archive(parts)) == "A  text"
