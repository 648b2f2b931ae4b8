"""Every setting and what it is in an environment: set or not, right or wrong, and variables that nobody reads."""

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypedDict, get_args

from pydantic import AliasChoices, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from service_runtime import RuntimeSettings
from service_runtime.masking import MASK

from scriptorium.environment import (
    BROKERS,
    NO_ADDRESS,
    PREFIXES,
    SECRET,
    SECRET_LENGTH,
    SERVICES,
    Variables,
    is_address,
)
from scriptorium.operations.client import TOKEN
from services.batch_orchestrator_service.settings import Settings as OrchestratorSettings
from services.file_service.settings import Settings as FileSettings
from services.student_matching_service.settings import Settings as MatchingSettings

SHARED = "shared"
# The one place where the command line looks into services: what they read cannot be seen from outside.
READ_BY: tuple[tuple[str, type[RuntimeSettings]], ...] = (
    (SHARED, RuntimeSettings),
    ("batch_orchestrator_service", OrchestratorSettings),
    ("student_matching_service", MatchingSettings),
    ("file_service", FileSettings),
)
COMMAND = "command"
DATABASE = "SCRIPTORIUM_DATABASE_URL"
OUR_PREFIX = "SCRIPTORIUM_"
# Read by docker-compose.yml, and by tests.
READ_ELSEWHERE = {"SCRIPTORIUM_DATABASE_PASSWORD", "SCRIPTORIUM_VERSION", "SCRIPTORIUM_FAILPOINTS"}
STAND_INS = {"database_url": "postgresql://", "jwt_secret": "-" * SECRET_LENGTH, "kafka_bootstrap_servers": "-"}
"""For what must be set: whether it is, is said apart from what is wrong."""
_PASSWORDS = re.compile(r"(?<=://).*:.*(?=@)|(?<=password=)[^&]*")
"""Who, and with which password, in an address; up to its last @, since a password may have one."""


class Setting(TypedDict):
    """One variable; `value` is None when it is not set, and masked when it is a secret."""

    variable: str
    read_by: str
    """`shared` by all services, one service's folder, or this `command`."""
    value: str | None
    default: str | None
    """None: there is none, it must be set where it is needed."""
    problem: str | None


class Unknown(TypedDict):
    """A variable that looks like ours and that nobody reads."""

    variable: str
    meant: str | None


class Settings(TypedDict):
    """All that an environment says."""

    settings: list[Setting]
    unknown: list[Unknown]


def inspect(variables: Variables) -> Settings:
    """What is set, by whom it is read, and what is wrong."""
    found = list(_settings(variables))
    names = {each["variable"] for each in found} | READ_ELSEWHERE
    return {"settings": found, "unknown": list(_unknown(variables, sorted(names)))}


def _settings(variables: Variables) -> Iterator[Setting]:
    seen: set[str] = set()
    for read_by, kind in READ_BY:
        problems = _problems(kind, variables)
        for name, field in kind.model_fields.items():
            variable = _variable(name, field)
            if variable not in seen:
                seen.add(variable)
                yield _setting(variable, field, read_by, variables.get(variable) or None, problems.get(variable))
    for variable, problem in _of_the_command(variables):
        value = variables.get(variable) or None
        shown = value and _shown(variable, value, secret=variable == TOKEN)
        yield {"variable": variable, "read_by": COMMAND, "value": shown, "default": None, "problem": problem}


def _of_the_command(variables: Variables) -> Iterator[tuple[str, str | None]]:
    """What this command alone reads, and what is wrong with it."""
    for member in SERVICES:
        url, database = f"{member.variable}_URL", f"{member.variable}_DATABASE_URL"
        yield url, None if is_address(variables.get(url) or "http://unset") else NO_ADDRESS
        as_a_service = {**variables, DATABASE: variables.get(database, "")}
        yield database, _problems(RuntimeSettings, as_a_service).get(DATABASE)
    yield TOKEN, None


def _setting(variable: str, field: FieldInfo, read_by: str, value: str | None, problem: str | None) -> Setting:
    shown = value and _shown(variable, value, secret=_is_secret(field.annotation))
    default = None if field.is_required() or field.default is None else str(field.default)
    if value is None and field.is_required() and variable in (BROKERS, SECRET):
        problem = "must be set"
    return {"variable": variable, "read_by": read_by, "value": shown, "default": default, "problem": problem}


def _shown(variable: str, value: str, *, secret: bool) -> str:
    """A value without its secrets."""
    if secret or (variable.endswith("DATABASE_URL") and "://" not in value):
        return MASK
    return _PASSWORDS.sub(MASK, value)


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(_is_secret(each) for each in get_args(annotation))


def _variable(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"{OUR_PREFIX}{name.upper()}"


def _problems(kind: type[RuntimeSettings], variables: Variables) -> dict[str, str]:
    """What is wrong, by variable; the messages do not have the values."""
    names = {name: _variable(name, field) for name, field in kind.model_fields.items()}
    given = {name: variables[variable] for name, variable in names.items() if variables.get(variable)}
    try:
        kind.model_validate({**STAND_INS, **given})
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        return {
            names.get(str(each["loc"][0]), str(each["loc"][0])): each["msg"].removeprefix("Value error, ")
            for each in found
        }
    return {}


def _unknown(variables: Variables, known: Sequence[str]) -> Iterator[Unknown]:
    """Those that begin as ours do; of Kafka's, whose own programs read many, only those that look misspelled."""
    for variable in sorted(each for each in variables if each.startswith(PREFIXES) and each not in known):
        meant = next(iter(difflib.get_close_matches(variable, known, n=1, cutoff=0.85)), None)
        if meant or variable.startswith(OUR_PREFIX):
            yield {"variable": variable, "meant": meant}
