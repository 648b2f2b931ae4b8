"""Word documents (docx): what a reader of the printed page would see, with all tracked changes accepted."""

import re
from collections.abc import Callable, Iterator
from itertools import islice

from docx.oxml import parse_xml
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

from services.file_service.formats.failures import unsupported

TYPES = "[Content_Types].xml"
# Only python-docx's parser is used: the whole library opens no document that has one broken link or picture.
ROLE = re.compile(r"word.*[.+](main|header|footer)\+xml$")

PARAGRAPH, RUN, ROW, BOX, DELETED = (qn(f"w:{tag}") for tag in ("p", "r", "tr", "txbxContent", "del"))
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
UNSEEN = (FALLBACK, qn("w:moveFrom"), DELETED)
SIGNS = {qn("w:tab"): "\t", qn("w:ptab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
TEXT = qn("w:t")
END_OF_PARAGRAPH, RUNS_ON = [qn("w:rPr"), qn("w:pPr"), PARAGRAPH], "runs-on"

STRICT, TRANSITIONAL = b"http://purl.oclc.org/ooxml/wordprocessingml/main", qn("w:t")[1:-2].encode()


def text_of(read: Callable[[str], bytes]) -> str:
    """The text of headers, body and footers, in this order; `read` gives a part by its name."""
    names = _part_names(read(TYPES))
    if not names["main"]:
        raise unsupported()
    parts = [read(name) for role in ("header", "main", "footer") for name in sorted(names[role])]
    # Of a document's up to three headers most say the same.
    return "\n".join(dict.fromkeys("\n".join(_lines(_readable(part))) for part in parts))


def _part_names(types: bytes) -> dict[str, list[str]]:
    """Names of the parts by role: header, main, footer."""
    names: dict[str, list[str]] = {"header": [], "main": [], "footer": []}
    for entry in parse_xml(types):
        if role := ROLE.search(entry.get("ContentType", "")):
            names[role[1]].append(entry.get("PartName", "").lstrip("/"))
    return names


def _readable(part: bytes) -> BaseOxmlElement:
    """The tree of `part` without what nobody sees, and with text boxes moved behind the paragraph that anchors them."""
    root = parse_xml(part.replace(STRICT, TRANSITIONAL))
    for node in root.iter(DELETED):
        within = list(islice(node.iterancestors(), 3))
        if [each.tag for each in within] == END_OF_PARAGRAPH:  # The end itself was deleted, so the next one follows on.
            within[-1].set(RUNS_ON, "")
    for node in list(root.iter(*UNSEEN)):
        node.getparent().remove(node)
    for box in list(root.iter(BOX)):
        for paragraph in box.iterancestors(PARAGRAPH):
            paragraph.addnext(box)
            break
    return root


def _lines(node: BaseOxmlElement) -> Iterator[str]:
    """One line for each paragraph; a table row whose cells have one line each is one line."""
    begun: list[str] = []
    for child in node:
        if child.tag == PARAGRAPH:
            begun += _pieces(child)
            if child.get(RUNS_ON) is None:
                yield "".join(begun)
                begun = []
        elif child.tag == ROW:
            cells = ["\n".join(_lines(cell)) for cell in child]
            yield ("\n" if any("\n" in cell for cell in cells) else "\t").join(cell for cell in cells if cell)
        else:
            yield from _lines(child)
    if begun:
        yield "".join(begun)


def _pieces(paragraph: BaseOxmlElement) -> Iterator[str]:
    for run in paragraph.iter(RUN):
        for node in run:
            yield (node.text or "") if node.tag == TEXT else SIGNS.get(node.tag, "")
