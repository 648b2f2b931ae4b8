"""How an operator reads and writes spans of time, and what strangers wrote."""

import pytest
import typer
from scriptorium.operations.options import seconds
from scriptorium.operations.words import age, printable


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (725, "12m 5s"),
        (3_600, "1h"),
        (7_260, "2h 1m"),
        (86_400 * 3 + 3_600 * 4, "3d 4h"),
        (-1, "0s"),
    ],
)
def test_an_age_has_its_two_largest_units(span: float, words: str) -> None:
    assert age(span) == words


@pytest.mark.parametrize(("text", "span"), [("90s", 90), ("15m", 900), ("2h", 7_200), ("3d", 259_200)])
def test_a_span_is_a_number_and_a_unit(text: str, span: int) -> None:
    assert seconds(text) == span


@pytest.mark.parametrize("text", ["", "2", "h", "-2h", "2 h", "1.5h", "2w"])
def test_another_span_is_a_wrong_use(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="such as 90s, 15m, 2h or 3d"):
        seconds(text)


def test_control_characters_stand_as_their_codes() -> None:
    assert printable("Åsa\x1b[2J\x9b\n\u202e") == "Åsa\\x1b[2J\\x9b\\n\\u202e"
