"""Sound files of every kind, from which the corpus is made."""

from tests.integration.documents import archive, essay, opendocument, pdf, rich_text, word

TEXT = essay("Åsa Öström, I går åkte vi till sjön") + "\n“Quoted” – and so on…\n" * 20

CELL = "<table:table-cell><text:p>Namn</text:p></table:table-cell>"
TABLE = f"<table:table><table:table-row>{CELL}</table:table-row></table:table>"
HEADER = "<style:header><text:p>Åsa Öström</text:p></style:header>"
WORDS = r"{\colortbl;\red0\green0\blue0;}{\header \pard Åsa\par}{\*\generator A;}\uc1\u8211?{\pict 89504e47}"

WHOLE: dict[str, bytes] = {
    "utf-8": TEXT.encode(),
    "utf-16": TEXT.encode("utf-16"),
    "cp1252": TEXT.encode("cp1252"),
    "docx": word(TEXT),
    "odt": opendocument(TEXT, header=HEADER, more=TABLE),
    "rtf": rich_text(TEXT, before=WORDS.replace("Å", r"\'c5")),
    "pdf": pdf(TEXT),
    "locked pdf": pdf(TEXT, password="secret"),
    "zip": archive({"a.txt": TEXT.encode(), "b.docx": word(TEXT), "folder/c.rtf": rich_text(TEXT)}),
}
