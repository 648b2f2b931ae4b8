"""Plain text comes out right whatever its encoding."""

import pytest

from services.file_service.extraction import extract_text

SWEDISH = "Åsa Öström\nI går åkte vi till sjön. Där såg vi ”många” fåglar – och Björn kom för sent…\nDet är allt."
ENGLISH = "Åsa Berg\nThis essay has one Swedish letter only.\n" + "It doesn’t say “much” – and is plain English.\n" * 9
ONE_LETTER = "Björn Berg\n" + "A text in which no other letter helps to find out what this one is.\n" * 9
BARE = "The author's name is Ann. Nothing but ASCII stands in this essay, so any encoding will do.\n"
UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")


@pytest.mark.parametrize("encoding", [*UNICODE, "cp1252", "mac_roman"])
@pytest.mark.parametrize(
    "text", [SWEDISH, ENGLISH, ONE_LETTER, BARE], ids=["swedish", "english", "one letter", "ascii"]
)
def test_every_encoding_is_told_from_the_bytes(text: str, encoding: str) -> None:
    assert extract_text(text.encode(encoding)) == text.strip()


def test_latin_1_is_read_as_the_windows_1252_it_is_part_of() -> None:
    assert extract_text("Å ä ö é ü".encode("latin-1")) == "Å ä ö é ü"


@pytest.mark.parametrize(
    "name", ["Saša Novak", "Slavoj Žižek", "Zoë Müller", "ÅSA ÖBERG", "José Muñoz", "Søren Kierkegård"]
)
def test_a_foreign_name_does_not_make_windows_1252_look_like_mac_roman(name: str) -> None:
    text = f"{name}\nwrote this, and nothing else in it is out of the ordinary."

    assert extract_text(text.encode("cp1252")) == text


def test_one_broken_byte_does_not_spoil_the_other_letters() -> None:
    whole = SWEDISH.encode()

    assert extract_text(whole[:-4] + b"\xff" + whole[-4:]).startswith(SWEDISH[:60])
