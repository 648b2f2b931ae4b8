"""Rich text gives what a reader of the printed page sees, whichever program wrote it."""

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.extraction import ExtractionFailed, extract_text
from tests.integration.documents import rich_text

BOX = r"{\shp{\*\shpinst\shpleft1{\sp{\sn shapeType}{\sv 202}}{\shptxt \pard Åsa\par}}{\shprslt{\*\do old}}}"


def read(before: str) -> str:
    return extract_text(rich_text("The essay.", before=before.replace("Å", r"\'c5")))


def failure(data: bytes) -> ExtractionFailed:
    with pytest.raises(ExtractionFailed) as caught:
        extract_text(data)
    return caught.value


@pytest.mark.parametrize("word", ["header", "headerl", "headerf", "footer", "footerr"])
def test_headers_and_footers_are_read(word: str) -> None:
    assert read(rf"\headery708{{\{word} \pard Åsa Berg\par}}") == "Åsa Berg\nThe essay."


def test_a_table_row_is_one_line() -> None:
    row = r"\trowd\cellx100\cellx200\pard\intbl Namn:\cell Åsa Berg\cell\row "

    assert read(row) == "Namn:\tÅsa Berg\nThe essay."


def test_a_text_box_is_read_once() -> None:
    assert read(rf"\pard Anchor{BOX}\par ") == "Anchor\nÅsa\n\nThe essay."


def test_tracked_changes_count_as_accepted_and_footnotes_and_comments_are_not_read() -> None:
    changes = r"Kept {\revised\revauth1 added}{\deleted\revauthdel1 deleted}{\footnote a note}{\*\annotation a comment}"

    assert read(changes + r"{\deleted0 , too}\par ") == "Kept added, too\nThe essay."


def test_pictures_properties_and_embedded_files_are_not_read() -> None:
    hidden = r"{\info{\author Someone Else}{\title A title}}{\*\generator A program;}{\colortbl;\red0\green0\blue0;}"
    picture = r"{\pict{\*\picprop{\sp{\sn a}{\sv b}}}\pngblip\picw100 " + "89504e47" * 400_000 + "}"

    assert read(hidden + picture + r"{\pict\bin5 a}b}c}") == "The essay."


def test_escaped_signs_stay_and_are_no_control_words() -> None:
    assert read(r"\{a\} b\\cell \\header c\par ") == "{a} b\\cell \\header c\nThe essay."


def test_links_are_read_as_their_text() -> None:
    link = r'{\field{\*\fldinst{HYPERLINK "mailto:asa@example.org"}}{\fldrslt{asa@example.org}}}'

    assert read(link + r"\par ") == "asa@example.org\nThe essay."


def test_unicode_reaches_beyond_16_bits_and_replaces_its_substitute() -> None:
    assert read(r"\uc1\u346?asa \u-10179?\u-8704? {\uc0\u197 sa}\par ") == "Śasa 😀 Åsa\nThe essay."


def test_a_text_as_the_mac_writes_it_is_read() -> None:
    fonts = rb"{\fonttbl\f0\fswiss\fcharset0 Helvetica;\f1 A\'e5;}"
    lines = [rb"{\rtf1\ansi\ansicpg1252\cocoartf2761", fonts, rb"\pard\f0\fs24 \uc0 \'c5sa \'d6str\'f6m" + b"\\"]
    mac = b"\n".join([*lines, rb"I g\'e5r \u246 ver \'94m\'e5nga\'94 \f1 sj\'f6ar.}"])

    assert extract_text(mac) == "Åsa Öström\nI går över ”många” sjöar."


def test_a_document_too_large_without_its_pictures_is_refused() -> None:
    assert failure(rich_text("word " * 500_000)).code is FileErrorCode.FILE_TOO_LARGE


@pytest.mark.parametrize(
    "broken",
    [r"\u999999999 ", r"\uc "],
    ids=["no such sign", "no number"],
)
def test_what_cannot_be_read_is_a_damaged_document(broken: str) -> None:
    failed = failure(rich_text("The essay.", before=broken))

    assert failed.code is FileErrorCode.TEXT_EXTRACTION_FAILED
    assert "RTF document" in failed.detail
