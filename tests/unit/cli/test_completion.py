"""What a shell offers when somebody presses the tabulator key."""

import subprocess
import sys
from pathlib import Path

import pytest
from scriptorium import main
from typer.testing import CliRunner

VARIABLE = "_SCRIPTORIUM_COMPLETE"


def offered(*words: str) -> set[str]:
    """What completes the last word."""
    typed = {VARIABLE: "complete_bash", "COMP_WORDS": " ".join(["scriptorium", *words]), "COMP_CWORD": str(len(words))}
    return set(CliRunner().invoke(main.app, [], env=typed, prog_name="scriptorium").stdout.split())


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        (["dea"], {"dead-letters"}),
        (["events", "tail", "batch"], {"batch-orchestrator"}),
        (["events", "tail", "--type", "BatchEss"], {"BatchEssaysRegisteredV1", "BatchEssaysReadyV1"}),
        (["batches", "--state", "awaiting"], {"awaiting_content_validation", "awaiting_student_validation"}),
        (["dead-letters", "list", "--service", "fi"], {"file-service"}),
    ],
)
def test_commands_and_values_are_completed(words: list[str], completed: set[str]) -> None:
    assert offered(*words) == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_the_shell(shell: str) -> None:
    result = CliRunner().invoke(main.app, [], env={VARIABLE: f"source_{shell}"}, prog_name="scriptorium")

    assert f"{VARIABLE}=complete_{shell}" in result.stdout
    assert "scriptorium" in result.stdout


def test_bash_itself_completes_with_its_script() -> None:
    script = (
        f'eval "$({VARIABLE}=source_bash scriptorium)"; COMP_WORDS=(scriptorium bat); COMP_CWORD=1;'
        ' _scriptorium_completion scriptorium; echo "${COMPREPLY[@]}"'
    )
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}

    ended = subprocess.run(["bash", "-c", script], env=path, capture_output=True, text=True, check=True)

    assert ended.stdout == "batches\n"
