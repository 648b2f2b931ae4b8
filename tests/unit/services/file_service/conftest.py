"""Makes documents as teachers upload them."""

import io
from collections.abc import Callable

import docx
import pytest
from docx.document import Document
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

ESSAY = "Åsa Öström\nI går åkte vi till sjön, och där såg vi många fåglar som flög över ön."


@pytest.fixture
def essay() -> str:
    """A short text with a Swedish name on its first line."""
    return ESSAY


@pytest.fixture
def word_file() -> Callable[..., bytes]:
    """Makes a docx of some paragraphs; `change` may do more to it."""

    def make(text: str = ESSAY, change: Callable[[Document], object] = lambda _: None) -> bytes:
        document = docx.Document()
        for line in text.split("\n"):
            document.add_paragraph(line)
        change(document)
        file = io.BytesIO()
        document.save(file)
        return file.getvalue()

    return make


@pytest.fixture
def pdf_file() -> Callable[..., bytes]:
    """Makes a pdf with one page for each text; `change` may do more to it."""

    def make(*pages: str, change: Callable[[PdfWriter], object] = lambda _: None) -> bytes:
        writer = PdfWriter()
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
                NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
            }
        )
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        for text in pages:
            page = writer.add_blank_page(595, 842)
            page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
            lines = b"".join(b"(" + line.encode("cp1252") + b") Tj T* " for line in text.split("\n"))
            content = DecodedStreamObject()
            content.set_data(b"BT /F1 12 Tf 14 TL 50 800 Td " + lines + b"ET")
            page[NameObject("/Contents")] = writer._add_object(content.flate_encode())
        change(writer)
        file = io.BytesIO()
        writer.write(file)
        return file.getvalue()

    return make
