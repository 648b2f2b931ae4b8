"""What `scriptorium demo` submits: the examples, and a class of a hundred for the figures."""

import csv
from itertools import product
from pathlib import Path

from common_core.status_enums import CourseCode

from scriptorium.migrations import CHECKOUT
from scriptorium.submission import Order, files_in
from scriptorium.teacher import by_handwriting

EXAMPLES = CHECKOUT / "examples"
FIRST_NAMES = ["Astrid", "Bengt", "Cecilia", "David", "Elsa", "Farid", "Greta", "Hassan", "Ingrid", "Jonas"]
LAST_NAMES = ["Alm", "Berg", "Carlén", "Dahlin", "Ekström", "Forsman", "Grönlund", "Hedman", "Isaksson", "Jonsson"]
SENTENCES = (
    "When I was younger I thought that every library had a door which only the librarian knew about.",
    "One winter afternoon I found mine, behind the shelf with the atlases, and it was not even locked.",
    "Behind it there was a reading room with green lamps, and somebody had left a letter on the table.",
    "I have never told anybody what stood in it, but I have written it down here, as well as I remember.",
)


def examples() -> list[Order]:
    """A REGULAR batch with one file more than it has slots, and a GUEST batch."""
    roster = EXAMPLES / "roster.csv"
    files = files_in(EXAMPLES, but=roster)
    regular = Order(
        "REGULAR batch", files, CourseCode.ENG5, roster, "Example class", len(files) - 1, choose=by_handwriting
    )
    return [regular, Order("GUEST batch", files_in(EXAMPLES / "guest"), CourseCode.SV1)]


def own(essays: Path, roster: Path) -> list[Order]:
    """The user's own files."""
    return [Order("REGULAR batch", files_in(essays, but=roster), CourseCode.ENG5, roster, essays.resolve().name)]


def hundred(folder: Path) -> Order:
    """A class of a hundred students, each with a small essay of their own, written into a new folder."""
    folder.mkdir()
    students = list(product(FIRST_NAMES, LAST_NAMES))
    roster = folder / "roster.csv"
    with roster.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("first_name", "last_name", "email"), *((*name, "") for name in students)])
    for number, (first, last) in enumerate(students, start=1):
        text = f"{first} {last}\n\nThe Door, version {number}\n\n" + "\n".join(SENTENCES)
        (folder / f"essay-{number:03}.txt").write_text(text, encoding="utf-8")
    return Order("Batch of 100", files_in(folder, but=roster), CourseCode.ENG5, roster, "Class of 100")
