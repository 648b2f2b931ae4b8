"""Documents as teachers upload them, made small."""

import io
import zipfile

import docx
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def essay(first_line: str) -> str:
    """A text that is long enough to be an essay, with this first line."""
    return f"{first_line}\nA good essay says one thing well, and then it stops before the reader does."


def word(text: str) -> bytes:
    """A docx with one paragraph for each line."""
    document, file = docx.Document(), io.BytesIO()
    for line in text.split("\n"):
        document.add_paragraph(line)
    document.save(file)
    return file.getvalue()


def pdf(text: str, password: str | None = None) -> bytes:
    """A pdf of one page, encrypted if there is a password."""
    writer, file = PdfWriter(), io.BytesIO()
    page = writer.add_blank_page(595, 842)
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica", "/Encoding": "/WinAnsiEncoding"}
    names = DictionaryObject({NameObject(name): NameObject(value) for name, value in font.items()})
    fonts = DictionaryObject({NameObject("/F1"): writer._add_object(names)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    content = DecodedStreamObject()
    lines = b"".join(b"(" + line.encode("cp1252") + b") Tj T* " for line in text.split("\n"))
    content.set_data(b"BT /F1 12 Tf 14 TL 50 800 Td " + lines + b"ET")
    page[NameObject("/Contents")] = writer._add_object(content)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    writer.write(file)
    return file.getvalue()


OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
NAMESPACES = " ".join(
    [
        *(f'xmlns:{each}="{OFFICE}:{each}:1.0"' for each in ("office", "text", "table", "draw", "style")),
        f'xmlns:svg="{OFFICE}:svg-compatible:1.0"',
    ]
)


def opendocument(text: str, *, header: str = "", more: str = "", manifest: str = "") -> bytes:
    """An odt with one paragraph for each line, in front of them raw XML, and raw XML as the page's header."""
    paragraphs = "".join(f"<text:p>{line}</text:p>" for line in text.split("\n"))
    content = f"<office:body><office:text>{more}{paragraphs}</office:text></office:body>"
    styles = f"<office:master-styles><style:master-page>{header}</style:master-page></office:master-styles>"
    return archive(
        {
            "mimetype": b"application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {NAMESPACES}>{content}</office:document-content>".encode(),
            "styles.xml": f"<office:document-styles {NAMESPACES}>{styles}</office:document-styles>".encode(),
            "META-INF/manifest.xml": f"<manifest>{manifest}</manifest>".encode(),
        }
    )


def rich_text(text: str, *, before: str = "") -> bytes:
    """An rtf as Word for Windows writes it, with raw control words before the first line."""
    fonts = r"{\fonttbl{\f0\froman\fcharset0 Times New Roman;}}"
    escaped = "".join(each if each < "\x80" else f"\\'{each.encode('cp1252').hex()}" for each in text)
    lines = "".join(rf"\pard {line}\par" + "\r\n" for line in escaped.split("\n"))
    return rf"{{\rtf1\ansi\ansicpg1252\deff0{fonts}{before}{lines}}}".encode()


def archive(members: dict[str, bytes]) -> bytes:
    """A zip of these members; the first is not compressed, as OpenDocument wants its type."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for number, (name, data) in enumerate(members.items()):
            opened.writestr(name, data, zipfile.ZIP_DEFLATED if number else zipfile.ZIP_STORED)
    return file.getvalue()
