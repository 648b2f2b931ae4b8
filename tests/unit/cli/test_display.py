"""What is said where there is no terminal."""

import pytest
from scriptorium import display
from scriptorium.display import following
from scriptorium.submission import Progress


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(display, "say", lines.append)
    return lines


def test_every_change_is_one_line(said: list[str]) -> None:
    progress = Progress("GUEST batch", "registered", {"a.txt": "uploaded", "b.txt": "uploaded"})
    with following() as report:
        report(progress)
        progress.essays["b.txt"] = "read"
        report(progress)
        report(progress)

    assert said == [
        "GUEST batch  registered",
        "GUEST batch  a.txt: uploaded",
        "GUEST batch  b.txt: uploaded",
        "GUEST batch  b.txt: read",
    ]


def test_of_many_files_only_the_numbers_are_told(said: list[str]) -> None:
    essays = {str(number): "in a slot" if number < 80 else "surplus: no available slot" for number in range(100)}
    with following() as report:
        report(Progress("Batch of 100", "registered", essays))

    assert said == ["Batch of 100  registered", "Batch of 100  files: 80 in a slot, 20 surplus"]
