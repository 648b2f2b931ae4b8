"""Every setting of an environment: what is set, what is wrong, what nobody reads, and no secret told."""

import json
from pathlib import Path

import pytest
from scriptorium import main
from scriptorium.operations.variables import Setting, Settings, inspect
from typer.testing import CliRunner, Result

from tests.routes import SERVICES

SECRET = "a secret of more than thirty-two characters"
WELL = {"KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9092", "SCRIPTORIUM_JWT_SECRET": SECRET}


@pytest.fixture(autouse=True)
def nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "SCRIPTORIUM_JWT_SECRET", "SCRIPTORIUM_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def of(found: Settings, variable: str) -> Setting:
    (setting,) = [each for each in found["settings"] if each["variable"] == variable]
    return setting


def test_every_setting_of_every_service_is_there_once() -> None:
    variables = [each["variable"] for each in inspect(WELL)["settings"]]

    for service in SERVICES:
        for name, field in service.settings.model_fields.items():
            assert (name.upper() if field.validation_alias else f"SCRIPTORIUM_{name.upper()}") in variables
    assert len(variables) == len(set(variables))
    assert {"FILE_SERVICE_URL", "FILE_SERVICE_DATABASE_URL", "SCRIPTORIUM_TOKEN"} <= set(variables)


def test_what_is_set_stands_beside_the_default() -> None:
    found = inspect({**WELL, "SCRIPTORIUM_PARTITIONS": "3", "SCRIPTORIUM_MAX_FILE_BYTES": "5"})

    assert of(found, "SCRIPTORIUM_PARTITIONS") == {
        "variable": "SCRIPTORIUM_PARTITIONS",
        "read_by": "shared",
        "value": "3",
        "default": "12",
        "problem": None,
    }
    assert of(found, "SCRIPTORIUM_MAX_FILE_BYTES")["read_by"] == "file_service"
    assert (of(found, "SCRIPTORIUM_POLL_SECONDS")["value"], of(found, "SCRIPTORIUM_HOST")["default"]) == (
        None,
        "127.0.0.1",
    )
    assert [each for each in found["settings"] if each["problem"]] == []
    assert found["unknown"] == []


@pytest.mark.parametrize(
    "variables",
    [
        {"SCRIPTORIUM_JWT_SECRET": "hush"},
        {"SCRIPTORIUM_JWT_SECRET": "hush" * 20},
        {"KAFKA_SASL_PASSWORD": "hush"},
        {"SCRIPTORIUM_TOKEN": "hush"},
        {"SCRIPTORIUM_DATABASE_URL": "postgresql://me:hush@host/db"},
        {"SCRIPTORIUM_DATABASE_URL": "postgresql://me:a/hush@b@host/db"},
        {"FILE_SERVICE_DATABASE_URL": "postgresql://host/db?password=hush&user=me"},
        {"FILE_SERVICE_DATABASE_URL": "me:hush@host/db"},
        {"SCRIPTORIUM_JWT_SECRETS": "hush"},
        {"SCRIPTORIUM_JWKS_URL": "https://me:hush@issuer/keys"},
        {"FILE_SERVICE_URL": "http://me:hush@host"},
    ],
    ids=str,
)
def test_no_secret_is_told(variables: dict[str, str]) -> None:
    assert "hush" not in json.dumps(inspect({**WELL, **variables}))


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("SCRIPTORIUM_MICRO_BATCH", "lots", "valid integer"),
        ("SCRIPTORIUM_MAX_FILE_BYTES", "0", "greater than or equal to 1"),
        ("SCRIPTORIUM_JWT_SECRET", "short", "at least 32"),
        ("SCRIPTORIUM_JWT_SECRET", "insecure-example-of-more-than-thirty-two", "is an example that everybody knows"),
        ("SCRIPTORIUM_JWT_SECRET", "", "must be set"),
        ("KAFKA_BOOTSTRAP_SERVERS", "", "must be set"),
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "'SASL_SSL'"),
        ("SCRIPTORIUM_DATABASE_URL", "mysql://host/db", "must look like postgresql://"),
        ("FILE_SERVICE_DATABASE_URL", "mysql://host/db", "must look like postgresql://"),
        ("FILE_SERVICE_URL", "127.0.0.1:8005", "is no address like http://"),
    ],
)
def test_a_wrong_value_is_named(variable: str, value: str, problem: str) -> None:
    found = inspect({**WELL, variable: value})

    assert problem in (of(found, variable)["problem"] or "")
    assert [each["variable"] for each in found["settings"] if each["problem"]] == [variable]


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SCRIPTORIUM_PARTITONS", "SCRIPTORIUM_PARTITIONS"),
        ("SCRIPTORIUM_FAVOURITE_COLOUR", None),
        ("KAFKA_SASL_PASWORD", "KAFKA_SASL_PASSWORD"),
    ],
)
def test_what_nobody_reads_is_named_with_what_was_meant(variable: str, meant: str | None) -> None:
    assert inspect({**WELL, variable: "1"})["unknown"] == [{"variable": variable, "meant": meant}]


@pytest.mark.parametrize("variable", ["KAFKA_HEAP_OPTS", "KAFKA_PORT", "SCRIPTORIUM_DATABASE_PASSWORD", "PATH"])
def test_what_others_read_is_not_unknown(variable: str) -> None:
    assert inspect({**WELL, variable: "1"})["unknown"] == []


def run(tmp_path: Path, lines: str, *arguments: str) -> Result:
    env_file = tmp_path / "system.env"
    env_file.write_text(lines)
    return CliRunner().invoke(main.app, ["settings", "--env-file", str(env_file), *arguments])


def test_the_example_of_the_containers_is_well() -> None:
    example = Path(__file__).parents[4] / ".env.example"

    result = CliRunner().invoke(main.app, ["settings", "--env-file", str(example)])

    assert result.exit_code == 0, result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


def test_what_is_wrong_ends_with_1_and_a_sentence(tmp_path: Path) -> None:
    lines = f"SCRIPTORIUM_JWT_SECRET={SECRET.replace(' ', '-')}\nKAFKA_BOOTSTRAP_SERVERS=b\nSCRIPTORIUM_PORT=x\n"

    result = run(tmp_path, f"{lines}SCRIPTORIUM_PROT=1\n")

    assert result.exit_code == 1
    assert "SCRIPTORIUM_PORT: Input should be a valid integer" in result.stdout
    assert "SCRIPTORIUM_PROT is read by nobody; did you mean SCRIPTORIUM_PORT?" in result.stdout
    document = json.loads(run(tmp_path, lines, "--json", "--set").stdout)
    assert {each["variable"] for each in document["settings"]} >= {"SCRIPTORIUM_JWT_SECRET", "SCRIPTORIUM_PORT"}
    assert all(each["value"] or each["problem"] for each in document["settings"])
