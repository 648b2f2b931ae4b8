"""The whole system as other programs meet it: `scriptorium up`, its env file, HTTP and Kafka."""

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from local_stack import ChildProcess

from tests.integration.end_to_end.collector import Collector
from tests.integration.end_to_end.school import School, read_env


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """Keeps the spans of the whole system."""
    with Collector() as listening:
        yield listening


@pytest.fixture(scope="session")
def whole_system(collector: Collector) -> Iterator[dict[str, str]]:
    """The variables of a system that runs for the whole session, traced and with all it can log."""
    with tempfile.TemporaryDirectory(prefix="scriptorium-test-") as name:
        folder = Path(name)
        env_file = folder / "env"
        environment = {**os.environ, **collector.variables, "SCRIPTORIUM_LOG_LEVEL": "DEBUG"}
        command = [Path(sys.executable).with_name("scriptorium"), "up", "--data", folder / "data", "--ports", "free"]
        up = ChildProcess("scriptorium up", [*command, "--env-file", env_file], folder / "up.log", env=environment)
        up.start()
        try:
            up.await_ready(env_file.exists, 180)
            yield {**read_env(env_file), "UP_PID": str(up.pid), "LOGS": str(folder / "data" / "logs")}
        finally:
            up.stop(patience=30)


@pytest.fixture
async def school(whole_system: dict[str, str]) -> AsyncIterator[School]:
    """A teacher with a class of three."""
    async with School(whole_system) as opened:
        yield opened
