"""Who is taught, quoted, thanked, asked or written about is not taken for the author, whatever the line looks like."""

import pytest
from common_core.events.class_management import RosterStudent
from common_core.status_enums import AssociationConfidenceLevel

from services.student_matching_service.matching import Match, Roster
from tests.unit.services.student_matching_service.test_matching import PROSE, only, student

EMIL, TOVA = student(1, "Emil", "Berg"), student(2, "Tova", "Lindvall", email="tova.lindvall@school.example")
MASRI = student(3, "Mohammed", "Al-Masri")
TAKEN_AT_THE_DEADLINE = 0.7


def match(head: str, tail: str = "", *others: RosterStudent) -> Match:
    """Match a text with this head and these last lines."""
    return Roster([EMIL, TOVA, *others]).match(head + PROSE + tail)


def most(suggested: Match) -> float:
    """The confidence of the first suggestion; 0 without any."""
    return max((each.confidence_score for each in suggested.suggestions), default=0.0)


@pytest.mark.parametrize(
    "title",
    [
        "Speech by {}", "A speech by {}", "Tal av {}", "Ett tal av {}", "Talet av {}", "Song by {}", "Painting by {}",
        "Photo by {}", "Foto av {}", "Quote by {}", "Citat av {}", "Article by {}", "Debattartikel av {}",
        "Krönika av {}", "Insändare av {}", "Comments by {}", "Kommentar av {}", "Boken av {}", "Novellen av {}",
        "Efter en idé av {}", "Skickat av {}", "Delat av {}", "Renskrivet av {}", "Utskrivet av {}",
    ],
)  # fmt: skip
def test_a_work_of_somebody_is_suggested_at_most_as_possible(title: str) -> None:
    assert most(match(title.format("Emil Berg"))) < TAKEN_AT_THE_DEADLINE


@pytest.mark.parametrize(
    "line",
    [
        "As told by {}", "Sung by {}", "Sent by {}", "Enligt {}", "According to {}", "Tillägnad {}", "Grattis {}!",
        "RIP {}", "Biografi {}", "Personporträtt {}", "{} wrote:", "{} skrev:", "{}:", "Den 3 maj 2024 skrev {}:",
        "On Mon, 3 May 2024, {} wrote:", "{} (2019)", "{} (2019). Skolan.", "({}, 2019)", "{} (1912-1980)",
        "{}, 1912–1980", "[1] {}, Essays, 2019", "{}, författare", "{} (redaktör)", "{}, parent",
        "”Det är sant.”\n{}", '"Never give up!"\n{}', "Från: {}", "From: {}\nTo: Nora", "Granskare: {}",
    ],
)  # fmt: skip
def test_who_speaks_is_quoted_or_honoured_is_not_the_author(line: str) -> None:
    assert match(line.format("Emil Berg")).suggestions == ()


@pytest.mark.parametrize("source", ["Berg, E. (2019)", "Berg, Emil (2019)", "Berg, E. (2019). Essays.", "(Berg, 2019)"])
def test_a_source_at_the_head_is_not_the_author(source: str) -> None:
    assert match(source).suggestions == ()


@pytest.mark.parametrize("line", ["{} 2024-05-12", "{} (9B)", "{} (2024-05-12)", "{} 1999-05-12", "{}, SA22, 2024"])
def test_a_date_or_a_class_beside_the_name_makes_no_source_of_it(line: str) -> None:
    assert only(match(line.format("Emil Berg"))).confidence_level is AssociationConfidenceLevel.HIGH


@pytest.mark.parametrize("line", ['"{}"', "”{}”", "{}?", "{}!", "({})"])
def test_a_name_in_quotes_or_called_out_is_looked_at(line: str) -> None:
    assert most(match(line.format("Emil Berg"))) <= 0.9


@pytest.mark.parametrize("mail", ["From: tova.lindvall@school.example", "Cc: tova.lindvall@school.example"])
def test_addresses_of_a_copied_mail_are_no_evidence(mail: str) -> None:
    assert match(f"The Sea\n{mail}").suggestions == ()


@pytest.mark.parametrize("byline", ["Av {}", "by {}", "Written by {}", "Av: {}", "Skriven av: {}"])
def test_the_line_above_a_byline_is_a_title(byline: str) -> None:
    by_tova = match(f"Emil Berg\n{byline.format('Tova Lindvall')}")

    assert by_tova.no_match_reason is None
    assert by_tova.suggestions[0].student_id == TOVA.student_id
    assert match(f"Emil Berg\n{byline.format('Zuzu Qvist')}").suggestions == ()


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        ("", "Zuzu Qvist\n"),
        ("", "Written by Zuzu Qvist\n"),
        ("", "Av: Zuzu Qvist\n"),
        ("", "zuzu.qvist@elsewhere.example\n"),
        ("\nzuzu.qvist@elsewhere.example", ""),
        ("\nThe Great Sea\nby Zuzu Qvist", ""),
    ],
)
def test_a_title_is_looked_at_where_a_byline_an_address_or_a_signature_names_somebody_else(
    head: str, tail: str
) -> None:
    assert 0.7 <= most(match(f"Emil Berg{head}", tail)) <= 0.9


@pytest.mark.parametrize("title", ["By the River", "Av kärlek", "Foto", "Från mitt fönster"])
@pytest.mark.parametrize("head", ["Emil Berg\n{}", "{}\nEmil Berg"])
def test_a_title_that_begins_like_a_byline_or_a_label_changes_nothing(head: str, title: str) -> None:
    assert only(match(head.format(title))).confidence_level is AssociationConfidenceLevel.HIGH


def test_a_title_in_quotes_makes_no_quotation_of_the_name_below() -> None:
    assert only(match('"Why?"\nEmil Berg')).confidence_level is AssociationConfidenceLevel.HIGH


@pytest.mark.parametrize("field", ["Emil Berg\nNamn: Zuzu Qvist", "Name: Zuzu Qvist\nEmil Berg"])
def test_who_stands_beside_an_authors_field_of_somebody_else_is_not_taken_at_the_deadline(field: str) -> None:
    assert most(match(field)) < TAKEN_AT_THE_DEADLINE


def test_half_a_name_after_by_is_not_outweighed_by_a_full_name_in_the_title() -> None:
    assert most(match("Emil Berg\n\nav Tova")) < TAKEN_AT_THE_DEADLINE


@pytest.mark.parametrize(
    "tail",
    [
        "Works cited\nBerg, Emil. 2019.\n", "References\nEmil Berg\n", "Källor\nWikipedia\nBerg, Emil. Essays. 2019.\n",
        "Intervju:\nEmil Berg\n", "Muntliga källor\nEmil Berg\n", "Peer reviewer\nEmil Berg\n", "Comment\nEmil Berg\n",
        "Lärarens kommentar: Bra!\nBerätta mer.\nEmil Berg\n", "Bedömning\nEmil Berg\n", "Emil Berg\nlärare\n",
        "Emil Berg\nTeacher\n", "”Ge aldrig upp.”\nEmil Berg\n",
    ],
)  # fmt: skip
def test_sources_comments_and_roles_at_the_end_are_no_signature(tail: str) -> None:
    assert match("The Sea", tail).suggestions == ()


def test_a_signature_below_the_sources_is_one() -> None:
    tail = "Works cited\nQvist, Zuzu. The Long Road. 1957.\nQvist, Z. (2004). Essays.\nEmil Berg\n"

    assert only(match("The Sea", tail)).student_id == EMIL.student_id


def test_a_middle_initial_after_another_first_name_is_not_the_students_first_name() -> None:
    assert match("Imogen E. Berg").suggestions == ()


@pytest.mark.parametrize(
    "written", ["Mohamed Almasri", "Mohammed Elmasri", "Muhammad Al Masri", "Namn: Mohamed Almasri"]
)
def test_a_particle_written_together_with_the_name_is_found(written: str) -> None:
    assert only(match(written, "", MASRI)).student_id == MASRI.student_id


@pytest.mark.parametrize("written", ["Mohammed Al-Masri", "Mohamed El Masri"])
def test_a_particle_written_apart_is_found(written: str) -> None:
    together = student(4, "Mohammed", "Almasri")

    assert only(match(written, "", together)).student_id == together.student_id


@pytest.mark.parametrize("written", ["Berg_Emil_9B", "Emil_Berg", "emil_berg_9b"])
def test_underscores_stand_for_spaces(written: str) -> None:
    assert only(match(written)).student_id == EMIL.student_id
