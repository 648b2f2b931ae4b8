"""OpenDocument texts (odt): what a reader of the printed page would see, with all tracked changes accepted.

Read with lxml alone: odfpy had its last release in 2020, and odfdo is made to change documents, of which it loads all.
"""

import re
from collections.abc import Callable, Collection, Iterator

from lxml import etree

from services.file_service.formats.failures import encrypted, unsupported

TYPE, TEXT_DOCUMENT = "mimetype", b"application/vnd.oasis.opendocument.text"
CONTENT, STYLES, MANIFEST = "content.xml", "styles.xml", "META-INF/manifest.xml"
ENCRYPTED_WHOLE = "encrypted-package"

NAMES = {each: f"{{urn:oasis:names:tc:opendocument:xmlns:{each}:1.0}}" for each in ("text", "table", "draw", "style")}
OFFICE, SVG = (f"{{urn:oasis:names:tc:opendocument:xmlns:{each}:1.0}}" for each in ("office", "svg-compatible"))
TEXT = NAMES["text"]

PARAGRAPHS = (f"{TEXT}p", f"{TEXT}h")
ROW, BOX = f"{NAMES['table']}table-row", f"{NAMES['draw']}text-box"
SPACES, SIGNS = f"{TEXT}s", {f"{TEXT}tab": "\t", f"{TEXT}line-break": "\n", f"{TEXT}soft-hyphen": ""}
# What was deleted stands apart in `tracked-changes`; what was inserted stands in the text.
UNSEEN = (
    *(f"{TEXT}{each}" for each in ("tracked-changes", "note", "ruby-text", "variable-decls", "sequence-decls")),
    *(f"{OFFICE}{each}" for each in ("annotation", "forms", "binary-data")),
    *(f"{SVG}{each}" for each in ("title", "desc")),
)
MARGINS = {
    place: [f"{NAMES['style']}{place}{which}" for which in ("", "-left", "-first")] for place in ("header", "footer")
}
MOST_SPACES = 100
WHITE_SPACE = re.compile("[ \t\r\n]+")


def text_of(names: Collection[str], read: Callable[[str], bytes]) -> str:
    """The text of headers, body and footers, in this order; `read` gives one of the parts `names`."""
    if ENCRYPTED_WHOLE in names or (MANIFEST in names and b"encryption-data" in read(MANIFEST)):
        raise encrypted()
    if not read(TYPE).startswith(TEXT_DOCUMENT):
        raise unsupported()
    body = _readable(read(CONTENT)).iter(f"{OFFICE}text")
    styles = [_readable(read(STYLES))] if STYLES in names else []
    headers, footers = ([part for root in styles for part in root.iter(*tags)] for tags in MARGINS.values())
    # Of a document's many page styles most have the same header.
    return "\n".join(dict.fromkeys("\n".join(_lines(part)) for part in (*headers, *body, *footers)))


def _readable(part: bytes) -> etree._Element:
    """The tree of `part` without what nobody sees, and with text boxes moved behind the paragraph that anchors them."""
    root = etree.fromstring(part, etree.XMLParser(resolve_entities=False, remove_comments=True, remove_pis=True))
    etree.strip_elements(root, *UNSEEN, with_tail=False)
    for box in list(root.iter(BOX)):
        for paragraph in box.iterancestors(*PARAGRAPHS):
            paragraph.addnext(box)
            break
    return root


def _lines(node: etree._Element) -> Iterator[str]:
    """One line for each paragraph; a table row whose cells have one line each is one line."""
    for child in node:
        if child.tag in PARAGRAPHS:
            yield "".join(_pieces(child)).strip(" ")
        elif child.tag == ROW:
            cells = ["\n".join(_lines(cell)) for cell in child]
            yield ("\n" if any("\n" in cell for cell in cells) else "\t").join(cell for cell in cells if cell)
        else:
            yield from _lines(child)


def _pieces(node: etree._Element) -> Iterator[str]:
    yield WHITE_SPACE.sub(" ", node.text or "")
    for child in node:
        if child.tag == SPACES:
            yield " " * min(int(child.get(f"{TEXT}c", "1")), MOST_SPACES)
        elif child.tag in SIGNS:
            yield SIGNS[child.tag]
        elif isinstance(child.tag, str):  # An entity's tag is a function; nothing is read into a document.
            yield from _pieces(child)
        yield WHITE_SPACE.sub(" ", child.tail or "")
