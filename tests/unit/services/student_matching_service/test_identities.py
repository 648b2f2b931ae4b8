"""A text names its author in its head, its last lines and its page headers, never in between."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.student_matching_service.identities import Mention, mentions

PROSE = "\n\nThe old man went down to the sea that night, and nobody in the village saw him until the morning.\n" * 3


def found(head: str, tail: str = "") -> list[tuple[str, str]]:
    """What a text with this head and these last lines mentions as a name, and where."""
    return [(mention.found, mention.where) for mention in mentions(head + PROSE + tail) if not mention.is_whole]


@pytest.mark.parametrize(
    ("head", "name", "where"),
    [
        ("Tova Lindvall", "Tova Lindvall", "first line"),
        ("\ufeff\n\nTova Lindvall\n", "Tova Lindvall", "line 3"),
        ("\n\nTova Lindvall\n", "Tova Lindvall", "first line"),
        ("My Summer\nTova Lindvall", "Tova Lindvall", "line 2"),
        ("Tova Lindvall 2024-05-12", "Tova Lindvall", "first line"),
        ("Tova Lindvall, 12 maj 2024", "Tova Lindvall", "first line"),
        ("Tova Lindvall\tEngelska 6\t9B", "Tova Lindvall", "first line"),
        ("Lindvall, Tova", "Lindvall, Tova", "first line"),
        ("My Summer\nby Tova Lindvall", "Tova Lindvall", "line 2, after 'by'"),
        ("Min sommar av Tova Lindvall", "Tova Lindvall", "first line, after 'av'"),
        ("Name: Tova Lindvall", "Tova Lindvall", "line 1, field 'Name'"),
        ("Essä\n\nNamn – Tova Lindvall", "Tova Lindvall", "line 3, field 'Namn'"),
        ("Elev\tTova Lindvall\tKlass\t9B", "Tova Lindvall", "line 1, field 'Elev'"),
        ("Klass: 9B  Namn: Tova Lindvall  Datum: 1/2", "Tova Lindvall", "line 1, field 'Namn'"),
        ("Skriven av: Tova Lindvall", "Tova Lindvall", "line 1, field 'Skriven av'"),
        ("Namn:\nTova Lindvall", "Tova Lindvall", "line 2, field 'Namn'"),
        (
            "Förnamn: Tova\nEfternamn: Lindvall",
            "Tova Lindvall",
            "line 1, field 'Förnamn' and line 2, field 'Efternamn'",
        ),
        ("My Summer\ntova@school.example", "tova@school.example", "e-mail on line 2"),
    ],
)
def test_the_head_names_the_author(head: str, name: str, where: str) -> None:
    assert (name, where) in found(head)


@pytest.mark.parametrize(
    "head",
    [
        "Teacher: Tova Lindvall",
        "Lärare:\nTova Lindvall",
        "Granskad av: Tova Lindvall",
        "The hero: Tova Lindvall",
        "Bokens namn: Tova Lindvall",
        "Dear Tova Lindvall,",
        "Mr. Lindvall",
        "Tack till Tova Lindvall",
        "Lärarens e-post: tova@school.example",
    ],
)
def test_people_who_are_called_something_else_are_not_the_author(head: str) -> None:
    assert not any("Lindvall" in name or "@" in name for name, _ in found(head))


@pytest.mark.parametrize(("head", "name"), [("Till Lindvall", "Till Lindvall"), ("Tova Page 9B", "Tova Page")])
def test_words_that_usually_stand_beside_names_count_as_names_only_as_a_whole(head: str, name: str) -> None:
    assert (name, "first line", True) in [(m.found, m.where, m.is_whole) for m in mentions(head + PROSE)]


@pytest.mark.parametrize("quotation", ['"To be or not to be" – Tova Lindvall', "”Allt är möjligt.”\n– Tova Lindvall"])
def test_whoever_is_quoted_is_not_the_author(quotation: str) -> None:
    assert not any("Lindvall" in name for name, _ in found(f"The Sea\n{quotation}"))


@pytest.mark.parametrize("source", ["Lindvall, T. (2004). Essays.", "Lindvall, Tova. The Long Road. 1957."])
def test_sources_at_the_end_are_no_signature(source: str) -> None:
    assert not any("Lindvall" in name for name, _ in found("The Sea", tail=f"Works cited\n{source}\n"))


@pytest.mark.parametrize("title", ["Reviewed by {}", "My essay, read by {}", "Edited by {}", "Rättad av {}"])
def test_who_read_the_essay_is_not_its_author(title: str) -> None:
    assert not any("Lindvall" in name for name, _ in found(title.format("Tova Lindvall")))


def test_names_in_the_running_text_are_no_evidence() -> None:
    body = "\n\n".join(["I met Tova Lindvall in the harbour, and she told me everything about the war."] * 3)

    assert mentions(f"The War\n{body}\nTova Lindvall laughed when she heard it, and then we all went home.") == [
        Mention("The War", "first line", 0.99)
    ]


def test_a_signature_stands_in_the_last_lines() -> None:
    assert ("Tova Lindvall", "last lines") in found("My Summer", tail="Kind regards,\nTova Lindvall\n")


def test_a_page_header_is_found_by_its_repetition() -> None:
    page = PROSE + "Tova Lindvall 2\n" + PROSE + "Tova Lindvall 3\n"

    assert ("Tova Lindvall", "repeated line") in found("My Summer", tail=page + PROSE)


def test_an_author_field_with_an_unknown_name_still_names_somebody() -> None:
    assert [mention.names_somebody for mention in mentions("Name: Tova Lindvall" + PROSE)] == [True]


def test_a_title_names_nobody() -> None:
    assert not any(mention.names_somebody for mention in mentions("The Old Man and the Sea" + PROSE))


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=2000))
def test_every_text_can_be_read_and_what_is_found_stays_short(text: str) -> None:
    for mention in mentions(text):
        assert len(mention.found) <= 300
        assert 0 < mention.trust <= 1
