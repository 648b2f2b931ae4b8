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
        *("tilltalsnamn", "preferred name", "preferred first name", "preferred forename", "preferred given name"),
        *("known as", "chosen name", "chosen first name", "chosen forename"),
        *("first name", "given name", "forename", "förnamn", "first names", "given names", "forenames"),
        *("student first name", "pupil first name", "pupil forename", "elevens förnamn", "elev förnamn"),
        *("legal first name", "legal forename", "legal given name"),
    ),
    Column.LAST_NAME: (
        *("preferred last name", "preferred surname", "preferred family name", "chosen last name", "chosen surname"),
        *("last name", "surname", "family name", "efternamn", "släktnamn"),
        *("student last name", "pupil last name", "pupil surname", "elevens efternamn", "elev efternamn"),
        *("legal last name", "legal surname", "legal family name"),
    ),
    Column.WHOLE_NAME: (
        *("name", "full name", "display name", "student", "student name", "student full name"),
        *("pupil", "pupil name", "pupil full name", "learner", "learner name", "sortable name", "sorted name"),
        *("last name, first name", "last, first", "surname, forename", "surname, given name", "surname, first name"),
        *("namn", "fullständigt namn", "visningsnamn", "elev", "elevnamn", "elevens namn", "elevens fullständiga namn"),
        *("efternamn, förnamn", "deltagare", "deltagarens namn", "studerande"),
    ),
    Column.LEGAL_FULL_NAME: ("legal full name", "legal name", "folkbokföringsnamn", "juridiskt namn"),
    Column.EMAIL: (
        *("email", "email address", "mail", "mail address", "school email", "school email address"),
        *("student email", "student email address", "pupil email", "pupil email address"),
        *("primary email", "primary email address", "user principal name"),
        *("e-post", "e-postadress", "mejl", "mejladress", "mail adress", "e-mailadress", "skolmejl", "skolmail"),
        *("skolans e-post", "skolans e-postadress", "e-post skola", "skol-e-post"),
        *("elevens e-post", "elevens e-postadress", "elevens mejladress", "e-post elev", "elev e-post"),
    ),
}

NOBODY = frozenset(("points possible", "test student", "date", "points", "class average"))
"""What stands for a name, without an e-mail, in lines of Canvas and Google Classroom that are about no student."""
MANUAL_POSTING = "manual posting"
"""What Canvas writes into a line below the header, under the tasks it is about."""


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
