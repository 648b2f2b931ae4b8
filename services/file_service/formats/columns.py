"""Pages in two columns whose lines were written across both: read one column after the other.

pypdf gives text in the order in which it was written; most programs write a column to its end. A page written across is
read twice, each time without the other column.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import mode
from typing import Any, NamedTuple

from pypdf import PageObject

SHOWS_TEXT = frozenset((b"Tj", b"TJ", b"'", b'"'))
SHOWN = re.compile(rb"T[jJ]")

SAME_LINE, SAME_EDGE = 6.0, 3.0
"""Points within which two pieces stand on one line, or begin at one edge."""

FEWEST_LINES, SHARE = 8, 0.6
"""So many lines, and such a part of those between the first and the last of them, begin again at the same edge: fewer
are a table or a signature, or words that happen to stand below each other. Others are indented, or short."""

MIDDLE = 0.35, 0.65
"""Of the page's width: there the second column begins. A list, or the speakers of a play, have their edge elsewhere."""


class Place(NamedTuple):
    """Where a piece of text begins, in points from the page's lower left corner."""

    x: float
    y: float


def text_of(page: PageObject) -> str:
    """The text of a page."""
    contents = page.get_contents()
    if contents is None or not SHOWN.search(contents.get_data()):
        return page.extract_text()  # Without a look at each operator, pypdf passes over large drawings.
    places: list[Place] = []
    text = _read(page, places.append)
    edge = _second_column(places, page)
    if edge is None:
        return text
    first = _read(page, lambda place: _is_beside(place, edge))
    second = _read(page, lambda place: not _is_beside(place, edge))
    return "\n".join(line.strip() for line in f"{first}\n{second}".split("\n") if line.strip())


def _second_column(places: Sequence[Place], page: PageObject) -> Place | None:
    """Where the second column begins on a page that was written across both; None on any other."""
    again = [
        (number, place)
        for number, (before, place) in enumerate(pairwise(places), 1)
        if _same_line(before, place) and before.x < place.x
    ]
    if not again:
        return None
    edge = mode(round(place.x) for _, place in again)
    lines = [(number, place) for number, place in again if abs(place.x - edge) <= SAME_EDGE]
    (start, top), (stop, _) = lines[0], lines[-1]
    between = 1 + sum(not _same_line(before, place) for before, place in pairwise(places[start : stop + 1]))
    if len(lines) < max(FEWEST_LINES, SHARE * between):
        return None
    begins, ends = (float(page.mediabox.left) + share * float(page.mediabox.width) for share in MIDDLE)
    return Place(edge, top.y) if begins < edge < ends else None


def _is_beside(place: Place, edge: Place) -> bool:
    """Whether a piece belongs to the second column; what stands above both, such as a name and a date, does not."""
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
