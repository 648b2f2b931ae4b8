"""Rosters as CSV: what spreadsheets write is read, and a mistake is named with its line and column."""

import pytest

from services.class_management_service import roster_csv
from services.class_management_service.roster_csv import RosterUnreadable


def names(text: str) -> list[tuple[str, str, str | None]]:
    return [(each.first_name, each.last_name, each.email) for each in roster_csv.read(text.encode())]


def test_each_line_is_a_student() -> None:
    assert names("first_name,last_name,email\nÅsa,Öström,asa@school.example\nBo,Ek,\n") == [
        ("Åsa", "Öström", "asa@school.example"),
        ("Bo", "Ek", None),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "first_name;last_name;email\nÅsa;Öström;asa@school.example",
        "\ufefffirst_name,last_name,email\r\nÅsa,Öström,asa@school.example\r\n",
        "email,last_name,first_name\nasa@school.example,Öström,Åsa",
        " First_Name , LAST_NAME,Email \n Åsa , Öström , asa@school.example ",
        'first_name,last_name,email\n"Åsa","Öström",asa@school.example\n\n,,\n',
        "first_name,last_name,email,shoe_size\nÅsa,Öström,asa@school.example,38",
    ],
    ids=[
        "semicolons",
        "byte order mark",
        "other order",
        "spaces and capitals",
        "quotes and empty lines",
        "more columns",
    ],
)
def test_what_spreadsheets_write_is_read(text: str) -> None:
    assert names(text) == [("Åsa", "Öström", "asa@school.example")]


def test_the_column_email_may_be_missing() -> None:
    assert names("first_name,last_name\nÅsa,Öström") == [("Åsa", "Öström", None)]


def test_a_name_with_a_comma_stands_in_quotes() -> None:
    assert names('first_name,last_name\n"Åsa, called Å",Öström') == [("Åsa, called Å", "Öström", None)]


def test_one_name_is_enough() -> None:
    assert names("first_name,last_name\n,Öström") == [("", "Öström", None)]


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("first_name,email\nÅsa,a@b", "line 1", "last_name"),
        ("förnamn,efternamn\nÅsa,Öström", "line 1", "first_name"),
        ("", "line 1", "first_name"),
        ("first_name,last_name,email\nÅsa,Öström,a@b\nBo,Ek,no address\n", "line 3", "email"),
        ("first_name,last_name,email\n,,a@b", "line 2", "first_name"),
        ("first_name,last_name\nÅsa,Öström\nBo,Ek,surplus", "line 3", "more values"),
        ("first_name,last_name\nÅsa,\x00", "line 2", "last_name"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_column(text: str, line: str, column: str) -> None:
    with pytest.raises(RosterUnreadable, match=rf"(?s){line}\b.*{column}"):
        names(text)


def test_a_quote_that_never_ends_is_refused() -> None:
    with pytest.raises(RosterUnreadable, match="not CSV"):
        names('first_name,last_name\n"Åsa,Öström')


def test_other_encodings_are_refused_with_the_way_out() -> None:
    with pytest.raises(RosterUnreadable, match="save it as CSV UTF-8"):
        roster_csv.read("first_name,last_name\nÅsa,Öström".encode("latin-1"))
