"""The env file and the variables."""

import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values
from scriptorium import environment
from scriptorium.errors import Misconfigured

VARIABLES = {"FILE_SERVICE_URL": "http://127.0.0.1:8005", "SCRIPTORIUM_JWT_SECRET": "a;b&c#(d)*" * 4}


def test_a_shell_and_python_dotenv_read_the_env_file_alike(tmp_path: Path) -> None:
    env_file = tmp_path / "system.env"

    with environment.written(env_file, VARIABLES):
        script = f'. {env_file}; printf "%s\\n" "$FILE_SERVICE_URL" "$SCRIPTORIUM_JWT_SECRET"'
        by_shell = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split()
        by_dotenv = dotenv_values(env_file)

    assert by_shell == list(VARIABLES.values())
    assert by_dotenv == VARIABLES


def test_the_env_file_is_private_and_there_only_while_it_is_true(tmp_path: Path) -> None:
    env_file = tmp_path / "system.env"

    with environment.written(env_file, VARIABLES):
        assert env_file.stat().st_mode & 0o777 == 0o600
        assert list(tmp_path.iterdir()) == [env_file]

    assert not env_file.exists()


@pytest.mark.parametrize("secret", ["it's" * 10, "a$HOME" * 10, "a b" * 12, "a\nb" * 12, "a\\b" * 12, 'a"b' * 12])
def test_a_secret_that_cannot_be_written_safely_is_refused(tmp_path: Path, secret: str) -> None:
    with (
        pytest.raises(Misconfigured, match="no env file"),
        environment.written(tmp_path / "system.env", {"SCRIPTORIUM_JWT_SECRET": secret}),
    ):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_named_file_counts_more_than_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILE_SERVICE_URL", "http://elsewhere")
    monkeypatch.setenv("CLASS_MANAGEMENT_URL", "http://here")
    env_file = tmp_path / "system.env"
    env_file.write_text("FILE_SERVICE_URL=http://named\n")

    variables = environment.read(env_file)

    assert (variables["FILE_SERVICE_URL"], variables["CLASS_MANAGEMENT_URL"]) == ("http://named", "http://here")


@pytest.mark.parametrize(("value", "problem"), [("", "is not set"), ("short", "fewer than 32 characters")])
def test_a_missing_or_short_secret_is_named(value: str, problem: str) -> None:
    with pytest.raises(Misconfigured, match=f"SCRIPTORIUM_JWT_SECRET .*{problem}.*--env-file"):
        environment.secret({"SCRIPTORIUM_JWT_SECRET": value})


def test_a_wrong_setting_of_the_services_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTORIUM_PARTITIONS", "many")

    with pytest.raises(Misconfigured, match="SCRIPTORIUM_PARTITIONS is wrong"):
        environment.runtime_settings({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"})


def test_the_env_file_counts_for_settings_too_and_a_wrong_database_is_named() -> None:
    variables = {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092",
        "SCRIPTORIUM_PARTITIONS": "3",
        "FILE_SERVICE_DATABASE_URL": "postgresql://scriptorium:insecure-example@postgres/file_service",
    }

    assert environment.runtime_settings(variables).partitions == 3
    with pytest.raises(Misconfigured, match=r"FILE_SERVICE_DATABASE_URL is wrong .*SCRIPTORIUM_DEMO=true"):
        environment.runtime_settings(variables, environment.SERVICES[-1])


def test_topics_are_made_as_the_services_will_name_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTORIUM_TOPIC_PREFIX", "school-")

    assert environment.runtime_settings({"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092"}).topic_prefix == "school-"
