"""Documents as teachers upload them, made small."""

import io

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
