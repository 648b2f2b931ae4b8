"""HTTP: every `/v1` request is one unit of work, and every error a problem document (RFC 9457) with a way out."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Annotated, Any

from common_core.errors import DomainError, NotYet
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.telemetry import TelemetryConfig
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service_runtime import idempotency, problems
from service_runtime.database import BROKEN_WIRE, CONFLICT_ATTEMPTS, is_conflict, is_lost_connection
from service_runtime.failpoints import failpoint
from service_runtime.handlers import Cause
from service_runtime.idempotency import AlreadyAnswered
from service_runtime.logging import log
from service_runtime.observation import observed
from service_runtime.problems import problem
from service_runtime.security_headers import answer_with_headers
from service_runtime.settings import RuntimeSettings
from service_runtime.unit_of_work import UnitOfWork, UnitsOfWork, database_time

type Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]

LOOK_AGAIN_SECONDS = 0.05
MAX_BODY_BYTES = 5_000_000
TOO_LARGE = 413
NO_TELEMETRY: TelemetryConfig = {"auto_configure": False, "tracing": False, "metrics": False, "logs": False}
"""FastAPI's own would send what requests say; see `tracing.py` and `metrics.py`."""


class UnitOfWorkRoute(APIRoute):
    """Runs its endpoint in one transaction, committed before the answer is sent.

    NotYet is tried again for a while, since what was made a moment ago may not have been heard yet.
    """

    def get_route_handler(self) -> Endpoint:
        """FastAPI's handler inside our transaction."""
        endpoint = super().get_route_handler()

        async def handle(request: Request) -> Response:
            settings: RuntimeSettings = request.app.state.settings
            request.state.token = await request.app.state.tokens.read(request)
            request.app.state.rate_limit.count(request.state.token.caller, time.monotonic())
            if not _is_form(request):
                # Before the transaction: a slow client must not hold a connection to the database.
                await request.body()
            async with AsyncExitStack() as until_answered:
                # What a route opens once for all its attempts, such as the files of a form.
                request.state.until_answered = until_answered
                return await _until_done(request, endpoint, settings.known_within_seconds)

        return handle


async def _until_done(request: Request, endpoint: Endpoint, seconds: float) -> Response:
    until = time.monotonic() + seconds
    conflicts = 0
    while True:
        try:
            return await _in_one_transaction(request, endpoint)
        except NotYet:
            if time.monotonic() >= until:
                raise
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except SQLAlchemyError as error:
            conflicts += 1
            if not is_conflict(error) or conflicts == CONFLICT_ATTEMPTS:
                raise


async def _in_one_transaction(request: Request, endpoint: Endpoint) -> Response:
    units: UnitsOfWork = request.app.state.units
    try:
        async with units.begin() as work:
            at = await database_time(work.session)
            request.state.caller = request.state.token.caller_at(at)
            work.cause = Cause(None, request.state.correlation_id, request.state.traceparent, at)
            request.state.work = work
            if not _is_form(request):
                fingerprint = idempotency.fingerprint(_content_type(request), await request.body())
                await idempotency.claim(work, request, fingerprint)
            response = await endpoint(request)
            await idempotency.remember(work, request, response)
    except AlreadyAnswered as answered:
        return answered.response
    failpoint("http.before_answer")
    return response


def _content_type(request: Request) -> str:
    return request.headers.get("Content-Type", "").lower()


def _is_form(request: Request) -> bool:
    return _content_type(request).startswith("multipart/")


def _work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.state.work
    return work


Work = Annotated[UnitOfWork, Depends(_work)]
"""The unit of work of this request."""


type Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def router(prefix: str = "/v1", lifespan: Lifespan | None = None) -> APIRouter:
    """A router whose routes are units of work; its `lifespan` is within the service's."""
    return APIRouter(prefix=prefix, route_class=UnitOfWorkRoute, responses=problems.declared(), lifespan=lifespan)


class Application(FastAPI):
    """FastAPI, but a body that is too large is answered as every other error is, and all answers have our headers."""

    def build_middleware_stack(self) -> ASGIApp:
        """All of FastAPI's, within ours: it refuses a body by its length, and answers a bug, outside of all others."""
        inner = partial(_refuse_large_bodies, super().build_middleware_stack())
        return partial(answer_with_headers, partial(observed, inner))

    def openapi(self) -> dict[str, Any]:
        """FastAPI's description of the routes and our words about all of them."""
        if not self.openapi_schema:
            self.openapi_schema = problems.describe(super().openapi(), idempotency.HEADER)
        return self.openapi_schema


async def _refuse_large_bodies(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    refused = False

    async def send_unless_refused(message: Message) -> None:
        nonlocal refused
        refused = refused or (message["type"] == "http.response.start" and message["status"] == TOO_LARGE)
        if not refused:
            await send(message)

    await app(scope, receive, send_unless_refused)
    if refused:
        said = problem(TOO_LARGE, "the request is larger than is taken here; send less, or several smaller requests")
        await said(scope, receive, send)


def create_app(title: str, routes: APIRouter, lifespan: Lifespan) -> FastAPI:
    """The service's HTTP application: its routes, and errors as problem documents."""
    app = Application(
        title=title,
        lifespan=lifespan,
        max_body_size=MAX_BODY_BYTES,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        telemetry=NO_TELEMETRY,
    )
    app.include_router(routes)
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(NotYet, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(StarletteHTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    for error in (SQLAlchemyError, *BROKEN_WIRE):
        app.add_exception_handler(error, _database_error)
    app.add_exception_handler(Exception, _bug)
    return app


async def _refused(_: Request, error: Exception) -> Response:
    details = error.details if isinstance(error, DomainError) else {}
    return problem(getattr(error, "http_status", 409), str(error), details=details)


async def _invalid(_: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else []
    fields = [_wrong_field(each) for each in found]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in fields)
    return problem(422, detail or "the request is not valid", details={"errors": fields})


def _wrong_field(error: Mapping[str, Any]) -> dict[str, str]:
    match error:
        # FastAPI puts the character's number where a field's name belongs.
        case {"type": "json_invalid", "loc": (str(place), int(number)), "ctx": {"error": str(why)}}:
            return {"field": place, "message": f"Invalid JSON: {why} at character {number + 1}"}
    return {"field": ".".join(map(str, error["loc"])), "message": error["msg"]}


async def _http_error(_: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException | StarletteHTTPException):
        raise error
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


async def _gone(_: Request, __: Exception) -> Response:
    return problem(400, "the connection was closed before the request was complete; send the same again")


async def _database_error(request: Request, error: Exception) -> Response:
    if is_lost_connection(error):
        log.warning("database_unreachable", error=repr(error))
        return problem(503, "the database cannot be reached; try again in a moment", {"Retry-After": "2"})
    return await _bug(request, error)


async def _bug(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    correlation_id = getattr(request.state, "correlation_id", None)
    return problem(500, f"this is our fault; quote correlation id {correlation_id} to the operator")
