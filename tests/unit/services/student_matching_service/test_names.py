"""Names are folded, cut into words and compared as people read them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.student_matching_service.letters import fold
from services.student_matching_service.words import How, Word, closeness, words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Åsa Öström", "asa ostrom"),
        ("Łukasz Đorđević", "lukasz dordevic"),
        ("Bjørn Næss", "bjorn naess"),
        ("WEIß", "weiss"),
        ("José", "jose"),
        ("A\u030asa", "asa"),
    ],
)
def test_folding_leaves_plain_small_letters(written: str, folded: str) -> None:
    assert fold(written) == folded


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folding_does_not_care_how_a_letter_and_its_accent_are_stored(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Karl-Erik af Ekfeldt", ["karl", "erik", "af", "ekfeldt"]),
        ("Liv O’Dalen", ["liv", "odalen"]),
        ("A.B. Storvik", ["a", "b", "storvik"]),
        ("  __Tova   Lindvall__ ", ["tova", "lindvall"]),
        ("9B / 12", ["b"]),
        ("", []),
    ],
)
def test_a_name_is_cut_into_its_words(written: str, plain: list[str]) -> None:
    assert [word.plain for word in words(written)] == plain


@pytest.mark.parametrize(
    ("written", "known", "how"),
    [
        ("TOVA", "Tova", How.SAME),
        ("Ostrom", "Öström", How.FOLDED),
        ("Oestroem", "Öström", How.FOLDED),
        ("Öström", "Oestroem", How.FOLDED),
        ("Aase", "Åse", How.FOLDED),
        ("Lindvell", "Lindvall", How.TYPO),
        ("Sther", "Sæther", How.TYPO),
        ("Lnidvall", "Lindvall", How.TYPO),
        ("Lindval", "Lindvall", How.SOUND),
        ("Yousef", "Youssef", How.SOUND),
        ("Philip", "Filip", How.SOUND),
        ("Carlson", "Karlsson", How.SOUND),
        ("Иван", "Ivan", How.FOLDED),
        ("Παπαδόπουλος", "Papadopoulos", How.FOLDED),
        ("Lasse", "Lars", How.NICKNAME),
        ("William", "Bill", How.NICKNAME),
        ("Muhammad", "Mohammed", How.NICKNAME),
        ("Cammie", "Camilla", How.SHORT),
        ("Valde", "Valdemar", How.SHORT),
        ("Þ", "Þórunn", How.INITIAL),
        ("Ö", "Öström", How.INITIAL),
    ],
)
def test_a_written_word_resembles_a_known_one(written: str, known: str, how: How) -> None:
    close = closeness(Word.of(written), Word.of(known))

    assert close is not None
    assert close.how is how


@pytest.mark.parametrize(
    ("written", "known"), [("Jan", "Jon"), ("Bo", "Bob"), ("Tova", "Nora"), ("Jonsson", "Johansson"), ("E", "Tova")]
)
def test_another_name_is_not_taken_for_a_slip(written: str, known: str) -> None:
    assert closeness(Word.of(written), Word.of(known)) is None


@pytest.mark.parametrize(("likely", "unlikely"), [("Svenzson", "Svenssom"), ("Toiva", "Rova")])
def test_a_slip_at_the_beginning_or_the_end_of_a_name_is_worth_less(likely: str, unlikely: str) -> None:
    known = Word.of("Svensson" if likely[0] == "S" else "Tova")
    close, far = closeness(Word.of(likely), known), closeness(Word.of(unlikely), known)

    assert close is not None
    assert far is not None
    assert far.worth < close.worth < 0.9
