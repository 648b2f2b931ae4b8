"""Pages in two or three columns whose lines were written across all: read one column after the other.

pypdf gives text in the order in which it was written; most programs write a column to its end. A page written across is
read once for each column, without the others.
"""

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from statistics import mode
from typing import Any, NamedTuple

from pypdf import PageObject

SHOWS_TEXT = frozenset((b"Tj", b"TJ", b"'", b'"'))
SHOWN = re.compile(rb"T[jJ]")

SAME_LINE, SAME_EDGE, SAME_WIDTH = 6.0, 3.0, 12.0
"""Points within which two pieces stand on one line, or begin at one edge, and columns are equally wide."""

FEWEST_LINES, SHARE = 8, 0.6
"""So many lines, and such a part of those between the first and the last of them, begin again at the same edge: fewer
are a table or a signature, or words that happen to stand below each other. Others are indented, or short."""

MIDDLE = 0.35, 0.65
"""Of the page's width: there the second column begins. A list, or the speakers of a play, have their edge elsewhere. A
third column is as wide as the first."""


class Place(NamedTuple):
    """Where a piece of text begins, in points from the page's lower left corner."""

    x: float
    y: float


class Again(NamedTuple):
    """A piece that begins behind another on its line."""

    number: int
    before: Place
    place: Place


def text_of(page: PageObject) -> str:
    """The text of a page."""
    contents = page.get_contents()
    if contents is None or not SHOWN.search(contents.get_data()):
        return page.extract_text()  # Without a look at each operator, pypdf passes over large drawings.
    places: list[Place] = []
    text = _read(page, places.append)
    edges = _edges(places, page)
    if not edges:
        return text
    columns = (_read(page, partial(_is_outside, number, edges)) for number in range(len(edges) + 1))
    return "\n".join(line.strip() for column in columns for line in column.split("\n") if line.strip())


def _edges(places: Sequence[Place], page: PageObject) -> list[Place]:
    """Where the second and the third column begin on a page that was written across all; none on any other."""
    again = [
        Again(number, before, place)
        for number, (before, place) in enumerate(pairwise(places), 1)
        if _same_line(before, place) and before.x < place.x
    ]
    begins, ends = (float(page.mediabox.left) + share * float(page.mediabox.width) for share in MIDDLE)
    in_the_middle = [each for each in again if begins < each.place.x < ends]
    second = _edge(in_the_middle, places)
    if second is None:
        return []
    first = mode(round(each.before.x) for each in in_the_middle if abs(each.place.x - second.x) <= SAME_EDGE)
    third = _edge([each for each in again if abs(each.place.x - (2 * second.x - first)) <= SAME_WIDTH], places)
    return [second, third] if third else [second]


def _edge(again: Sequence[Again], places: Sequence[Place]) -> Place | None:
    """The edge at which most of these begin, if there are enough of them for a column; at the height of the first."""
    if not again:
        return None
    edge = mode(round(each.place.x) for each in again)
    lines = [each for each in again if abs(each.place.x - edge) <= SAME_EDGE]
    start, stop = lines[0].number, lines[-1].number
    between = 1 + sum(not _same_line(before, place) for before, place in pairwise(places[start : stop + 1]))
    return Place(edge, lines[0].place.y) if len(lines) >= max(FEWEST_LINES, SHARE * between) else None


def _is_outside(number: int, edges: Sequence[Place], place: Place) -> bool:
    """Whether a piece belongs to another column than this one, counted from 0."""
    return number != max((each for each, edge in enumerate(edges, 1) if _is_beside(place, edge)), default=0)


def _is_beside(place: Place, edge: Place) -> bool:
    """Whether a piece stands behind an edge; what is above all columns, such as a name and a date, does not."""
    if place.y > edge.y + SAME_LINE:
        return abs(place.x - edge.x) <= SAME_EDGE
    return place.x >= edge.x - SAME_EDGE


def _same_line(one: Place, other: Place) -> bool:
    return abs(one.y - other.y) < SAME_LINE


def _read(page: PageObject, is_left_out: Callable[[Place], object]) -> str:
    """The text of a page, without some of its pieces."""

    def look(operator: bytes, operands: list[Any], page_matrix: Sequence[float], text_matrix: Sequence[float]) -> None:
        if operator in SHOWS_TEXT and is_left_out(_place(page_matrix, text_matrix)):
            operands.clear()  # pypdf then shows nothing.

    return page.extract_text(visitor_operand_before=look)


def _place(page_matrix: Sequence[float], text_matrix: Sequence[float]) -> Place:
    a, b, c, d, e, f = page_matrix
    *_, x, y = text_matrix
    return Place(a * x + c * y + e, b * x + d * y + f)
