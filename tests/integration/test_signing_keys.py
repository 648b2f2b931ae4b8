"""Tokens of an issuer elsewhere: its public keys over HTTP, from a server that changes them, fails and vanishes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi import HTTPException
from pydantic import SecretStr
from service_runtime import RuntimeSettings
from service_runtime.auth import Role, Tokens, issue
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from services.batch_orchestrator_service.service import service as orchestrator_service
from tests.integration.sockets import served
from tests.integration.world import SECRET, World

NEVER, ALWAYS = 3_600.0, 0.000_001
"""Seconds until keys are asked for again."""
RSA_KEYS = [rsa.generate_private_key(65_537, 2_048) for _ in range(2)]
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(kid: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **more: str) -> dict[str, Any]:
    """A key as an issuer shows it."""
    if isinstance(key, rsa.RSAPrivateKey):
        return {**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, **more}
    return {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())), "kid": kid, **more}


@dataclass
class Issuer:
    """Who issues tokens: a server with the public keys, which can be changed or taken away."""

    url: str = ""
    keys: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    asked: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the keys."""
        self.asked += 1
        await JSONResponse({"keys": self.keys}, self.status)(scope, receive, send)

    def tokens(self, keep: float = NEVER, again: float = NEVER) -> Tokens:
        """A service that believes this issuer."""
        return Tokens(
            RuntimeSettings(
                database_url="postgresql://nowhere/none",
                kafka_bootstrap_servers="nowhere",
                jwt_secret=SecretStr(SECRET),
                jwks_url=self.url,
                jwks_keep_seconds=keep,
                jwks_again_seconds=again,
            )
        )


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    issuer = Issuer()
    async with served(issuer) as url:
        issuer.url = url
        yield issuer


def signed(key: Any, kid: str | None, algorithm: str = "RS256") -> str:
    claims = {"sub": "berit", "roles": ["teacher"], "exp": time.time() + 60}
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else None)


async def who(tokens: Tokens, token: str) -> str:
    request = Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})
    return (await tokens.read(request)).caller.sub


async def refusal(tokens: Tokens, token: str) -> int:
    with pytest.raises(HTTPException) as refused:
        await who(tokens, token)
    return refused.value.status_code


@pytest.mark.parametrize(("key", "algorithm"), [(RSA_KEYS[0], "RS256"), (EC_KEY, "ES256")])
async def test_a_token_signed_with_a_key_of_the_issuer_is_believed(issuer: Issuer, key: Any, algorithm: str) -> None:
    issuer.keys = [public("another", RSA_KEYS[1]), public("k", key)]

    assert await who(issuer.tokens(), signed(key, "k", algorithm)) == "berit"


async def test_the_secret_is_believed_beside_the_issuer_without_asking_them(issuer: Issuer) -> None:
    assert await who(issuer.tokens(), issue(SECRET, "student-matching", [Role.SERVICE], 60)) == "student-matching"
    assert issuer.asked == 0


PEM = RSA_KEYS[0].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def signed_with_the_public_key() -> str:
    """A token whose writer took the public key for the secret, which PyJWT itself would not write."""
    header, claims, _ = signed(SECRET, "k", "HS256").split(".")
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signature = algorithm.sign(f"{header}.{claims}".encode(), PEM)
    return f"{header}.{claims}.{jwt.utils.base64url_encode(signature).decode()}"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (signed(RSA_KEYS[1], "k"), "another key signed it"),
        (signed(EC_KEY, "k", "ES256"), "the key is of another kind"),
        (signed(RSA_KEYS[0], None), "it names no key"),
        (signed(RSA_KEYS[0], "k", "RS512"), "the algorithm is not one of ours"),
        (signed_with_the_public_key(), "everybody knows what signed it"),
        (signed("the issuer shows this " * 2, "symmetric", "HS256"), "everybody knows what signed it"),
        (signed(EC_KEY, "for encryption", "ES256"), "the key is for something else"),
    ],
)
async def test_other_tokens_are_not_believed(issuer: Issuer, token: str, why: str) -> None:
    shown = {"kty": "oct", "kid": "symmetric", "k": jwt.utils.base64url_encode(b"the issuer shows this " * 2).decode()}
    issuer.keys = [public("k", RSA_KEYS[0]), shown, public("for encryption", EC_KEY, use="enc")]

    assert await refusal(issuer.tokens(), token) == 401, why


async def test_keys_are_fetched_once_however_many_ask(issuer: Issuer) -> None:
    issuer.keys = [public("k", RSA_KEYS[0])]
    tokens, token = issuer.tokens(), signed(RSA_KEYS[0], "k")

    await asyncio.gather(*(who(tokens, token) for _ in range(20)))

    assert issuer.asked == 1


async def test_a_new_key_is_found_when_a_token_names_it(issuer: Issuer) -> None:
    issuer.keys = [public("old", RSA_KEYS[0])]
    tokens = issuer.tokens(again=ALWAYS)
    assert await who(tokens, signed(RSA_KEYS[0], "old")) == "berit"

    issuer.keys = [public("new", RSA_KEYS[1])]

    assert await who(tokens, signed(RSA_KEYS[1], "new")) == "berit"
    assert await refusal(tokens, signed(RSA_KEYS[0], "old")) == 401


async def test_invented_keys_do_not_make_us_ask_the_issuer_each_time(issuer: Issuer) -> None:
    issuer.keys = [public("k", RSA_KEYS[0])]
    tokens = issuer.tokens()

    for number in range(20):
        assert await refusal(tokens, signed(RSA_KEYS[1], f"invented-{number}")) == 401

    assert issuer.asked == 1


async def test_a_withdrawn_key_ends_when_the_keys_are_fetched_again(issuer: Issuer) -> None:
    issuer.keys = [public("k", RSA_KEYS[0]), public("other", RSA_KEYS[1])]
    tokens = issuer.tokens(keep=ALWAYS, again=ALWAYS)
    assert await who(tokens, signed(RSA_KEYS[0], "k")) == "berit"

    issuer.keys = issuer.keys[1:]

    assert await refusal(tokens, signed(RSA_KEYS[0], "k")) == 401


async def test_without_the_issuer_known_keys_stay_good_and_others_are_nobodys_fault(issuer: Issuer) -> None:
    issuer.keys = [public("k", RSA_KEYS[0])]
    tokens = issuer.tokens(keep=ALWAYS, again=ALWAYS)
    assert await who(tokens, signed(RSA_KEYS[0], "k")) == "berit"

    issuer.status = 500

    assert await who(tokens, signed(RSA_KEYS[0], "k")) == "berit"
    assert await refusal(tokens, signed(RSA_KEYS[1], "unknown")) == 503


async def test_an_issuer_who_cannot_be_reached_is_our_trouble_not_the_callers(world: World) -> None:
    started = await world.run(orchestrator_service, jwks_url="http://127.0.0.1:1/jwks.json")
    headers = {"Authorization": f"Bearer {signed(RSA_KEYS[0], 'k')}"}

    answer = await started.http.get("/v1/batches", headers=headers)

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert "try again" in answer.json()["detail"]
