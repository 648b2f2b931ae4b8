"""The five services, and the variables that tell other programs where a running system is."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import ValidationError
from service_runtime import RuntimeSettings, auth
from service_runtime.auth import Role
from service_runtime.settings import TokenScope

from scriptorium.errors import Misconfigured

BROKERS = "KAFKA_BOOTSTRAP_SERVERS"
SECRET = "SCRIPTORIUM_JWT_SECRET"  # noqa: S105 - the variable's name
SECRET_LENGTH = 32
PREFIXES = ("SCRIPTORIUM_", "KAFKA_")
AUDIENCE = "SCRIPTORIUM_JWT_AUDIENCE"
ISSUER = "SCRIPTORIUM_JWT_ISSUER"
NO_ADDRESS = "is no address like http://127.0.0.1:8001"
# What `sh` and python-dotenv read alike, without quotes and in single ones.
_PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
_QUOTABLE = re.compile(r"[^'\"\\$`\s]+")

type Variables = Mapping[str, str]


class Member(NamedTuple):
    """One of the five services."""

    folder: str
    """Its folder under `services`, also the name of its migrations and of its database."""
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


def read(env_file: Path | None) -> Variables:
    """The environment; the file counts more, since somebody named it."""
    values = dotenv_values(env_file, interpolate=False) if env_file else {}
    return {**os.environ, **{name: value for name, value in values.items() if value}}


def need(variables: Variables, name: str) -> str:
    """A variable's value; raises Misconfigured when there is none."""
    if not variables.get(name):
        raise Misconfigured(name, "is not set")
    return variables[name]


def address(variables: Variables, name: str) -> str:
    """The base URL in a variable; raises Misconfigured."""
    if not is_address(need(variables, name)):
        raise Misconfigured(name, NO_ADDRESS)
    return variables[name].rstrip("/")


def is_address(url: str) -> bool:
    """Whether HTTP can go there."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def secret(variables: Variables) -> str:
    """What tokens are signed with; raises Misconfigured when it is missing or too short for the services."""
    if len(found := need(variables, SECRET)) < SECRET_LENGTH:
        raise Misconfigured(SECRET, f"has fewer than {SECRET_LENGTH} characters")
    return found


def issue(variables: Variables, sub: str, roles: list[Role], lifetime_seconds: float) -> str:
    """A token that services with these variables believe; raises Misconfigured."""
    scope: TokenScope = {"audience": variables.get(AUDIENCE), "issuer": variables.get(ISSUER)}
    return auth.issue(secret(variables), sub, roles, lifetime_seconds, **scope)


def runtime_settings(variables: Variables, database: Member | None = None) -> RuntimeSettings:
    """The settings all services share, as they will read them, and one's own database; raises Misconfigured."""
    need(variables, BROKERS)
    given = {_setting(name): value for name, value in variables.items() if name.startswith(PREFIXES) and value}
    not_wanted = {"database_url": "postgresql://", "jwt_secret": "-" * SECRET_LENGTH}
    wanted = {"database_url": need(variables, f"{database.variable}_DATABASE_URL")} if database else {}
    try:
        return RuntimeSettings.model_validate({**not_wanted, **given, **wanted})
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        name = str(problem["loc"][0]).upper()
        if database and name == "DATABASE_URL":
            name = f"{database.variable}_{name}"
        elif not name.startswith(PREFIXES):
            name = f"SCRIPTORIUM_{name}"
        raise Misconfigured(name, f"is wrong ({problem['msg']})") from None


def _setting(variable: str) -> str:
    """How the settings call what stands in this variable."""
    return variable if variable.startswith("KAFKA_") else variable.removeprefix("SCRIPTORIUM_").lower()


@contextmanager
def written(env_file: Path | None, variables: Variables) -> Iterator[None]:
    """The file is there, complete and private, as long as the block lasts: then what it says is true."""
    if env_file is None:
        yield
        return
    write_private(env_file, "".join(f"{name}={_quoted(name, value)}\n" for name, value in variables.items()))
    try:
        yield
    finally:
        env_file.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; whoever sees it sees all of it."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    unfinished.replace(path)


def _quoted(name: str, value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    if not _QUOTABLE.fullmatch(value):
        raise Misconfigured(name, "has a quote, a backslash, a dollar or a space, which no env file can hold safely")
    return f"'{value}'"
