"""The command line itself."""

import signal
import socket
from pathlib import Path

import jwt
import pytest
from scriptorium import demonstration, main
from scriptorium.environment import SERVICES
from scriptorium.errors import NothingToSubmit, PortTaken
from scriptorium.signals import ending_in_order
from scriptorium.submission import files_in
from scriptorium.system import Ports, choose_ports
from typer.testing import CliRunner

SECRET = "a secret of more than thirty-two characters"
commands = CliRunner()


def test_a_token_is_all_that_is_printed() -> None:
    arguments = ["token", "--sub", "anna", "--role", "teacher", "--role", "operator"]

    result = commands.invoke(main.app, arguments, env={"SCRIPTORIUM_JWT_SECRET": SECRET})

    claims = jwt.decode(result.stdout.removesuffix("\n"), SECRET, algorithms=["HS256"])
    assert (claims["sub"], claims["roles"]) == ("anna", ["teacher", "operator"])


def test_a_failure_is_one_sentence_and_status_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCRIPTORIUM_JWT_SECRET", raising=False)
    monkeypatch.setattr("sys.argv", ["scriptorium", "token", "--sub", "anna", "--role", "teacher"])

    with pytest.raises(SystemExit, match=r"^scriptorium: SCRIPTORIUM_JWT_SECRET is not set; .*--env-file FILE: .*"):
        main.run()


@pytest.mark.parametrize(
    "arguments",
    [
        ["submit", "."],
        ["submit", ".", "--guest", "--roster", __file__],
        ["submit", "no-such-folder", "--guest"],
        ["demo", "--essays", "."],
        ["token", "--sub", "anna", "--role", "headmaster"],
        ["up", "--ports", "some"],
    ],
)
def test_a_wrong_use_is_status_2(arguments: list[str]) -> None:
    assert commands.invoke(main.app, arguments).exit_code == 2


def test_essays_are_all_files_but_the_roster_and_the_readme(tmp_path: Path) -> None:
    for name in ("b.txt", "a.pdf", "roster.csv", "README.md", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "guest").mkdir()

    assert [file.name for file in files_in(tmp_path, but=tmp_path / "roster.csv")] == ["a.pdf", "b.txt"]


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(NothingToSubmit, match=str(tmp_path)):
        files_in(tmp_path)


def test_the_hundred_essays_differ_and_each_has_a_student(tmp_path: Path) -> None:
    order = demonstration.hundred(tmp_path / "class")

    texts = {file.read_text() for file in order.files}
    assert len(texts) == 100
    assert order.roster is not None
    names = {" ".join(line.split(",")[:2]) for line in order.roster.read_text().splitlines()[1:]}
    assert {text.splitlines()[0] for text in texts} == names


@pytest.fixture
def taken() -> socket.socket:
    """The first service's usual port is in use, by this test or by somebody else."""
    listener = socket.socket()
    try:
        listener.bind(("127.0.0.1", SERVICES[0].port))
        listener.listen()
    except OSError:
        pass
    return listener


def test_a_port_in_use_is_replaced_and_that_is_said(taken: socket.socket) -> None:
    said: list[str] = []
    with taken:
        ports = choose_ports(Ports.USUAL, said.append)

    assert ports[SERVICES[0]] != SERVICES[0].port
    assert said[0] == f"Port 8001 is in use: the batch orchestrator gets {ports[SERVICES[0]]}."
    assert len(set(ports.values())) == len(SERVICES)


def test_a_fixed_port_in_use_is_refused(taken: socket.socket) -> None:
    with taken, pytest.raises(PortTaken, match="port 8001 of the batch orchestrator is in use"):
        choose_ports(Ports.FIXED, lambda _: None)


@pytest.mark.parametrize(("status", "expected"), [(0, 0), (None, 143)])
def test_a_signal_ends_the_block_with_the_status_that_was_asked_for(status: int | None, expected: int) -> None:
    with pytest.raises(SystemExit) as ended, ending_in_order(status):
        signal.raise_signal(signal.SIGTERM)

    assert ended.value.code == expected


def test_a_signal_that_surfaces_as_another_error_still_ends_in_order() -> None:
    with pytest.raises(SystemExit) as ended, ending_in_order(0):
        interrupted_driver()

    assert ended.value.code == 0


def interrupted_driver() -> None:
    try:
        signal.raise_signal(signal.SIGTERM)
    except SystemExit:
        raise ValueError("not enough values to unpack") from None
