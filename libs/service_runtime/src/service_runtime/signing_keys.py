"""The public keys of whoever issues tokens: fetched from their JWKS URL, kept, and asked for again when they change."""

import asyncio
import time

import httpx
import jwt
from fastapi import HTTPException
from jwt import PyJWK

from service_runtime.logging import log

ALGORITHMS = ("RS256", "ES256")
FETCH_SECONDS = 3.0


class UnknownKey(jwt.PyJWTError):
    """The issuer has no such key; it may have been withdrawn."""


class SigningKeys:
    """The keys by their `kid`. While the URL cannot be reached, those known before stay good."""

    def __init__(self, url: str, keep_seconds: float, again_seconds: float) -> None:
        self._url = url
        self._keep_seconds = keep_seconds
        self._again_seconds = again_seconds
        self._keys: dict[str, PyJWK] = {}
        self._asked_at = -float("inf")
        self._reached = False
        self._asking = asyncio.Lock()

    async def named(self, kid: str | None) -> PyJWK:
        """This key; raises UnknownKey, or 503 when nobody can say whether there is one."""
        if kid is None:
            raise UnknownKey("its header has no kid, which must name the key")
        if not self._answered(kid):
            async with self._asking:
                if not self._answered(kid):
                    await self._ask()
        if kid in self._keys:
            return self._keys[kid]
        if not self._reached:
            detail = "the keys that tokens are signed with cannot be fetched; try again in a moment"
            raise HTTPException(503, detail, headers={"Retry-After": str(max(1, round(self._again_seconds)))})
        raise UnknownKey("its issuer has no key of this kid")

    def _answered(self, kid: str) -> bool:
        """Whether what is known about a key is new enough, so that unknown ones cannot make us ask all the time."""
        enough = self._keep_seconds if kid in self._keys else self._again_seconds
        return time.monotonic() - self._asked_at < enough

    async def _ask(self) -> None:
        """Fetch all keys; an answer without a usable one counts as none."""
        try:
            async with httpx.AsyncClient(timeout=FETCH_SECONDS) as client:
                answer = (await client.get(self._url)).raise_for_status()
            found = jwt.PyJWKSet.from_dict(answer.json()).keys
            self._keys = {each.key_id: each for each in found if each.key_id and _verifies(each)}
            self._reached = True
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, AttributeError) as error:
            self._reached = False
            log.warning("signing_keys_unreachable", url=self._url, error=repr(error))
        self._asked_at = time.monotonic()


def _verifies(key: PyJWK) -> bool:
    # A symmetric key in a public list would let everybody sign.
    return key.algorithm_name in ALGORITHMS and key.public_key_use in (None, "sig")
