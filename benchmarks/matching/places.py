"""Where essays name their authors: plain texts, and documents that go through the real extraction."""

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import docx
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from services.file_service.extraction import extract_text

LINES_ON_A_PAGE = 45


@dataclass
class Sheet:
    """An essay before it becomes a file."""

    rng: random.Random
    odd: int
    swedish: bool
    written: str
    """The author's name."""
    email: str
    title: str
    body: str
    teacher: str
    head: list[str] = field(default_factory=list)
    tail: list[str] = field(default_factory=list)

    def pick(self, english: str, swedish: str) -> str:
        """One of the wordings, between bars, of this language and half."""
        wordings = (swedish if self.swedish else english).split("|")
        half = wordings[self.odd :: 2] or wordings
        return self.rng.choice(half)

    @property
    def date(self) -> str:
        """Some day."""
        return self.pick("12 May 2024|2024-05-12|May 3, 2025|3/9/2025", "12 maj 2024|2024-05-12|den 3 maj|3/9 2025")

    @property
    def school_class(self) -> str:
        """What says which class and course this is."""
        return self.pick("English 6|Class 9B|ENG6, SA22|Year 11", "Engelska 6|9B|SV2, SA22|Klass Na1c")

    def text(self, *head: str) -> str:
        """The whole text with these lines first."""
        return "\n".join([*(line for line in head if line), *self.head, self.body, *self.tail])


type Place = Callable[[Sheet], str]


def first_line(s: Sheet) -> str:
    return s.text(s.written, s.title)


def first_line_and_date(s: Sheet) -> str:
    return s.text(f"{s.written}{s.pick(', |  | - |\t', ', |  | – |\t')}{s.date}", s.title)


def first_line_and_class(s: Sheet) -> str:
    return s.text(f"{s.written}{s.pick(' |, | / | – ', ' |, | / |\t')}{s.school_class}", s.title)


def below_title(s: Sheet) -> str:
    return s.text(s.title, s.written, s.rng.choice(["", s.school_class]))


def byline(s: Sheet) -> str:
    label = s.pick("By |by |Written by |Essay by ", "Av |av |Skriven av |Text av ")
    return s.text(s.title, label + s.written)


def byline_in_title(s: Sheet) -> str:
    return s.text(s.title + s.pick(" by |, by ", " av |, av ") + s.written)


def name_field(s: Sheet) -> str:
    label = s.pick("Name: |Student: |Full name: |Author: |Name - ", "Namn: |Elev: |För- och efternamn: |Författare: ")
    return s.text(label + s.written, s.title)


def form_of_fields(s: Sheet) -> str:
    name, teacher, subject, day = s.pick(
        "Name,Teacher,Class,Date|Student,Instructor,Course,Date",
        "Namn,Lärare,Klass,Datum|Elev,Lärarens namn,Kurs,Datum",
    ).split(",")
    rows = [f"{name}: {s.written}", f"{teacher}: {s.teacher}", f"{subject}: {s.school_class}", f"{day}: {s.date}"]
    s.rng.shuffle(rows)
    return s.text(*rows, s.title) if s.rng.random() < 0.7 else s.text("\t".join(rows), s.title)


def label_above(s: Sheet) -> str:
    return s.text(s.pick("Name|Student name:", "Namn|Elevens namn:"), s.written, s.title)


def mla(s: Sheet) -> str:
    return s.text(s.written, f"{s.pick('Ms.|Mr.|Professor|Dr.', 'Lärare:|Magister')} {s.teacher}", s.school_class,
                  s.date, s.title)  # fmt: skip


def exam_net(s: Sheet) -> str:
    return s.text(f"{s.written}  {s.date}", s.email, s.title)


def email_only(s: Sheet) -> str:
    label = s.pick("|E-mail: |Contact: ", "|E-post: |Mejl: ")
    return s.text(s.title, label + s.email)


def signature(s: Sheet) -> str:
    english = "{}|/{}|Kind regards,\n{}|Written by {}|– {}"
    swedish = "{}|/{}|Med vänlig hälsning\n{}|Skriven av {}|//{}"
    s.tail.append(s.pick(english, swedish).format(s.written))
    return s.text(s.title)


def email_at_the_end(s: Sheet) -> str:
    s.tail.append(s.email)
    return s.text(s.title)


def word_table(s: Sheet) -> str:
    document = docx.Document()
    table = document.add_table(2, 2)
    cells = [s.pick("Name|Student", "Namn|Elev"), s.written, s.pick("Teacher|Class", "Lärare|Klass"),
             s.pick(s.teacher + "|9B", s.teacher + "|9B")]  # fmt: skip
    for cell, words in zip([cell for row in table.rows for cell in row.cells], cells, strict=True):
        cell.text = words
    return _saved(document, s.text(s.title))


def word_header(s: Sheet) -> str:
    document = docx.Document()
    document.sections[0].header.paragraphs[0].text = s.pick(
        "{}|{}\t\t{date}|{}, {group}", "{}|{}\t\t{date}|{}, {group}"
    ).format(s.written, date=s.date, group=s.school_class)
    return _saved(document, s.text(s.title))


def word_footer(s: Sheet) -> str:
    document = docx.Document()
    document.sections[0].footer.paragraphs[0].text = s.pick("{}|{} 1|Page 1\t{}", "{}|{} 1|Sida 1\t{}").format(
        s.written
    )
    return _saved(document, s.text(s.title))


def word_first_line(s: Sheet) -> str:
    return _saved(docx.Document(), first_line(s))


def pdf_first_line(s: Sheet) -> str:
    return pdf(first_line(s))


def pdf_page_header(s: Sheet) -> str:
    return pdf(s.text(s.title), header=s.pick("{} {}|{} - page {}", "{} {}|{} – sida {}").replace("{}", s.written, 1))


def properties(s: Sheet) -> str:
    document = docx.Document()
    document.core_properties.author = s.written
    return _saved(document, s.text(s.title))


def pdf_title(s: Sheet) -> str:
    return pdf(s.text(s.title), title=s.written)


def _saved(document: docx.document.Document, text: str) -> str:
    file = io.BytesIO()
    for line in text.split("\n"):
        document.add_paragraph(line)
    document.save(file)
    return extract_text(file.getvalue())


def pdf(text: str, header: str = "", title: str = "") -> str:
    """What is read from a pdf with this text, in pages of one column; Helvetica must have its letters."""
    writer, file = PdfWriter(), io.BytesIO()
    font = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica", "/Encoding": "/WinAnsiEncoding"}
    fonts = DictionaryObject(
        {
            NameObject("/F1"): writer._add_object(
                DictionaryObject({NameObject(k): NameObject(v) for k, v in font.items()})
            )
        }
    )
    lines = text.split("\n")
    for number, start in enumerate(range(0, len(lines), LINES_ON_A_PAGE), start=1):
        above = [header.format(number)] if header else []
        page = writer.add_blank_page(595, 842)
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        shown = DecodedStreamObject()
        shown.set_data(
            b"BT /F1 9 Tf 14 TL 50 800 Td "
            + b"".join(map(_shown, above + lines[start : start + LINES_ON_A_PAGE]))
            + b"ET"
        )
        page[NameObject("/Contents")] = writer._add_object(shown)
    if title:
        writer.add_metadata({"/Title": title})
    writer.write(file)
    return extract_text(file.getvalue())


def _shown(line: str) -> bytes:
    escaped = line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return b"(" + escaped.encode("cp1252") + b") Tj T* "


PLACES: dict[str, tuple[float, Place]] = {
    "first line": (10, first_line),
    "first line, with date": (4, first_line_and_date),
    "first line, with class": (4, first_line_and_class),
    "below the title": (6, below_title),
    "by, below the title": (4, byline),
    "by, in the title": (2, byline_in_title),
    "name field": (6, name_field),
    "form of fields": (6, form_of_fields),
    "label above": (2, label_above),
    "MLA header": (5, mla),
    "Exam.net": (5, exam_net),
    "e-mail only": (4, email_only),
    "e-mail at the end": (1, email_at_the_end),
    "signature": (4, signature),
    "docx, first line": (3, word_first_line),
    "docx table": (3, word_table),
    "docx header": (4, word_header),
    "docx footer": (2, word_footer),
    "pdf, first line": (3, pdf_first_line),
    "pdf page header": (3, pdf_page_header),
    "docx property only": (1, properties),
    "pdf title only": (1, pdf_title),
}
"""How often each is chosen, and how such an essay is made."""

IN_CP1252 = {"pdf, first line", "pdf page header", "pdf title only"}
NOT_READ = {"docx property only", "pdf title only"}
"""Their text names nobody: properties often name the owner of a computer, and the intake does not read them."""
