"""What the columns of a class list are called by school systems and spreadsheets, in English and Swedish."""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum


class Column(StrEnum):
    """What a column may say about a student."""

    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    WHOLE_NAME = "name"
    """Both names in one cell."""
    LEGAL_FULL_NAME = "legal_full_name"
    EMAIL = "email"
    STUDENT_ID = "student_id"


# In a list with several of a kind the first that is not empty counts; so who is called by a second name keeps that one.
HEADERS: Mapping[Column, Sequence[str]] = {
    Column.FIRST_NAME: (
        *("tilltalsnamn", "preferred name", "preferred first name", "first name", "given name", "forename", "förnamn"),
        *("first names", "given names", "forenames", "student first name", "elevens förnamn", "elev förnamn"),
    ),
    Column.LAST_NAME: (
        *("last name", "surname", "family name", "efternamn", "släktnamn"),
        *("student last name", "elevens efternamn", "elev efternamn"),
    ),
    Column.WHOLE_NAME: (
        *("name", "full name", "display name", "student", "student name", "pupil", "pupil name"),
        *("last name, first name", "surname, forename", "surname, given name"),
        *("namn", "fullständigt namn", "visningsnamn", "elev", "elevnamn", "elevens namn", "efternamn, förnamn"),
    ),
    Column.LEGAL_FULL_NAME: ("legal full name", "legal name", "folkbokföringsnamn", "juridiskt namn"),
    Column.EMAIL: (
        *("email", "email address", "mail", "mail address", "school email", "student email", "user principal name"),
        *("e-post", "e-postadress", "mejl", "mejladress", "mail adress", "skolmejl", "skolans e-post"),
        *("elevens e-post", "e-post elev", "elev e-post"),
    ),
}


def column_of(header: str) -> Column | None:
    """What a column with this header says; None when it is nothing about names or addresses."""
    # Not "Student ID" and the like: other systems have numbers of their own there.
    return Column.STUDENT_ID if header.strip() == Column.STUDENT_ID else MEANINGS.get(_plain(header))


def columns(header: Sequence[str]) -> dict[Column, list[int]]:
    """The places of each column that is understood, the preferred first."""
    known = [(column, place) for place, name in enumerate(header) if (column := column_of(name))]
    preferred = sorted(known, key=lambda each: RANKS.get(_plain(header[each[1]]), 0))
    return {column: [place for each, place in preferred if each is column] for column, _ in preferred}


def _plain(header: str) -> str:
    """Letters and digits alone, without accents and without what stands in brackets: `E-mail [Required]` is `email`."""
    before_brackets = header.partition("[")[0].partition("(")[0]
    decomposed = unicodedata.normalize("NFKD", before_brackets).casefold()
    return "".join(character for character in decomposed if character.isalnum())


MEANINGS = {_plain(name): column for column, names in HEADERS.items() for name in names}
RANKS = {_plain(name): rank for names in HEADERS.values() for rank, name in enumerate(names)}
