"""What holds for every request, whoever answers it: a correlation id, a trace, and a measure of its time."""

import time

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uuid_utils.compat import uuid7

from service_runtime import metrics, tracing
from service_runtime.cloudevents import MAX_CORRELATION

CORRELATION = "X-Correlation-ID"
TRACED = ("/v1/", "/ops/")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Those that are counted by their names: a caller may invent others without end."""


async def observed(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a request on, and put its correlation id on the answer, on log lines and on its span."""
    if scope["type"] != "http":
        await app(scope, receive, send)
        return
    request = Request(scope)
    correlation_id = request.headers.get(CORRELATION, "")[:MAX_CORRELATION] or str(uuid7())
    request.state.correlation_id = correlation_id
    method = request.method if request.method in METHODS else "other"
    traced = request.url.path.startswith(TRACED)
    status: int | None = None
    started = answered = time.perf_counter()

    async def send_with_id(message: Message) -> None:
        nonlocal status, answered
        if message["type"] == "http.response.start":
            # Where the answer begins: a stream may go on for minutes.
            status, answered = message["status"], time.perf_counter()
            MutableHeaders(scope=message)[CORRELATION] = correlation_id
        await send(message)

    with (
        tracing.span(method, request.headers.get("traceparent"), {}, SpanKind.SERVER, traced=traced) as span,
        structlog.contextvars.bound_contextvars(correlation_id=correlation_id),
    ):
        request.state.traceparent = span.traceparent
        try:
            await app(scope, receive, send_with_id)
        finally:
            # A bug is answered and then raised, for the server to see.
            if status is not None:
                route = getattr(scope.get("route"), "path", "unknown")
                metrics.HTTP_SECONDS.labels(method, route, status).observe(answered - started)
                about = {"http.request.method": method, "http.route": route, "correlation_id": correlation_id}
                span.tell(f"{method} {route}", {**about, "http.response.status_code": status})
