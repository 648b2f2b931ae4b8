"""Word documents (docx): what a reader of the printed page would see, with all tracked changes accepted."""

import io
import re
import zipfile
from collections.abc import Iterator

from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

from services.file_service.formats.failures import ExtractionFailed, damaged, encrypted, too_large, unsupported

UNPACKED = 8_000_000
"""Bytes that the parts we read may unpack to. The longest essay needs a quarter; the trees take 15 times as much."""

TYPES = "[Content_Types].xml"
# Only python-docx's parser is used: the whole library opens no document that has one broken link or picture.
ROLE = re.compile(r"word.*[.+](main|header|footer)\+xml$")

PARAGRAPH, RUN, ROW, BOX = qn("w:p"), qn("w:r"), qn("w:tr"), qn("w:txbxContent")
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
UNSEEN = (FALLBACK, qn("w:moveFrom"), qn("w:del"))
SIGNS = {qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
TEXT = qn("w:t")

STRICT, TRANSITIONAL = b"http://purl.oclc.org/ooxml/wordprocessingml/main", qn("w:t")[1:-2].encode()


def text_of(data: bytes) -> str:
    """The text of headers, body and footers, in this order: a name is most often in the header."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = _parts(archive)
        # Of a document's up to three headers most say the same.
        return "\n".join(dict.fromkeys("\n".join(_lines(_readable(part))) for part in parts))
    except (ExtractionFailed, MemoryError):
        raise
    except Exception as error:  # Where a file is damaged, zipfile, zlib and lxml each raise their own kinds.
        if b"word/" not in data:
            raise unsupported() from error
        raise damaged("Word document") from error


def _parts(archive: zipfile.ZipFile) -> list[bytes]:
    """The parts with text, unpacked. The limit is on declared sizes; zipfile unpacks no more than is declared."""
    members = {member.filename: member for member in archive.infolist()}
    if TYPES not in members:
        raise unsupported()
    if members[TYPES].flag_bits & 1:
        raise encrypted()
    _limit([members[TYPES]])
    names = _part_names(archive.read(TYPES))
    if not names["main"]:
        raise unsupported()
    wanted = [members[name] for role in ("header", "main", "footer") for name in sorted(names[role])]
    _limit(wanted)
    return [archive.read(member) for member in wanted]


def _part_names(types: bytes) -> dict[str, list[str]]:
    """Names of the parts by role: header, main, footer."""
    names: dict[str, list[str]] = {"header": [], "main": [], "footer": []}
    for entry in parse_xml(types):
        if role := ROLE.search(entry.get("ContentType", "")):
            names[role[1]].append(entry.get("PartName", "").lstrip("/"))
    return names


def _limit(members: list[zipfile.ZipInfo]) -> None:
    if sum(member.file_size for member in members) > UNPACKED:
        raise too_large(UNPACKED)


def _readable(part: bytes) -> BaseOxmlElement:
    """The tree of `part` without what nobody sees, and with text boxes moved behind the paragraph that anchors them."""
    root = parse_xml(part.replace(STRICT, TRANSITIONAL))
    for node in list(root.iter(*UNSEEN)):
        node.getparent().remove(node)
    for box in list(root.iter(BOX)):
        for paragraph in box.iterancestors(PARAGRAPH):
            paragraph.addnext(box)
            break
    return root


def _lines(node: BaseOxmlElement) -> Iterator[str]:
    """One line for each paragraph; a table row whose cells have one line each is one line."""
    for child in node:
        if child.tag == PARAGRAPH:
            yield "".join(_pieces(child))
        elif child.tag == ROW:
            cells = ["\n".join(_lines(cell)) for cell in child]
            yield ("\n" if any("\n" in cell for cell in cells) else "\t").join(cell for cell in cells if cell)
        else:
            yield from _lines(child)


def _pieces(paragraph: BaseOxmlElement) -> Iterator[str]:
    for run in paragraph.iter(RUN):
        for node in run:
            yield (node.text or "") if node.tag == TEXT else SIGNS.get(node.tag, "")
