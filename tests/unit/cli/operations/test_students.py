"""An operator's commands about one student: nothing is erased unasked, nothing is overwritten, and names do no harm."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import httpx
import pytest
from scriptorium.operations import students

from tests.unit.cli.operations.answers import Run

CLASS, STUDENT = "0199a1b2-0000-7000-8000-00000000000c", "0199a1b2-0000-7000-8000-00000000000a"
BATCH, ONE, OTHER = (f"0199a1b2-0000-7000-8000-00000000000{each}" for each in "123")
ANNA = {"student_id": STUDENT, "first_name": "Anna", "last_name": "Ek", "email": "anna@x", "legal_full_name": None}
BO = {**ANNA, "student_id": ONE, "first_name": "Bo", "email": None, "legal_full_name": "Bo Erik Ek"}
ASA = {**ANNA, "student_id": OTHER, "first_name": "Åsa", "last_name": "Öström", "legal_full_name": "Åsa Öström"}
SCHOOL_CLASS = {"class_id": CLASS, "name": "9B", "teacher_id": "berit", "students": [ANNA, BO, ASA]}
ERASURE = {
    "erasure_id": OTHER,
    "class_id": CLASS,
    "student_id": STUDENT,
    "complete": False,
    "erased": {"file-service": 2},
    "waits_for": ["essay-lifecycle"],
}
COMPLETE = {**ERASURE, "complete": True, "erased": {"file-service": 2, "essay-lifecycle": 1}, "waits_for": []}


@pytest.fixture(autouse=True)
def _services(answers: dict[str, httpx.Response], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(students, "PAUSE_SECONDS", 0)
    files = [{"file_upload_id": each, "original_file_name": name} for each, name in ((ONE, "../a.txt"), (OTHER, "b"))]
    data = {"student": ANNA, "essays": [{"batch_id": BATCH, "files": files}], "erasure": None}
    answers |= {
        "classes": httpx.Response(200, json=[SCHOOL_CLASS, {**SCHOOL_CLASS, "students": []}]),
        CLASS: httpx.Response(200, json=SCHOOL_CLASS),
        "data": httpx.Response(200, json=data),
        "original": httpx.Response(200, content=b"An essay \xe5"),
        "erase": httpx.Response(202, json=ERASURE),
        "erasure": httpx.Response(200, json=COMPLETE),
    }


def paths(asked: list[httpx.Request]) -> list[str]:
    return [f"{each.method} {each.url.path}" for each in asked]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ANNA@x", [STUDENT, OTHER]),
        ("erik", [ONE]),
        ("ek", [STUDENT, ONE]),
        ("ostrom", [OTHER]),
        (unicodedata.normalize("NFD", "åsa ö"), [OTHER]),
        ("cy", []),
    ],
)
def test_a_student_is_found_by_a_part_of_name_or_email(text: str, found: list[str], run: Run) -> None:
    printed = json.loads(run("students", "find", text, "--json").stdout)

    assert [each["student_id"] for each in printed] == found
    assert {each["class"] for each in printed} <= {"9B"}


def test_who_is_found_is_named_above_the_ids_that_the_other_commands_take(run: Run) -> None:
    assert run("students", "find", "ek").stdout.splitlines() == [
        "Anna Ek, anna@x, class 9B of berit",
        f"  {CLASS} {STUDENT}",
        "Bo Ek (Bo Erik Ek), class 9B of berit",
        f"  {CLASS} {ONE}",
        "Below each: the class and the student, as `export` and `erase` take them.",
    ]
    assert run("students", "find", "asa").stdout.startswith("Åsa Öström, anna@x, class 9B of berit\n")
    assert run("students", "find", "cy").stdout == "Nobody who is in a class has cy in name or e-mail.\n"


def test_a_copy_has_the_data_and_the_files_under_harmless_names(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "copies" / "anna"

    result = run("students", "export", CLASS, STUDENT, "--to", str(folder))

    assert result.stdout == f"Saved in {folder}: data.json, uploaded files: 2.\n"
    assert sorted(each.name for each in folder.iterdir()) == ["01-a.txt", "02-b", "data.json"]
    assert (folder / "01-a.txt").read_bytes() == b"An essay \xe5"
    assert json.loads((folder / "data.json").read_text())["student"] == ANNA
    assert folder.stat().st_mode & 0o077 == 0, "others of the machine cannot read it"


def test_a_file_that_is_not_kept_any_more_is_named_and_the_rest_is_saved(
    run: Run, tmp_path: Path, answers: dict[str, httpx.Response]
) -> None:
    answers["original"] = httpx.Response(404, json={"detail": "file 1 does not exist here"})

    result = run("students", "export", CLASS, STUDENT, "--to", str(tmp_path / "anna"), "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout)["saved"] == ["data.json"]
    assert json.loads(result.stdout)["missing"] == ["01-a.txt", "02-b"]


def test_of_a_copy_that_fails_nothing_is_left(run: Run, tmp_path: Path, down: set[str]) -> None:
    down.add("file_service")

    result = run("students", "export", CLASS, STUDENT, "--to", str(tmp_path / "anna"))

    assert result.exit_code == 1
    assert "the file service at http://file_service cannot be reached" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_overwrites_nothing(run: Run, tmp_path: Path, asked: list[httpx.Request]) -> None:
    result = run("students", "export", CLASS, STUDENT, "--to", str(tmp_path))

    assert (result.exit_code, asked) == (2, [])
    assert "is there already" in result.stderr


def test_nobody_is_erased_without_a_yes(run: Run, asked: list[httpx.Request]) -> None:
    result = run("students", "erase", CLASS, STUDENT, "--why", "asked for")

    assert result.exit_code == 1
    assert "Erase Anna Ek, anna@x, of class 9B of berit from all services?" in result.stderr
    assert paths(asked) == [f"GET /v1/classes/{CLASS}"]


def test_an_erasure_is_followed_until_every_service_has_answered(run: Run, asked: list[httpx.Request]) -> None:
    result = run("students", "erase", CLASS, STUDENT, "--why", "asked for", "--yes")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[:2] == [
        "file-service has erased the student; essays or files: 2.",
        "essay-lifecycle has erased the student; essays or files: 1.",
    ]
    assert "The student is erased from all services." in result.stdout
    assert json.loads(asked[0].content) == {"why": "asked for"}
    student = f"classes/{CLASS}/students/{STUDENT}"
    assert paths(asked) == [f"POST /ops/{student}/erase", f"GET /v1/{student}/erasure"]


def test_a_service_that_does_not_answer_in_time_is_named_with_the_way_out(
    run: Run, answers: dict[str, httpx.Response]
) -> None:
    answers["erasure"] = httpx.Response(200, json=ERASURE)

    result = run("students", "erase", CLASS, STUDENT, "--why", "w", "--yes", "--timeout", "0", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["waits_for"] == ["essay-lifecycle"]
    assert "essay-lifecycle did not answer yet" in str(result.exception)
    assert f"--key {OTHER}" in str(result.exception)


def test_who_has_left_the_class_is_named_by_id(run: Run, answers: dict[str, httpx.Response]) -> None:
    left: dict[str, Any] = {**SCHOOL_CLASS, "students": []}
    answers[CLASS] = httpx.Response(200, json=left)

    assert (
        f"student {STUDENT}, who is not on the roster of class 9B of berit,"
        in run("students", "erase", CLASS, STUDENT, "--why", "w").stderr
    )
