"""The essays in `examples/` read as its README says."""

from pathlib import Path

import pytest
from common_core.status_enums import FileErrorCode

from services.file_service.extraction import ExtractionFailed, essay_text

EXAMPLES = Path(__file__).parents[4] / "examples"

BEGINNINGS = {
    "Dokument1.docx": "Namn\tGösta Hägglund\n",
    "Uppsats Sofokles.pdf": "Elin Öberg, Svenska 3\n",
    "emma-checked-the-spelling.pdf": "Noah Williams\n",
    "essay-01.txt": "Astrid Lindqvist\n",
    "essay-02.docx": "Lindberg, Oscar\n",
    "essay-03.pdf": "Name: Emma Johansson\n",
    "essay-04.txt": "Namn: Åsa Öström\n",
    "essay-05.docx": "Björn Åkerlund\n",
    "essay-06.pdf": "Elev: Märta Sjögren\n",
    "essay-07.txt": "Author: Liam O’Connor\n",
    "essay-08.docx": "The Sea Does Not Forget\nmaja.ekstrom@example.org\n",
    "essay-10.txt": "Is It Ever Right to Lie?\n",
    "final version (2).docx": "A Room with Too Many Clocks\nBy Chloe Bennett\n",
    "hemuppgift.txt": "Zara Nyström 2025-03-14\nzara.nystrom@example.org\n",
    "usb-minnet.txt": "Wilma Sandström\n",
    "guest/en dag utan klocka.docx": "Namn: Tove Ahlgren\n",
    "guest/letter.pdf": "Patrick Moore\n",
    "guest/robots.txt": "Ingrid Falk\n",
}


@pytest.mark.parametrize("name", BEGINNINGS)
def test_an_example_is_an_essay_that_begins_as_expected(name: str) -> None:
    text = essay_text((EXAMPLES / name).read_bytes())

    assert text.startswith(BEGINNINGS[name])
    assert 110 <= len(text.split()) <= 300


def test_the_empty_example_is_found_empty() -> None:
    with pytest.raises(ExtractionFailed) as caught:
        essay_text((EXAMPLES / "essay-09.txt").read_bytes())

    assert caught.value.code is FileErrorCode.EMPTY_CONTENT


def test_no_example_is_left_out() -> None:
    files = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*") if path.is_file()}

    assert files == {*BEGINNINGS, "essay-09.txt", "roster.csv", "README.md"}
