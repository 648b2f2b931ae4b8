"""A service that cannot start says which variable is wrong and how to set it, without showing secrets."""

import pytest
from service_runtime import RuntimeSettings
from service_runtime.settings import EXAMPLE, load_settings

GOOD = {
    "SCRIPTORIUM_DATABASE_URL": "postgresql://user:password@host:5432/db",
    "KAFKA_BOOTSTRAP_SERVERS": "one:9092,two:9092",
    "SCRIPTORIUM_JWT_SECRET": "s" * 32,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_the_environment_is_read() -> None:
    settings = load_settings(RuntimeSettings)

    assert settings.database_url == "postgresql+asyncpg://user:password@host:5432/db"
    assert settings.kafka_bootstrap_servers == "one:9092,two:9092"
    assert "sss" not in repr(settings)


@pytest.mark.parametrize("url", ["https://school.example/jwks.json", "http://127.0.0.1:9000/jwks.json", ""])
def test_the_address_of_an_issuers_keys_is_one_that_nobody_can_pretend_to_be(
    environment: pytest.MonkeyPatch, url: str
) -> None:
    environment.setenv("SCRIPTORIUM_JWKS_URL", url)

    assert load_settings(RuntimeSettings).jwks_url == (url or None)


@pytest.mark.parametrize("missing", GOOD)
def test_a_missing_variable_is_named(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    environment.delenv(missing)

    with pytest.raises(SystemExit) as ended:
        load_settings(RuntimeSettings)

    assert ended.value.code == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"{missing}: ")
    assert "Set this environment variable" in said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SCRIPTORIUM_DATABASE_URL", "mysql://user:hunter2@host/db", "postgresql://"),
        ("SCRIPTORIUM_JWT_SECRET", "hunter2", "32"),
        ("SCRIPTORIUM_PORT", "99999999", "65535"),
        ("SCRIPTORIUM_JWKS_URL", "http://keys.school.example/jwks.json", "https://"),
        ("SCRIPTORIUM_JWKS_URL", "file:///etc/keys.json", "https://"),
        ("SCRIPTORIUM_MICRO_BATCH", "many", "integer"),
        ("SCRIPTORIUM_POLL_SECONDS", "-3", "greater than 0"),
    ],
)
def test_a_wrong_value_is_explained_and_not_shown(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(SystemExit):
        load_settings(RuntimeSettings)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: ")
    assert said in line
    assert value not in line


@pytest.mark.parametrize("name", ["SCRIPTORIUM_JWT_SECRET", "SCRIPTORIUM_DATABASE_URL"])
def test_the_secrets_of_the_example_are_accepted_in_demo_mode_only(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    known = {"SCRIPTORIUM_JWT_SECRET": EXAMPLE * 2, "SCRIPTORIUM_DATABASE_URL": f"postgresql://user:{EXAMPLE}@host/db"}
    environment.setenv(name, known[name])

    with pytest.raises(SystemExit):
        load_settings(RuntimeSettings)

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{name}: ")
    assert "a secret of your own, or SCRIPTORIUM_DEMO=true" in line
    environment.setenv("SCRIPTORIUM_DEMO", "true")
    assert load_settings(RuntimeSettings).demo


@pytest.mark.parametrize("missing", ["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"])
def test_sasl_needs_a_name_and_a_password(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    both = {"KAFKA_SASL_USERNAME": "me", "KAFKA_SASL_PASSWORD": "hush"}
    for name, value in {**both, "KAFKA_SECURITY_PROTOCOL": "SASL_SSL", missing: ""}.items():
        environment.setenv(name, value)

    with pytest.raises(SystemExit):
        load_settings(RuntimeSettings)

    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"{missing}: Value error, must be set, since KAFKA_SECURITY_PROTOCOL is SASL_SSL")
