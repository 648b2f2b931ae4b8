"""Headers that keep browsers from doing harm with an answer; they stand on every one, whoever made it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
# What FastAPI's page of the routes loads.
DOCS = (
    "default-src 'none'; frame-ancestors 'none'; connect-src 'self'; img-src https://fastapi.tiangolo.com data:; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net"
)


async def answer_with_headers(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Pass a request on and put the headers on its answer."""
    policy = DOCS if scope.get("path") == "/docs" else NOTHING

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update({**HEADERS, "Content-Security-Policy": policy})
        await send(message)

    await app(scope, receive, send_with_headers)
