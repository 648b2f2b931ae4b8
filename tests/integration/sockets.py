"""Services of this process on sockets of their own, for whoever reaches them over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from service_runtime.server import Server
from service_runtime.testing import Running, wait_until
from starlette.types import ASGIApp


def app_of(started: Running) -> ASGIApp:
    """The application of a service that runs already."""
    app: ASGIApp = started.http._transport.app  # type: ignore[attr-defined]  # httpx's ASGITransport
    return app


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The base URL of an application that now listens on a socket."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, lifespan="off", log_config=None)
    stopping: asyncio.Event | None = getattr(getattr(app, "state", None), "stopping", None)
    server = Server(config, stopping.set if stopping else lambda: None)
    serving = asyncio.create_task(server._serve())
    await wait_until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
        if stopping:
            stopping.clear()  # The service itself goes on.
