"""A page in two or three columns is read one column after the other, in whichever order its lines were written."""

from collections.abc import Callable, Iterable

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, NameObject

from services.file_service.extraction import extract_text

PdfFile = Callable[..., bytes]
type Piece = tuple[float, float, str]

NAME, DATE, TITLE = (60, 810, "Åsa Öström"), (480, 810, "2025-03-01"), (200, 790, "A title above both columns")
LEFT = [f"left {number:02}" for number in range(12)]
RIGHT = [f"right {number:02}" for number in range(12)]
WORDS = [f"word{number:02}" for number in range(40)]


def written(pieces: Iterable[Piece]) -> str:
    """Each piece as a text of its own, as most programs write."""
    return "\n".join(f"BT /F1 11 Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET" for x, y, text in pieces)


def written_as_one(pieces: Iterable[Piece]) -> str:
    """All pieces as one text with kerning, upside down on a page that was turned upside down."""
    shown = "\n".join(f"1 0 0 -1 {x} {842 - y} Tm [({text[:2]}) 10 ({text[2:]})] TJ" for x, y, text in pieces)
    return f"q 1 0 0 -1 0 842 cm BT /F1 11 Tf\n{shown}\nET Q"


def read(pdf_file: PdfFile, content: str) -> list[str]:
    """The lines of a page with this content."""

    def change(writer: PdfWriter) -> None:
        stream = DecodedStreamObject()
        stream.set_data(content.encode("cp1252"))
        writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)

    return extract_text(pdf_file("", change=change)).split("\n")


def column(x: float, lines: list[str], *, lower: float = 0) -> list[Piece]:
    return [(x, 760 - 14 * number - lower, line) for number, line in enumerate(lines)]


def across(*columns: list[Piece]) -> list[Piece]:
    """The pieces of all columns, line by line."""
    pieces = [piece for each in columns for piece in each]
    return sorted(pieces, key=lambda piece: (-round(piece[1] / 14), piece[0]))


@pytest.mark.parametrize("write", [written, written_as_one])
def test_lines_written_across_both_columns_are_read_column_by_column(
    write: Callable[[Iterable[Piece]], str], pdf_file: PdfFile
) -> None:
    pieces = [NAME, DATE, TITLE, *across(column(60, LEFT), column(310, RIGHT))]

    lines = read(pdf_file, write(pieces))

    assert " ".join(lines[:2]).split() == ["Åsa", "Öström", "2025-03-01", *TITLE[2].split()]
    assert lines[2:] == [*LEFT, *RIGHT]


def test_a_column_that_ends_earlier_or_stands_a_little_lower_is_a_column_too(pdf_file: PdfFile) -> None:
    shorter = across(column(60, LEFT), column(310, RIGHT[:8]))
    lower = across(column(60, LEFT), column(310, RIGHT, lower=4))

    assert read(pdf_file, written(shorter)) == [*LEFT, *RIGHT[:8]]
    assert read(pdf_file, written(lower)) == [*LEFT, *RIGHT]


def test_a_second_column_that_begins_above_the_first_is_not_torn(pdf_file: PdfFile) -> None:
    pieces = [(310, 774, "begins above"), *across(column(60, LEFT), column(310, RIGHT))]

    assert read(pdf_file, written(pieces)) == [*LEFT, "begins above", *RIGHT]


THIRDS = (40, 217, 394)
MIDDLE = [f"middle {number:02}" for number in range(12)]


@pytest.mark.parametrize("write", [written, written_as_one])
def test_three_columns_are_read_one_after_the_other_below_what_stands_above_all(
    write: Callable[[Iterable[Piece]], str], pdf_file: PdfFile
) -> None:
    columns = (column(x, lines) for x, lines in zip(THIRDS, (LEFT, MIDDLE, RIGHT), strict=True))

    lines = read(pdf_file, write([NAME, DATE, TITLE, *across(*columns)]))

    assert " ".join(lines[:2]).split() == ["Åsa", "Öström", "2025-03-01", *TITLE[2].split()]
    assert lines[2:] == [*LEFT, *MIDDLE, *RIGHT]


@pytest.mark.parametrize("shortest", range(3))
def test_each_of_three_columns_may_end_earlier_or_stand_a_little_lower(shortest: int, pdf_file: PdfFile) -> None:
    lines = [LEFT, MIDDLE, RIGHT]
    lines[shortest] = lines[shortest][:9]
    pieces = across(*(column(x, each, lower=x / 100) for x, each in zip(THIRDS, lines, strict=True)))

    assert read(pdf_file, written(pieces)) == [line for each in lines for line in each]


def test_a_third_column_is_as_wide_as_the_first(pdf_file: PdfFile) -> None:
    numbers = [f"{number:02}" for number in range(12)]
    pieces = across(column(60, LEFT), column(310, numbers), column(370, RIGHT))

    assert read(pdf_file, written(pieces)) == [
        *LEFT,
        *(f"{number} {line}" for number, line in zip(numbers, RIGHT, strict=True)),
    ]


def test_a_word_divided_in_a_column_is_put_together(pdf_file: PdfFile) -> None:
    left = ["en foto-", "grafi av", *LEFT]

    assert read(pdf_file, written(across(column(60, left), column(310, RIGHT))))[:2] == ["en fotografi", "av"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(LEFT, column(310, RIGHT[:7]), id="a short table"),
        pytest.param(LEFT, column(150, RIGHT), id="the speakers of a play"),
        pytest.param(LEFT, column(480, RIGHT), id="numbers at the margin"),
        pytest.param(WORDS, column(310, WORDS)[::2] + column(250, WORDS)[1::2], id="words below each other"),
    ],
)
def test_lines_whose_pieces_belong_together_stay_whole(
    first: list[str], second: list[Piece], pdf_file: PdfFile
) -> None:
    pieces = across(column(60, first), second)

    read_pieces = " ".join(read(pdf_file, written(pieces))).split()

    assert read_pieces == " ".join(text for *_, text in pieces).split()


def test_a_poem_in_the_middle_of_a_page_stays_where_it_is(pdf_file: PdfFile) -> None:
    verses = "\n".join(f"BT /F1 11 Tf 1 0 0 1 250 {760 - 14 * n} Tm (verse ) Tj ({n:02}) Tj ET" for n in range(12))
    below = written([(60, 500, "What the poem says")])

    assert read(pdf_file, f"{verses}\n{below}")[-2:] == ["verse 11", "What the poem says"]


def test_columns_that_were_written_one_after_the_other_are_left_as_they_are(pdf_file: PdfFile) -> None:
    pieces = [*column(60, LEFT), (60, 100, "a note of the first"), *column(310, RIGHT)]

    assert read(pdf_file, written(pieces)) == [*LEFT, "a note of the first", *RIGHT]


def test_a_large_drawing_is_passed_over(pdf_file: PdfFile) -> None:
    def draw(writer: PdfWriter) -> None:
        drawing = DecodedStreamObject()
        drawing.set_data(b"12.5 17.1 m 9 8 l S\n" * 90_000)
        writer.pages[1][NameObject("/Contents")] = writer._add_object(drawing.flate_encode())

    assert extract_text(pdf_file("The essay", "", change=draw)) == "The essay"
