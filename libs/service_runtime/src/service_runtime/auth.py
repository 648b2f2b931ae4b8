"""Bearer tokens: who calls, in which roles, and until when; that is decided by the database's time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

import jwt
from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer
from jwt import PyJWK

from service_runtime import signing_keys
from service_runtime.settings import RuntimeSettings
from service_runtime.signing_keys import SigningKeys

ALGORITHM = "HS256"
LEEWAY_SECONDS = 10
"""How far the clock of whoever issues tokens may be off the database's."""


class Role(StrEnum):
    """What a caller may be."""

    TEACHER = "teacher"
    OPERATOR = "operator"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request."""

    sub: str
    roles: frozenset[str]

    def may_read(self, teacher_id: str) -> bool:
        """A teacher sees what is theirs, an operator everything."""
        return Role.OPERATOR in self.roles or (Role.TEACHER in self.roles and self.sub == teacher_id)


@dataclass(frozen=True, slots=True)
class Token:
    """A token whose signature is right; times are seconds since 1970."""

    caller: Caller
    valid_from: float
    expires: float

    def caller_at(self, at: datetime) -> Caller:
        """Who calls at this time; raises 401 when it is not the token's time."""
        if at.timestamp() >= self.expires + LEEWAY_SECONDS:
            raise _unauthorized("the token has expired; ask for a new one")
        if at.timestamp() < self.valid_from - LEEWAY_SECONDS:
            raise _unauthorized("the token is not valid yet; wait, or correct the clock of whoever issued it")
        return self.caller


def issue(
    secret: str,
    sub: str,
    roles: list[Role],
    lifetime_seconds: float,
    at: datetime | None = None,
    *,
    audience: str | None = None,
    issuer: str | None = None,
) -> str:
    """A signed token for this subject. Services say the time, by their database; others have only their own clock."""
    expires = (at or datetime.now(UTC)) + timedelta(seconds=lifetime_seconds)
    claims = {"sub": sub, "roles": [str(role) for role in roles], "exp": int(expires.timestamp())}
    scope = {"aud": audience, "iss": issuer}
    claims |= {name: value for name, value in scope.items() if value}
    return jwt.encode(claims, secret, algorithm=ALGORITHM)


class Tokens:
    """Whose tokens are believed: those signed with the shared secret, and those of the issuer behind the JWKS URL."""

    def __init__(self, settings: RuntimeSettings) -> None:
        self._secret = settings.jwt_secret.get_secret_value()
        self._scope = settings.token_scope
        url = settings.jwks_url
        self._keys = SigningKeys(url, settings.jwks_keep_seconds, settings.jwks_again_seconds) if url else None

    async def read(self, request: Request) -> Token:
        """The token of a request; raises 401 with the way out. Whether it is still valid, `Token.caller_at` says."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise _unauthorized("send a token in the header Authorization: Bearer ...")
        try:
            key, algorithms = await self._key(jwt.get_unverified_header(token.strip()))
            claims = jwt.decode(
                token.strip(),
                key,
                algorithms=algorithms,
                # PyJWT would compare times with this process's clock.
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_nbf": False, "verify_iat": False},
                **self._scope,
            )
        except jwt.PyJWTError as error:
            raise _unauthorized(f"the token is not valid ({error}); ask for a new one") from error
        return _checked(claims)

    async def _key(self, header: Mapping[str, Any]) -> tuple[str | PyJWK, list[str]]:
        """What must have signed a token with this header: never a public key where a secret is meant."""
        if self._keys and header.get("alg") in signing_keys.ALGORITHMS:
            return await self._keys.named(header.get("kid")), list(signing_keys.ALGORITHMS)
        return self._secret, [ALGORITHM]


def _checked(claims: Mapping[str, Any]) -> Token:
    sub, roles = claims["sub"], claims.get("roles", [])
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise _unauthorized("the claim roles must be a list of strings")
    if not 0 < len(sub) <= 200 or "\x00" in sub:
        raise _unauthorized("the claim sub must have 1 to 200 characters")
    valid_from, expires = claims.get("nbf", 0), claims["exp"]
    if not isinstance(valid_from, int | float) or not isinstance(expires, int | float):
        raise _unauthorized("the claims exp and nbf must be numbers: seconds since 1970")
    return Token(Caller(sub, frozenset(roles)), valid_from, expires)


class Required:
    """A dependency that declares who may use a route: a caller with one of these roles."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    def __call__(self, request: Request, _: Annotated[object, Depends(HTTPBearer(auto_error=False))] = None) -> Caller:
        """The caller; raises 403 when they have none of the roles."""
        found: Caller = request.state.caller
        if not found.roles.intersection(self.roles):
            raise HTTPException(403, f"this needs the role {' or '.join(self.roles)}")
        return found


Teacher = Annotated[Caller, Depends(Required(Role.TEACHER))]
"""Only a teacher may do this."""
Reader = Annotated[Caller, Depends(Required(Role.TEACHER, Role.OPERATOR))]
"""A teacher may read what is theirs, an operator everything."""
Operator = Annotated[Caller, Depends(Required(Role.OPERATOR))]
"""Only an operator may do this."""
AnyReader = Annotated[Caller, Depends(Required(Role.TEACHER, Role.OPERATOR, Role.SERVICE))]
"""Services may read this too."""


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})
