"""Who tells other processes of a commit goes on when the database cannot be reached."""

import asyncio

from fastapi import APIRouter
from service_runtime import Handlers, RuntimeSettings, Service
from service_runtime.service import Runtime
from service_runtime.testing import wait_until

SETTINGS = RuntimeSettings(
    database_url="postgresql://127.0.0.1:1/none",
    kafka_bootstrap_servers="nowhere",
    jwt_secret="s" * 32,  # type: ignore[arg-type]
)


async def test_a_refused_connection_does_not_end_the_loop_though_sqlalchemy_passes_it_on_as_it_is() -> None:
    runtime = Runtime(Service("notebook", Handlers(), APIRouter()), SETTINGS, None)
    signals = runtime.signals
    telling = asyncio.create_task(runtime._tell_others())
    try:
        for _ in range(2):
            signals.committed(keys=["a page"], said=True, timers_changed=False, replays=False)
            await wait_until(lambda: telling.done() or not signals._to_tell.is_set())
            assert not telling.done()
    finally:
        telling.cancel()
