"""The five services, and what others need to know of a running system: read from variables, written to a file."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, override

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from service_runtime import RuntimeSettings

from scriptorium.errors import Misconfigured, SecretUnwritable

SECRET = "SCRIPTORIUM_JWT_SECRET"  # noqa: S105 - the variable's name
SECRET_LENGTH = 32
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_QUOTABLE = re.compile(r"[^'\"\\$`\s]+")
_RUNTIME = RuntimeSettings.model_fields


class Member(NamedTuple):
    """One of the five services."""

    folder: str
    """Its folder under `services`, which is also the name of its migrations."""
    variable: str
    """How the variables about it begin."""
    port: int
    """Its usual port."""

    @property
    def title(self) -> str:
        """What people call it."""
        return self.variable.lower().replace("_", " ")


SERVICES = (
    Member("batch_orchestrator_service", "BATCH_ORCHESTRATOR", 8001),
    Member("essay_lifecycle_service", "ESSAY_LIFECYCLE", 8002),
    Member("class_management_service", "CLASS_MANAGEMENT", 8003),
    Member("student_matching_service", "STUDENT_MATCHING", 8004),
    Member("file_service", "FILE_SERVICE", 8005),
)


class _Surroundings(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A file that was named on the command line counts more than what happens to stand in the environment."""
        return init_settings, dotenv_settings, env_settings


class Credentials(_Surroundings):
    """What a token is signed with."""

    scriptorium_jwt_secret: SecretStr = Field(min_length=SECRET_LENGTH)


class Addresses(Credentials):
    """Where the services that teachers talk to are."""

    batch_orchestrator_url: str
    essay_lifecycle_url: str
    class_management_url: str
    file_service_url: str


class Topics(_Surroundings):
    """Where the topics are, and how they are made."""

    kafka_bootstrap_servers: str
    scriptorium_topic_prefix: str = _RUNTIME["topic_prefix"].default
    scriptorium_partitions: int = Field(default=_RUNTIME["partitions"].default, ge=1)
    scriptorium_replication_factor: int = Field(default=_RUNTIME["replication_factor"].default, ge=1)


class Databases(Topics):
    """What is prepared before the services start."""

    batch_orchestrator_database_url: str
    essay_lifecycle_database_url: str
    class_management_database_url: str
    student_matching_database_url: str
    file_service_database_url: str

    def url(self, member: Member) -> str:
        """The database of a service."""
        return str(getattr(self, f"{member.variable.lower()}_database_url"))


def read[S: BaseSettings](kind: type[S], env_file: Path | None = None, known: Mapping[str, str] | None = None) -> S:
    """Read variables: what is known, else the file, else the environment; raises Misconfigured if one is wrong."""
    try:
        values: dict[str, Any] = {name.lower(): value for name, value in (known or {}).items()}
        return kind(_env_file=env_file, **values)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        raise Misconfigured(str(problem["loc"][0]).upper(), problem["msg"]) from None


def write(env_file: Path, variables: Mapping[str, str]) -> None:
    """Write KEY=value lines that `sh` and python-dotenv read alike; whoever sees the file sees all of it."""
    lines = [f"{name}={_quoted(value)}\n" for name, value in variables.items()]
    unfinished = env_file.with_name(f".{env_file.name}.{os.getpid()}")
    try:
        write_private(unfinished, "".join(lines))
        unfinished.replace(env_file)
    finally:
        unfinished.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a new file that only its owner may read; raises FileExistsError when it is there."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if not _QUOTABLE.fullmatch(value):
        raise SecretUnwritable
    return f"'{value}'"
