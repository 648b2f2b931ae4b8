"""Idempotency keys: claimed and answered in the transaction of the command, so a repetition gets the first answer."""

import contextlib
import hashlib
import json

import pydantic_core
from common_core.errors import DomainError
from fastapi import HTTPException, Request, Response
from sqlalchemy import text

from service_runtime.auth import Caller
from service_runtime.unit_of_work import UnitOfWork

HEADER = "Idempotency-Key"
# A concurrent repetition waits here until the first has committed or rolled back.
CLAIM = text("""
    INSERT INTO idempotency_keys (caller, route, key, fingerprint) VALUES (:caller, :route, :key, :fingerprint)
    ON CONFLICT DO NOTHING RETURNING key
""")
ANSWER = text("""
    SELECT fingerprint, status, body FROM idempotency_keys WHERE caller = :caller AND route = :route AND key = :key
""")
REMEMBER = text("""
    UPDATE idempotency_keys SET status = :status, body = :body
    WHERE caller = :caller AND route = :route AND key = :key
""")
FORGET = text("DELETE FROM idempotency_keys WHERE created_at < now() - interval '7 days'")


class KeyReused(DomainError):
    """The same key came with another body; use a new key for a new command."""

    http_status = 422

    def __init__(self) -> None:
        super().__init__(f"this {HEADER} was used for another request; use a new key for a new command")


class AlreadyAnswered(Exception):
    """This command was carried out before; here is the answer it got."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


def fingerprint(content_type: str, body: bytes) -> bytes:
    """What makes two requests the same: equal JSON values, or equal bytes."""
    if content_type.startswith("application/json"):
        with contextlib.suppress(ValueError):
            body = json.dumps(pydantic_core.from_json(body), sort_keys=True).encode()
    return hashlib.sha256(body).digest()


async def claim(work: UnitOfWork, request: Request, body_fingerprint: bytes) -> None:
    """Claim the request's key, if it has one; raises AlreadyAnswered (a repetition) or KeyReused (another body)."""
    if (columns := _columns(request)) is None:
        return
    if await work.session.scalar(CLAIM, {**columns, "fingerprint": body_fingerprint}):
        request.state.idempotency_claimed = True
        return
    first = (await work.session.execute(ANSWER, columns)).one()
    if first.fingerprint != body_fingerprint:
        raise KeyReused
    raise AlreadyAnswered(Response(first.body, first.status, media_type="application/json"))


async def remember(work: UnitOfWork, request: Request, response: Response) -> None:
    """Keep the answer for repetitions; it is committed with the effects of the command."""
    if getattr(request.state, "idempotency_claimed", False) and (columns := _columns(request)):
        await work.session.execute(REMEMBER, {**columns, "status": response.status_code, "body": bytes(response.body)})


def _columns(request: Request) -> dict[str, str] | None:
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return None
    if not 0 < len(key) <= 200:
        raise HTTPException(422, f"{HEADER} must have 1 to 200 characters")
    caller: Caller = request.state.caller
    return {"caller": caller.sub, "route": f"{request.method} {request.url.path}", "key": key}
