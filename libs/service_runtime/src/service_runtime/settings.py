"""Settings every service has, read from the environment. A service adds its own in its `settings.py`."""

import sys
from typing import Annotated, Literal, TypedDict
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

EXAMPLE = "insecure-example"
"""Stands in every secret of `.env.example`, which everybody knows."""


def _own_secret[S: (str, SecretStr)](value: S, info: ValidationInfo) -> S:
    plain = value.get_secret_value() if isinstance(value, SecretStr) else value
    if EXAMPLE in plain and not info.data.get("demo"):
        raise ValueError("is an example that everybody knows; use a secret of your own, or SCRIPTORIUM_DEMO=true")
    return value


def _asyncpg_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ValueError("must look like postgresql://user:password@host:5432/database")
    return f"postgresql+asyncpg://{rest}"


def _trustworthy(url: str | None) -> str | None:
    if url:
        parts = urlsplit(url)
        here = parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
        if not parts.hostname or not (here or parts.scheme == "https"):
            raise ValueError("must begin with https://, since whoever answers there decides who may come in")
    return url


def _needed_by_sasl[S: (str | None, SecretStr | None)](value: S, info: ValidationInfo) -> S:
    protocol = str(info.data.get("kafka_security_protocol", ""))
    if protocol.startswith("SASL") and not value:
        raise ValueError(f"must be set, since KAFKA_SECURITY_PROTOCOL is {protocol}")
    return value


OrNone = BeforeValidator(lambda value: value or None)
"""An empty variable is one that is not set."""


class TokenScope(TypedDict):
    """What stands on tokens besides the caller; None: nothing, and nothing is asked for."""

    audience: str | None
    issuer: str | None


class RuntimeSettings(BaseSettings):
    """What a service needs to run. The variable of a field is `SCRIPTORIUM_` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="SCRIPTORIUM_", frozen=True, extra="ignore", populate_by_name=True)

    demo: bool = False
    """For trying things out: the secrets of `.env.example` are accepted."""
    database_url: Annotated[str, AfterValidator(_asyncpg_url), AfterValidator(_own_secret)]
    """This service's own database: postgresql://user:password@host:port/database, `?sslmode=verify-full` for TLS."""
    kafka_bootstrap_servers: str = Field(validation_alias=AliasChoices("KAFKA_BOOTSTRAP_SERVERS"))
    """Brokers to start from: host:port, several separated by commas."""
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", validation_alias=AliasChoices("KAFKA_SECURITY_PROTOCOL")
    )
    """PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL."""
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="PLAIN", validation_alias=AliasChoices("KAFKA_SASL_MECHANISM")
    )
    """PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512."""
    kafka_sasl_username: Annotated[str | None, AfterValidator(_needed_by_sasl)] = Field(
        default=None, validate_default=True, validation_alias=AliasChoices("KAFKA_SASL_USERNAME")
    )
    """Who the services are to Kafka."""
    kafka_sasl_password: Annotated[SecretStr | None, AfterValidator(_needed_by_sasl)] = Field(
        default=None, validate_default=True, validation_alias=AliasChoices("KAFKA_SASL_PASSWORD")
    )
    """The password of that user."""
    kafka_ssl_ca_file: str | None = Field(default=None, validation_alias=AliasChoices("KAFKA_SSL_CA_FILE"))
    """The authority (PEM) that has signed the brokers' certificates; else those that the system trusts."""
    jwt_secret: Annotated[SecretStr, AfterValidator(_own_secret)] = Field(min_length=32)
    """The secret that signs bearer tokens (HS256), at least 32 characters; services show each other such tokens."""
    jwks_url: Annotated[str | None, OrNone, AfterValidator(_trustworthy)] = None
    """Where the public keys of an issuer are, whose tokens (RS256, ES256) are believed too."""
    jwks_keep_seconds: float = Field(default=300.0, gt=0)
    """How long these keys are kept before they are fetched again; so long a withdrawn key stays good."""
    jwks_again_seconds: float = Field(default=10.0, gt=0)
    """An unknown key makes them be fetched again, at most this often."""
    jwt_audience: Annotated[str | None, OrNone] = None
    """What tokens must name as `aud`; when it is not set, tokens that name somebody are refused."""
    jwt_issuer: Annotated[str | None, OrNone] = None
    """What tokens must name as `iss`."""
    host: str = "127.0.0.1"
    """The address the HTTP server listens on."""
    port: int = Field(default=8000, ge=0, le=65535)
    """The port the HTTP server listens on."""
    requests_per_minute: int = Field(default=0, ge=0)
    """How many HTTP requests each subject may send to each process; 0: any number. Services are not limited."""
    topic_prefix: str = ""
    """Stands before the name of every topic, exactly as written."""
    partitions: int = Field(default=12, ge=1)
    """How many partitions a topic gets when it is created."""
    replication_factor: int = Field(default=1, ge=1)
    """How many brokers hold each topic that is created."""
    retention_days: float = Field(default=14.0, gt=0)
    """How long a topic that is created keeps its messages, in days; not longer than the inbox remembers them."""
    micro_batch: int = Field(default=500, ge=1, le=10_000)
    """How many messages one transaction takes at the most."""
    relay_page: int = Field(default=1_000, ge=1, le=10_000)
    """How many outbox rows the relay publishes before it deletes them."""
    instance_id: str | None = None
    """A name that a restarted process keeps, so that it gets its partitions back at once (static membership)."""
    session_seconds: float = Field(default=6.0, ge=1)
    """After so many silent seconds the broker gives a process's partitions to others."""
    poll_interval_seconds: float = Field(default=300.0, ge=1)
    """A process whose consumer hangs for so long leaves its group; one with a handler at work does not hang."""
    handling_seconds: float = Field(default=30.0, gt=0, le=50)
    """After so long an async handler is given up, which counts as a bug."""
    transaction_seconds: float = Field(default=60.0, ge=1)
    """PostgreSQL ends a transaction that takes longer, whose process may have vanished (PostgreSQL 17 or newer)."""
    partitions_known_seconds: float = Field(default=30.0, gt=0)
    """How often consumer and relay ask the broker how many partitions a topic has."""
    fetch_wait_seconds: float = Field(default=3.0, gt=0, le=30)
    """How long the broker keeps a fetch that finds nothing; the first one after a rebalance may wait behind it."""
    stalled_seconds: float = Field(default=60.0, gt=0)
    """A process whose consumer or relay is at one micro-batch or page for longer is not ready."""
    poll_seconds: float = Field(default=2.0, gt=0)
    """How often the outbox is looked at when nothing wakes the relay; timers and parked messages a third as often."""
    known_within_seconds: float = Field(default=2.0, ge=0)
    """How long a request waits for what another service has announced a moment ago; over 2.5 s, a stop may cut it."""
    retry_first_seconds: float = Field(default=0.2, gt=0)
    """The wait before the first retry of a parked message; doubled with each further one, with jitter."""
    retry_most_seconds: float = Field(default=30.0, gt=0)
    """The longest wait between two retries of a parked message."""
    failing_attempts: int = Field(default=8, ge=1)
    """After so many attempts a message that fails on a bug becomes a dead letter."""
    waiting_days: float = Field(default=30.0, gt=0)
    """A message that waited so long for something unknown becomes a dead letter."""
    inbox_days: float = Field(default=30.0, gt=0)
    """How long the inbox remembers a message, in days."""
    replaced_bytes_days: float = Field(default=365.0, gt=0)
    """How long the record of actions keeps what edited and discarded messages said, in days; the record stays."""
    job_lease_seconds: float = Field(default=5.0, ge=1)
    """Work outside a transaction is taken over by another process when its owner is silent so long."""
    jobs_at_once: int = Field(default=8, ge=1)
    """How much work outside a transaction one process does at the same time."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""

    @property
    def token_scope(self) -> TokenScope:
        """What our tokens say and what others' must say."""
        return {"audience": self.jwt_audience, "issuer": self.jwt_issuer}


def load_settings[S: RuntimeSettings](settings_class: type[S]) -> S:
    """Read the settings, or end the program with one line per setting that is missing or wrong."""
    try:
        return settings_class()  # pyright: ignore  # the values come from the environment
    except ValidationError as error:
        for problem in error.errors(include_input=False):
            field = str(problem["loc"][0])
            variable = field if field.isupper() else f"SCRIPTORIUM_{field.upper()}"
            sys.stderr.write(f"{variable}: {problem['msg']}. Set this environment variable and start again.\n")
        sys.exit(2)
