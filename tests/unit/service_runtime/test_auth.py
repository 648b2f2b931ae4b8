"""Who may do what, from the claims of a token."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from fastapi import HTTPException
from pydantic import SecretStr
from service_runtime import RuntimeSettings
from service_runtime.auth import Caller, Required, Role, Tokens, issue
from starlette.requests import Request

SECRET = "a secret of at least 32 characters"
NOW = datetime(2040, 3, 1, 12, tzinfo=UTC)
"""The database's time; this process's is another."""


SETTINGS = RuntimeSettings(
    database_url="postgresql://nowhere/none", kafka_bootstrap_servers="nowhere", jwt_secret=SecretStr(SECRET)
)


def request(authorization: str | None) -> Request:
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "headers": headers, "state": {}})


def token(**claims: object) -> str:
    return jwt.encode({"sub": "berit", "exp": NOW.timestamp() + 60, **claims}, SECRET, "HS256")


async def called_by(authorization: str | None, at: datetime = NOW, settings: RuntimeSettings = SETTINGS) -> Caller:
    return (await Tokens(settings).read(request(authorization))).caller_at(at)


async def test_an_issued_token_names_its_caller() -> None:
    issued = issue(SECRET, "berit", [Role.TEACHER, Role.OPERATOR], 60, NOW)

    assert await called_by(f"Bearer {issued}") == Caller("berit", frozenset({"teacher", "operator"}))


async def test_a_token_without_roles_is_a_caller_who_may_nothing() -> None:
    assert (await called_by(f"bearer {token()}")).roles == frozenset()


@pytest.mark.parametrize(("seconds", "said"), [(-11, "not valid yet"), (-9, None), (69, None), (71, "expired")])
async def test_a_token_counts_in_its_time_by_the_databases_clock_give_or_take_ten_seconds(
    seconds: int, said: str | None
) -> None:
    signed = f"Bearer {token(nbf=NOW.timestamp())}"
    at = NOW + timedelta(seconds=seconds)

    if said is None:
        assert (await called_by(signed, at)).sub == "berit"
    else:
        with pytest.raises(HTTPException, match=said):
            await called_by(signed, at)


async def test_without_another_time_a_token_is_issued_by_the_clock_of_this_process() -> None:
    issued = f"Bearer {issue(SECRET, 'berit', [], 60)}"

    assert (await called_by(issued, datetime.now(UTC))).sub == "berit"


@pytest.mark.parametrize(
    ("authorization", "said"),
    [
        (None, "Authorization: Bearer"),
        ("Basic YTpi", "Authorization: Bearer"),
        ("Bearer", "Authorization: Bearer"),
        ("Bearer x.y.z", "not valid"),
        (f"Bearer {token(exp='tomorrow')}", "seconds since 1970"),
        (f"Bearer {token(nbf='tomorrow')}", "seconds since 1970"),
        (f"Bearer {token(exp=NOW.timestamp() - 60)}", "expired"),
        (f"Bearer {token(aud='somebody else')}", "audience"),
        (f"Bearer {token(sub=7)}", "not valid"),
        (f"Bearer {token(sub='')}", "1 to 200 characters"),
        (f"Bearer {token(sub='x' * 201)}", "1 to 200 characters"),
        (f"Bearer {token(sub='a' + chr(0))}", "1 to 200 characters"),
        (f"Bearer {token(roles='teacher')}", "list of strings"),
        (f"Bearer {token(roles=[1])}", "list of strings"),
        (f"Bearer {jwt.encode({'sub': 'x', 'exp': 9e9}, 'y' * 40, 'HS256')}", "not valid"),
        (f"Bearer {jwt.encode({'sub': 'x', 'exp': 9e9}, None, 'none')}", "not valid"),
        (f"Bearer {jwt.encode({'sub': 'x'}, SECRET, 'HS256')}", "exp"),
    ],
)
async def test_anything_else_is_401_with_the_way_out(authorization: str | None, said: str) -> None:
    with pytest.raises(HTTPException, match=said) as refused:
        await called_by(authorization)

    assert refused.value.status_code == 401
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


SCOPED = SETTINGS.model_copy(update={"jwt_audience": "scriptorium", "jwt_issuer": "https://school.example"})


async def test_what_services_show_each_other_names_the_audience_and_issuer_that_are_asked_for() -> None:
    issued = issue(SECRET, "student-matching", [Role.SERVICE], 60, NOW, **SCOPED.token_scope)

    assert (await called_by(f"Bearer {issued}", settings=SCOPED)).sub == "student-matching"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "https://school.example"}, "aud"),
        ({"iss": "https://school.example", "aud": "another system"}, "[Aa]udience"),
        ({"aud": "scriptorium"}, "iss"),
        ({"aud": "scriptorium", "iss": "https://elsewhere.example"}, "[Ii]ssuer"),
    ],
)
async def test_a_token_for_somebody_else_or_from_somebody_else_is_not_believed(
    claims: dict[str, str], said: str
) -> None:
    with pytest.raises(HTTPException, match=said) as refused:
        await called_by(f"Bearer {token(**claims)}", settings=SCOPED)

    assert refused.value.status_code == 401


def test_one_of_the_roles_is_enough_and_none_is_403() -> None:
    asked = request(None)
    asked.state.caller = Caller("op", frozenset({"operator"}))

    assert Required(Role.TEACHER, Role.OPERATOR)(asked).sub == "op"
    with pytest.raises(HTTPException, match="teacher or service") as refused:
        Required(Role.TEACHER, Role.SERVICE)(asked)
    assert refused.value.status_code == 403


@pytest.mark.parametrize(
    ("sub", "role", "may"),
    [("berit", "teacher", True), ("other", "teacher", False), ("op", "operator", True), ("berit", "service", False)],
)
def test_a_teacher_reads_what_is_theirs_and_an_operator_everything(sub: str, role: str, may: bool) -> None:
    assert Caller(sub, frozenset({role})).may_read("berit") is may
