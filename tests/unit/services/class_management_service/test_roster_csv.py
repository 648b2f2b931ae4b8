"""Class lists as CSV: what school systems and spreadsheets write is read, and every mistake is named with its line."""

import unicodedata

import pytest

from services.class_management_service import roster_csv
from services.class_management_service.roster_columns import HEADERS, column_of
from services.class_management_service.roster_csv import RosterUnreadable

ASA = [("Åsa", "Öström", "asa@school.example")]
SWEDISH = "Förnamn;Efternamn;E-post\r\nÅsa;Öström;asa@school.example\r\n"


def names(csv: str | bytes) -> list[tuple[str, str, str | None]]:
    found = roster_csv.read(csv.encode() if isinstance(csv, str) else csv)
    assert not found.problems
    return [(each.first_name, each.last_name, each.email) for each in found.students]


def problems(csv: str | bytes) -> list[tuple[int, str | None, str]]:
    found = roster_csv.read(csv.encode() if isinstance(csv, str) else csv)
    return [(each.line, each.column, each.message) for each in found.problems]


def lines(csv: str) -> list[tuple[int, str | None]]:
    return [(line, column) for line, column, _ in problems(csv)]


# What is read


def test_each_line_is_a_student() -> None:
    assert names("first_name,last_name,email\nÅsa,Öström,asa@school.example\nBo,Ek,\n") == [*ASA, ("Bo", "Ek", None)]


@pytest.mark.parametrize(
    "text",
    [
        "first_name;last_name;email\nÅsa;Öström;asa@school.example",
        "first_name\tlast_name\temail\nÅsa\tÖström\tasa@school.example",
        "sep=;\nfirst_name;last_name;email\nÅsa;Öström;asa@school.example",
        "\ufefffirst_name,last_name,email\r\nÅsa,Öström,asa@school.example\r\n",
        "first_name,last_name,email\rÅsa,Öström,asa@school.example\r",
        "\n;;\nfirst_name;last_name;email\nÅsa;Öström;asa@school.example",
        "Klasslista 9B\n2026-11-22, Skolan\n\nfirst_name;last_name;email\nÅsa;Öström;asa@school.example",
        "email,last_name,first_name\nasa@school.example,Öström,Åsa",
        " First_Name , LAST_NAME,Email \n Åsa , Öström , asa@school.example ",
        'first_name,last_name,email\n"Åsa","Öström",asa@school.example\n\n,,\n',
        "first_name,last_name,email,shoe_size\nÅsa,Öström,asa@school.example,38",
        "first_name,last_name,email\nÅsa,Öström,asa@school.example,,,",
        unicodedata.normalize("NFD", "Förnamn,Efternamn,E-post\nÅsa,Öström,asa@school.example"),
    ],
    ids=[
        "semicolons",
        "tabs",
        "Excel's first line",
        "byte order mark",
        "line ends of old",
        "empty lines first",
        "a title first",
        "other order",
        "spaces and capitals",
        "quotes and empty lines",
        "more columns",
        "empty values behind",
        "accents apart",
    ],
)
def test_what_spreadsheets_write_is_read(text: str) -> None:
    assert names(text) == ASA


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "windows-1252", "utf-16"])
def test_the_encodings_of_spreadsheets_are_told_apart(encoding: str) -> None:
    assert names(SWEDISH.encode(encoding)) == ASA


@pytest.mark.parametrize(
    "header",
    [
        "Förnamn;Efternamn;E-post",
        "FORNAMN;EFTERNAMN;EPOST",
        "Tilltalsnamn;Släktnamn;Mejl",
        "Elevens förnamn;Elevens efternamn;E-postadress",
        "First name;Surname;E-mail",
        "Given Name;Family-Name;Email Address",
        "First Name [Required];Last Name [Required];Email Address [Required]",
        "GivenName;Surname;UserPrincipalName",
    ],
)
def test_the_headers_of_school_systems_are_understood(header: str) -> None:
    assert names(f"{header}\nÅsa;Öström;asa@school.example") == ASA


EXPORTS = {
    "Canvas gradebook": (
        "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Essay (12),Final Score\r\n"
        ",,,,,Manual Posting,\r\n"
        "    Points Possible,,,,,20,(read only)\r\n"
        '"Öström, Åsa",101,s101,asa01,9B,18,90\r\n'
        '"Student, Test",999,,abc,9B,,\r\n',
        None,
    ),
    "Google Classroom grades": (
        "Last Name,First Name,Email Address,Essay\nDate,,,2026-11-22\nPoints,,,20\nClass average,,,17\n"
        "Öström,Åsa,asa@school.example,18\n",
        "asa@school.example",
    ),
    "Google Workspace users": (
        "First Name [Required],Last Name [Required],Email Address [Required],Org Unit Path [Required]\n"
        "Åsa,Öström,asa@school.example,/9B\n",
        "asa@school.example",
    ),
    "Moodle grades": (
        '"First name","Last name","ID number",Institution,Department,"Email address","Assignment: Essay (Real)"\n'
        "Åsa,Öström,,,,asa@school.example,18\n",
        "asa@school.example",
    ),
    "Moodle in Swedish": (
        "Förnamn;Efternamn;ID-nummer;Institution;Avdelning;E-postadress\nÅsa;Öström;;;;asa@school.example\n",
        "asa@school.example",
    ),
    "PowerSchool": (
        "Student_Number\tLastFirst\tGrade_Level\tStudent_Email\n1\tÖström, Åsa\t9\tasa@school.example\n",
        "asa@school.example",
    ),
    "PowerSchool by names": ("Student_Number,Last_Name,First_Name,Home_Room\n1,Öström,Åsa,9B\n", None),
    "iSAMS": (
        "School Code,Surname,Forename,Preferred Name,Form,Email Address\n7,Öström,Eva Åsa,Åsa,9B,asa@school.example\n",
        "asa@school.example",
    ),
    "iSAMS, one column": (
        '"Pupil Name",Form,"Pupil Email"\n"Öström, Åsa",9B,asa@school.example\n',
        "asa@school.example",
    ),
    "SIMS": ("Legal Surname,Legal Forename,Chosen Name,Reg\nÖström,Eva,Åsa,9B\n", None),
    "OneRoster": (
        "sourcedId,status,givenName,familyName,preferredFirstName,email,role\n1,active,Eva,Öström,Åsa,asa@school.example,x\n",
        "asa@school.example",
    ),
    "SchoolSoft": (
        "Personnr;Efternamn;Förnamn;Klass;Elevens e-postadress;E-post vårdnadshavare 1\r\n"
        "110101-0000;Öström;Åsa;9B;asa@school.example;mamma@home.example\r\n",
        "asa@school.example",
    ),
    "InfoMentor": ('Elev;Klass;E-post\n"Öström, Åsa";9B;asa@school.example\n', "asa@school.example"),
    "Skola24": ("Klass;Elevens fullständiga namn;Personnummer\n9B;Åsa Öström;20110101-0000\n", None),
}


@pytest.mark.parametrize("system", EXPORTS)
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_what_school_systems_export_is_read_as_it_is(system: str, encoding: str) -> None:
    text, email = EXPORTS[system]

    assert names(text.removeprefix("\ufeff" * (encoding != "utf-8")).encode(encoding)) == [("Åsa", "Öström", email)]


def test_somebody_whose_name_is_a_word_of_gradebooks_is_taken_with_an_email() -> None:
    assert names("Efternamn,Förnamn,E-post\nDate,,date@school.example") == [("", "Date", "date@school.example")]


def test_a_student_beside_whose_name_stands_what_gradebooks_write_below_their_header_is_taken() -> None:
    assert names('Student,Essay\n,Manual Posting\n"Öström, Åsa",Manual Posting') == [("Åsa", "Öström", None)]


def test_no_header_means_two_things() -> None:
    for column, known in HEADERS.items():
        assert {column_of(name) for name in known} == {column}


@pytest.mark.parametrize("header", ["Vårdnadshavare e-post", "E-post vårdnadshavare 1", "Student ID", "Klass", ""])
def test_what_is_about_somebody_or_something_else_is_not_taken(header: str) -> None:
    assert column_of(header) is None


@pytest.mark.parametrize("header", ["Name", "Namn", "Student", "Efternamn, Förnamn"])
@pytest.mark.parametrize("name", ["Öström, Åsa", "Öström ,  Åsa", "Åsa Öström"])
def test_a_whole_name_has_the_last_name_before_a_comma_or_at_the_end(header: str, name: str) -> None:
    assert names(f'"{header}";E-post\n"{name}";asa@school.example') == ASA


def test_a_list_may_be_names_alone() -> None:
    assert names('Namn\n"Öström, Åsa"\nBo von Ek\nMadonna') == [
        ("Åsa", "Öström", None),
        ("Bo von", "Ek", None),
        ("Madonna", "", None),
    ]


def test_who_is_called_by_another_of_their_first_names_has_that_one() -> None:
    text = "Förnamn,Efternamn,Tilltalsnamn,Namn\nEva Åsa,Öström,Åsa,Någon Annan\nBo,Ek,,Någon Annan"

    assert names(text) == [("Åsa", "Öström", None), ("Bo", "Ek", None)]


def test_columns_that_say_nothing_of_names_and_addresses_are_left_out_and_listed() -> None:
    found = roster_csv.read("Klass;Förnamn;;Efternamn;Personnummer\n9B;Åsa;x;Öström;0".encode())

    assert found.ignored_columns == ("Klass", "Personnummer")
    assert not found.problems


def test_ids_and_legal_names_are_kept() -> None:
    student_id = "00000000-0000-0000-0000-000000000007"
    found = roster_csv.read(f"first_name,last_name,student_id,legal_full_name\nÅsa,Ek,{student_id},Eva Ek".encode())

    (student,) = found.students
    assert (str(student.student_id), student.legal_full_name) == (student_id, "Eva Ek")


def test_a_name_with_a_comma_stands_in_quotes() -> None:
    assert names('first_name,last_name\n"Åsa, called Å",Öström') == [("Åsa, called Å", "Öström", None)]


def test_one_name_is_enough() -> None:
    assert names("first_name,last_name\n,Öström") == [("", "Öström", None)]


# What is wrong


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("first_name,email\nÅsa,a@b", 1, "last_name"),
        ("\n\nKlass;Elevnummer\n9B;7", 3, "first_name"),
        ("", 1, "first_name"),
        ("first_name,last_name,email\nÅsa,Öström,a@b\nBo,Ek,no address\n", 3, "email"),
        ("first_name,last_name,email\n,,a@b", 2, "first_name"),
        ("first_name,last_name\nÅsa,Öström\nBo,Ek,surplus", 3, "more values"),
        ("first_name,last_name\nÅsa,\x00", 2, "last_name"),
        ("first_name,last_name,student_id\nÅsa,Ek,7", 2, "student_id"),
        ('first_name,last_name\n"Åsa,Öström', 2, "not CSV"),
        ('first_name,last_name\n"Å\nsa",Ek\nBo,Ek,surplus', 4, "more values"),
        ("first_name,last_name\n" + "x" * 200_000, 2, "not CSV"),
        ("x" * 200_000, 1, "not CSV"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_column(text: str, line: int, column: str) -> None:
    found = problems(text)

    assert found[0][0] == line
    assert column in f"{found[0][1]}: {found[0][2]}"


def test_all_mistakes_are_named_and_the_other_lines_are_read() -> None:
    text = 'Namn;E-post\n"Ek, Bo";no address\n;a@b\n"Öström, Åsa";asa@school.example;x\n"Alm, Cy";\n"Ek" x;\nDi Ek;di'
    found = roster_csv.read(text.encode())

    assert lines(text) == [(2, "email"), (3, None), (4, None), (6, None), (7, "email")]
    assert [each.first_name for each in found.students] == ["Cy"]


def test_the_same_address_twice_is_named_with_both_lines() -> None:
    text = "first_name,last_name,email\nÅsa,Ek,a@b\nBo,Ek,c@d\nCy,Ek,A@B\nDi,Ek,a@b"

    assert lines(text) == [(4, "email"), (5, "email")]
    assert all("line 2" in message for _, _, message in problems(text))


@pytest.mark.parametrize(
    ("one", "other", "is_a_problem"),
    [
        ("Åsa,Ek,,", "åsa,EK,,", True),
        ("Åsa,Ek,a@b,", "Åsa,Ek,,", True),
        ("Åsa,Ek,a@b,", "Åsa,Ek,c@d,", False),
        ("Åsa,Ek,,Eva Ek", "Åsa,Ek,,Maj Ek", False),
        ("Åsa,Ek,,Eva Ek", "Åsa,Ek,,", True),
        ("Åsa,Ek,,", "Asa,Ek,,", False),
    ],
)
def test_the_same_name_twice_is_named_unless_something_tells_them_apart(
    one: str, other: str, is_a_problem: bool
) -> None:
    found = lines(f"first_name,last_name,email,legal_full_name\n{one}\n{other}")

    assert found == ([(3, "name")] if is_a_problem else [])


def test_more_students_than_a_class_has_are_refused_at_the_first_that_is_too_many() -> None:
    text = "first_name,last_name\n" + "".join(f"A{number},B\n" for number in range(2_001))

    assert [line for line, _ in lines(text)] == [2_002]
    assert problems(text.rpartition("A2000")[0]) == []


def test_bytes_of_no_encoding_are_refused_with_the_way_out() -> None:
    ((line, _, message),) = problems(b"first_name,last_name\n\x81\xff,Ek")

    assert line == 1
    assert "save it as CSV UTF-8" in message


def test_the_refusal_says_the_first_and_has_all() -> None:
    found = roster_csv.read(b"first_name,last_name,email\n" + b"Bo,Ek,x\n" * 9)
    refused = RosterUnreadable(found.problems)

    assert str(refused).startswith("line 2: email: email has no @")
    assert "and 4 more" in str(refused)
    assert [each["line"] for each in refused.details["problems"]] == list(range(2, 11))  # type: ignore[attr-defined]
