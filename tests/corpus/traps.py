"""Files made to hurt their reader: bombs, depths, loops. Each has a name."""

import io
import zipfile
import zlib
from collections.abc import Iterator

from tests.corpus.wholes import TEXT, WHOLE
from tests.integration.documents import archive, opendocument, rich_text

LARGE = 9_000_000
"""Bytes of the largest ones; larger files are never read."""

TYPES = (
    b'<Types><Override PartName="/word/d.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    b'wordprocessingml.document.main+xml"/></Types>'
)
WORD = (
    b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    b"<w:body>%s</w:body></w:document>"
)


def traps() -> Iterator[tuple[str, bytes]]:
    """All of them."""
    yield from _plain()
    yield from _rich()
    yield from _zipped()
    yield from _pdfs()


def _plain() -> Iterator[tuple[str, bytes]]:
    yield "one letter", b"a" * LARGE
    yield "empty lines", b"\n" * LARGE
    yield "carriage returns", b"\r" * LARGE
    yield "combining marks", ("a" + "\u0301" * 2_000_000).encode()
    yield "all marks out of order", ("\u0315\u0300\u05ae\u0345" * 700_000).encode()
    yield "wide NULs", b"a\0" * (LARGE // 2)
    yield "a sign in each word", b"a\x8aa " * (LARGE // 4)
    yield "the longest ligature", "\ufdfa".encode() * 2_000_000


def _rich() -> Iterator[tuple[str, bytes]]:
    for name, before in {
        "open braces": "{" * 1_900_000,
        "links": r"{\field{\*\fldinst{HYPERLINK " * 60_000,
        "links with ends": r'{\field{\*\fldinst{ HYPERLINK "a"}}{\fldrslt a}}' * 30_000,
        "fonts": r"{\fonttbl" + r"{\f1\fcharset" * 100_000,
        "binary of no length": r"\bin" * 400_000,
        "binary of all lengths": r"\bin1 \bin22 " * 100_000,
        "nearly pictures": ("ab" * 99 + "x") * 45_000,
        "skipped signs": r"\uc999999999\u1 " * 100_000,
        "escapes": r"\'e5" * 450_000,
        "code pages": r"\ansicpg65001\'e5\ansicpg37\'e5" * 50_000,
    }.items():
        yield f"rtf, {name}", rich_text(TEXT, before=before)


def _zipped() -> Iterator[tuple[str, bytes]]:
    deep = b"<w:p>" * 200_000
    for name, body in {
        "deep": deep,
        "deep and closed": b"<w:sdt>" * 250 + b"<w:p/>" * 100_000 + b"</w:sdt>" * 250,
        "boxes in boxes": b"<w:p><w:r><w:txbxContent>" * 80 + b"</w:txbxContent></w:r></w:p>" * 80,
        "many boxes": b"<w:p>" + b"<w:r><w:txbxContent><w:p/></w:txbxContent></w:r>" * 100_000 + b"</w:p>",
        "deleted ends": b"<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr></w:p>" * 100_000,
        "paragraphs": b"<w:p/>" * 1_200_000,
        "attributes": b"<w:p " + b" ".join(b'a%d=""' % number for number in range(300_000)) + b"/>",
        "rows in rows": b"<w:tr><w:tc>" * 120 + b"<w:p/>" * 500_000 + b"</w:tc></w:tr>" * 120,
    }.items():
        yield f"docx, {name}", archive({"[Content_Types].xml": TYPES, "word/d.xml": WORD % body})
    for name, more in {
        "deep": "<text:span>" * 200_000,
        "spaces": '<text:p><text:s text:c="999999999"/></text:p>' * 100_000,
        "boxes": "<text:p><draw:text-box><text:p/></draw:text-box></text:p>" * 80_000,
        "boxes in one": "<text:p>" + "<draw:text-box><text:p/></draw:text-box>" * 100_000 + "</text:p>",
        "spans": "<text:p>" + "<text:span>" * 240 + "a<text:s/>" * 300_000 + "</text:span>" * 240 + "</text:p>",
        "rows": "<table:table-row><table:table-cell>" * 120
        + "<text:p/>" * 500_000
        + "</table:table-cell></table:table-row>" * 120,
    }.items():
        yield f"odt, {name}", opendocument(TEXT, more=more)
    yield "docx, a bomb", archive({"[Content_Types].xml": TYPES, "word/d.xml": b" " * 200_000_000})
    yield "docx, a bomb of types", archive({"first": b"", "[Content_Types].xml": TYPES + b" " * 200_000_000})
    yield "zip, a bomb", archive({"first": b"", **{f"{number}.txt": b" " * 100_000_000 for number in range(3)}})
    yield "zip, an archive in an archive", archive({"a.txt": archive({"b": archive({"c": b"d"})})})
    yield "zip, of many files", archive({f"{number}": b"" for number in range(10_000)})
    yield "zip, of a name only", archive({"a" * 60_000: TEXT.encode()})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as opened:
        opened.writestr("[Content_Types].xml", TYPES * 100)
    packed = bytearray(file.getvalue())
    at = packed.find(b"[Content_Types].xml") + len("[Content_Types].xml") + 5
    packed[at : at + 4] = b"\xff\xff\xff\xff"  # The dictionary is said to have 4 GB.
    yield "docx, a huge dictionary", bytes(packed)


def _pdfs() -> Iterator[tuple[str, bytes]]:
    for name, objects in {
        "pages in a ring": [b"<</Type/Pages/Kids[2 0 R]/Count 1>>"],
        "pages that double": [b"<</Type/Pages/Count 9/Kids[%d 0 R %d 0 R]>>" % (n, n) for n in range(3, 40)],
        "a count of pages": [b"<</Type/Pages/Kids[3 0 R]/Count 999999999>>", b"<</Type/Page/Parent 2 0 R>>"],
        "deep arrays": [b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"[" * 1_000_000],
        "deep dictionaries": [b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</A" * 1_000_000],
    }.items():
        yield f"pdf, {name}", _pdf(objects)
    for name, (filters, content) in {
        "a packed bomb": (b"/FlateDecode", zlib.compress(b" " * 200_000_000, 9)),
        "a bomb in a bomb": (b"/FlateDecode/FlateDecode", zlib.compress(zlib.compress(b" " * 300_000_000, 9), 9)),
        "filters": (b"/ASCIIHexDecode" * 10_000, b"20" * 1_000),
        "run lengths": (b"/RunLengthDecode", b"\x81a" * 4_000_000),
        "operators": (b"", b"q " * 4_000_000),
        "texts": (b"", b"BT /F1 1 Tf " + b"(a) Tj " * 1_000_000),
        "two columns": (b"", _across(4_000, 50, 300)),
        "three columns": (b"", _across(4_000, 40, 217, 394)),
        "numbers": (b"", b"BT " + b"9" * 4_000_000 + b" 0 Td (a) Tj ET"),
        "open strings": (b"", b"(" * 4_000_000),
        "open hexes": (b"", b"<" * 4_000_000),
        "inline pictures": (b"", b"BI ID E I " * 300_000),
    }.items():
        fonts = b"<</Font<</F1<</Type/Font/Subtype/Type1>>>>>>"
        page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources%s>>" % fonts
        stream = b"<</Filter[%s]/Length %d>>stream\n%s\nendstream" % (filters, len(content), content)
        yield f"pdf, {name}", _pdf([b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, stream])
    yield "pdf, without its table", WHOLE["pdf"].replace(b"startxref", b"startxxxx") + b"1 0 obj " * 500_000
    yield "pdf, tables in a ring", WHOLE["pdf"].replace(b"trailer\n<<", b"trailer\n<</Prev 9") + b"%" * 1_000_000


def _across(lines: int, *edges: int) -> bytes:
    """A page in columns that begin at these edges and were written across all."""
    places = ((edge, -14 * number) for number in range(lines) for edge in edges)
    return b"BT /F1 1 Tf " + b"".join(b"1 0 0 1 %d %d Tm (a) Tj " % place for place in places) + b"ET"


def _pdf(objects: list[bytes]) -> bytes:
    """A document whose catalog is 1 0 R and these objects those after it."""
    file, places = b"%PDF-1.7\n", []
    for number, body in enumerate([b"<</Type/Catalog/Pages 2 0 R>>", *objects], 1):
        places.append(len(file))
        file += b"%d 0 obj%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(places) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
    return file + end % (count, table, count, len(file))
