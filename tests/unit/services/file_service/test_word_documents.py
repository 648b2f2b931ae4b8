"""Word documents give what a reader of the printed page sees, wherever on the page it stands."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from common_core.status_enums import FileErrorCode
from docx.document import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from services.file_service.extraction import ExtractionFailed, extract_text

WordFile = Callable[..., bytes]

MARKUP = (
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml"'
)


def paragraph(inner: str) -> Callable[[Document], None]:
    """Puts a paragraph of raw WordprocessingML before the others."""
    xml = f"<w:p {nsdecls('w')} {MARKUP}>{inner}</w:p>"
    return lambda document: document.element.body.insert(0, parse_xml(xml))


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The same archive with each part changed."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return file.getvalue()


def code_of(data: bytes) -> FileErrorCode:
    with pytest.raises(ExtractionFailed) as caught:
        extract_text(data)
    return caught.value.code


def test_the_header_comes_first_and_the_footer_last_and_each_once(word_file: WordFile) -> None:
    def change(document: Document) -> None:
        section = document.sections[0]
        section.different_first_page_header_footer = True
        section.header.paragraphs[0].text = "Åsa Öström"
        section.first_page_header.paragraphs[0].text = "Åsa Öström"
        section.footer.paragraphs[0].text = "The end"

    assert extract_text(word_file("A title\nThe essay.", change)) == "Åsa Öström\nA title\nThe essay.\nThe end"


def test_a_table_row_of_short_cells_is_one_line(word_file: WordFile) -> None:
    def change(document: Document) -> None:
        table = document.add_table(rows=2, cols=2)
        for cell, text in zip(table._cells, ("Namn:", "Åsa Öström", "Two\nlines", "One"), strict=True):
            cell.text = text

    assert extract_text(word_file("A title", change)) == "A title\nNamn:\tÅsa Öström\nTwo\nlines\nOne"


def test_a_text_box_is_read_once_and_after_its_paragraph(word_file: WordFile) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>Åsa Öström</w:t></w:r></w:p></w:txbxContent>"
    change = paragraph(
        "<w:r><w:t>Anchor</w:t></w:r><w:r><mc:AlternateContent>"
        f"<mc:Choice>{box}</mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )

    assert extract_text(word_file("The essay.", change)) == "Anchor\nÅsa Öström\nThe essay."


def test_tracked_changes_count_as_accepted(word_file: WordFile) -> None:
    change = paragraph(
        "<w:r><w:t xml:space='preserve'>Kept </w:t></w:r><w:ins><w:r><w:t>added</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText> deleted</w:delText></w:r></w:del><w:moveFrom><w:r><w:t> moved</w:t></w:r></w:moveFrom>"
    )

    assert extract_text(word_file("The essay.", change)) == "Kept added\nThe essay."


def test_a_paragraph_whose_end_was_deleted_runs_on_and_a_deleted_one_leaves_no_line(word_file: WordFile) -> None:
    marked, run = "<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>", "<w:r><w:t>{}</w:t></w:r>"
    first = paragraph(f"{marked}{run.format('Åsa')}<w:del><w:r><w:delText>Berg</w:delText></w:r></w:del>")
    second = paragraph(f"{marked}<w:del><w:r><w:delText>Sven</w:delText></w:r></w:del>")
    third = paragraph("<w:r><w:t xml:space='preserve'> Öström</w:t></w:r>")

    text = extract_text(word_file("The essay.", lambda document: [each(document) for each in (third, second, first)]))

    assert text == "Åsa Öström\nThe essay."


def test_inserted_and_deleted_rows_and_what_was_moved_here_count_as_accepted(word_file: WordFile) -> None:
    def row(kind: str, text: str) -> str:
        return f"<w:tr><w:trPr><w:{kind}/></w:trPr><w:tc><w:p><w:{kind}>{text}</w:{kind}></w:p></w:tc></w:tr>"

    rows = row("ins", "<w:r><w:t>Namn: Åsa</w:t></w:r>") + row("del", "<w:r><w:delText>Bo</w:delText></w:r>")
    table = parse_xml(f"<w:tbl {nsdecls('w')}>{rows}</w:tbl>")
    moved = paragraph("<w:moveTo><w:r><w:t>Moved here</w:t></w:r></w:moveTo>")

    def change(document: Document) -> None:
        moved(document)
        document.element.body.insert(0, table)

    assert extract_text(word_file("The essay.", change)) == "Namn: Åsa\n\nMoved here\nThe essay."


def test_a_text_box_and_a_table_in_the_header_and_the_footer_are_read(word_file: WordFile) -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>Åsa Öström</w:t></w:r></w:p></w:txbxContent>"

    def change(document: Document) -> None:
        section = document.sections[0]
        section.header._element.append(parse_xml(f"<w:p {nsdecls('w')}><w:r><w:pict>{box}</w:pict></w:r></w:p>"))
        cell, other = section.footer.add_table(1, 2, 1)._cells
        cell.text, other.text = "Klass:", "SA23"

    assert extract_text(word_file("The essay.", change)) == "Åsa Öström\nThe essay.\n\nKlass:\tSA23"


def test_tabs_breaks_links_and_content_controls_are_read_but_tab_stops_are_not(word_file: WordFile) -> None:
    change = paragraph(
        "<w:pPr><w:tabs><w:tab w:val='left' w:pos='720'/></w:tabs></w:pPr><w:r><w:t>Name:</w:t><w:tab/></w:r>"
        "<w:hyperlink><w:r><w:t>asa@example.org</w:t></w:r></w:hyperlink>"
        "<w:sdt><w:sdtContent><w:r><w:br/><w:t>Svensson</w:t><w:noBreakHyphen/><w:t>Berg</w:t></w:r></w:sdtContent></w:sdt>"
    )

    assert extract_text(word_file("The essay.", change)) == "Name:\tasa@example.org\nSvensson-Berg\nThe essay."


def test_documents_with_macros_templates_and_strict_ones_are_read_too(word_file: WordFile) -> None:
    def with_macros(_: str, part: bytes) -> bytes:
        return part.replace(
            b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
            b"application/vnd.ms-word.document.macroEnabled.main+xml",
        )

    def strict(_: str, part: bytes) -> bytes:
        namespace = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        return part.replace(namespace, b"http://purl.oclc.org/ooxml/wordprocessingml/main")

    assert extract_text(repacked(word_file("The essay."), with_macros)) == "The essay."
    assert extract_text(repacked(word_file("The essay."), strict)) == "The essay."


def test_a_broken_picture_or_link_does_not_matter(word_file: WordFile) -> None:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(b'Target="styles.xml"', b'Target="NULL"') if name.endswith("document.xml.rels") else part

    assert extract_text(repacked(word_file("The essay."), change)) == "The essay."


def test_broken_xml_is_a_damaged_document(word_file: WordFile) -> None:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(b"</w:p>", b"") if name == "word/document.xml" else part

    assert code_of(repacked(word_file(), change)) is FileErrorCode.TEXT_EXTRACTION_FAILED


def with_entities(data: bytes, declarations: bytes, used: bytes) -> bytes:
    """`data` whose text ends with an entity."""

    def change(name: str, part: bytes) -> bytes:
        if name != "word/document.xml":
            return part
        head, _, tail = part.partition(b"?>")
        return head + b"?><!DOCTYPE w [" + declarations + b"]>" + tail.replace(b"The essay.", b"The essay." + used)

    return repacked(data, change)


def test_no_other_file_is_read_into_a_document(word_file: WordFile, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    spying = with_entities(word_file("The essay."), f"<!ENTITY s SYSTEM '{secret.as_uri()}'>".encode(), b"&s;")

    assert extract_text(spying) == "The essay."


def test_entities_that_multiply_are_a_damaged_document(word_file: WordFile) -> None:
    laughs = b"<!ENTITY a 'ha'>" + b"".join(
        b"<!ENTITY %c '%s'>" % (98 + level, b"&%c;" % (97 + level) * 20) for level in range(8)
    )

    assert code_of(with_entities(word_file("The essay."), laughs, b"&i;")) is FileErrorCode.TEXT_EXTRACTION_FAILED


@pytest.mark.parametrize("part", ["word/document.xml", "[Content_Types].xml"])
def test_a_document_that_is_huge_when_unpacked_is_refused_before_unpacking(part: str, word_file: WordFile) -> None:
    bomb = repacked(word_file(), lambda name, content: content + b" " * 30_000_000 if name == part else content)

    assert len(bomb) < 100_000
    assert code_of(bomb) is FileErrorCode.FILE_TOO_LARGE


def test_an_archive_that_lies_about_its_size_is_damaged(word_file: WordFile) -> None:
    bomb = repacked(word_file(), lambda name, part: part + b" " * 30_000_000 if name == "word/document.xml" else part)
    size = zipfile.ZipFile(io.BytesIO(bomb)).getinfo("word/document.xml").file_size
    lying = bomb.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little"))

    assert lying != bomb
    assert code_of(lying) is FileErrorCode.TEXT_EXTRACTION_FAILED


def test_an_archive_with_a_password_is_named_as_such(word_file: WordFile) -> None:
    locked = bytearray(word_file())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = locked.find(signature)
        while at >= 0:
            locked[at + offset] |= 1
            at = locked.find(signature, at + 4)

    assert code_of(bytes(locked)) is FileErrorCode.ENCRYPTED_FILE_UNSUPPORTED
