"""What a service's OpenAPI says is what it does, whatever anybody sends: schemathesis tries, the same at every run."""

import asyncio
import sys
from pathlib import Path

import pytest
from service_runtime import Service
from service_runtime.auth import Role
from service_runtime.testing import bearer

from tests.integration.sockets import app_of, served
from tests.integration.world import World
from tests.routes import SERVICES

EXAMPLES = 10
"""Generated requests per operation, besides those that schemathesis derives from the boundaries of each field."""
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
OPTIONS = ["--max-examples", str(EXAMPLES), "--generation-deterministic"]
OPTIONS += ["--generation-with-security-parameters", "false", "--continue-on-failure", "--no-color", "--no-shrink"]

ONCE = r"^/ops/(dead-letters|keys)"
"""What is the runtime's and the same in every service is tried in the one that has nothing else."""


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_service_does_what_its_openapi_says(shared_world: World, service: Service, tmp_path: Path) -> None:
    async with (
        shared_world.running(service, known_within_seconds=0) as started,
        served(app_of(started)) as url,
    ):
        caller = bearer(started.runtime.settings, "berit", Role.TEACHER, Role.OPERATOR)
        headers = ["--header", f"Authorization:{caller['Authorization']}"]
        left_out = [] if service.name == "student-matching" else ["--exclude-path-regex", ONCE]
        program = [str(Path(sys.executable).with_name("st")), "--config-file", str(CONFIGURATION), "run"]
        trial = await asyncio.create_subprocess_exec(
            *program, f"{url}/openapi.json", *headers, *left_out, *OPTIONS, cwd=tmp_path, stdout=asyncio.subprocess.PIPE
        )
        said, _ = await trial.communicate()

    assert trial.returncode == 0, said.decode()
