"""A database over TLS: the address says how much is checked, for the services, the relay and the migrations alike."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from service_runtime.database import create_engine
from service_runtime.testing import wait_until
from sqlalchemy import text

from tests.integration.certificates import Certificates, certificates
from tests.integration.notebook import TABLES, service
from tests.integration.world import RealParts, World, alembic

ENCRYPTED = "SELECT bool_and(ssl) AND count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = "


@pytest.fixture
async def signed(parts: RealParts) -> AsyncIterator[Certificates]:
    """The server offers TLS as long as the test lasts; the files are written by itself, wherever it runs."""
    made = certificates()
    for name, content in (("server.crt", made.server), ("server.key", made.server_key)):
        lines = ",".join(f"('{each}')" for each in content.splitlines())
        into = f"umask 077; cat >{name}"
        await parts.execute(f"COPY (VALUES {lines}) TO PROGRAM '{into}'")
    try:
        await parts.execute("ALTER SYSTEM SET ssl = on")
    except asyncpg.InvalidParameterValueError as error:
        # The wheel's PostgreSQL is built without TLS; the container's has it, so the test runs there.
        pytest.skip(f"{error}: `make test-containers` has one that does")
    await parts.execute("SELECT pg_reload_conf()")
    yield made
    await parts.execute("ALTER SYSTEM RESET ssl")
    await parts.execute("SELECT pg_reload_conf()")


async def test_a_service_and_its_relay_talk_to_the_database_over_tls(
    world: World, signed: Certificates, tmp_path: Path
) -> None:
    database = await world.database(service, TABLES)
    checked = f"{database.url}?sslmode=verify-full&sslrootcert={signed.authority_file(tmp_path)}"

    async with world.running(service, TABLES, database_url=checked) as started:
        await wait_until(lambda: started.runtime.relay.leads)
        name = database.url.rpartition("/")[2]
        others = f"{ENCRYPTED} '{name}' AND application_name LIKE 'notebook%'"
        assert (await database.fetch(others))[0][0]


@pytest.mark.usefixtures("signed")
async def test_a_server_whose_authority_is_not_trusted_is_refused(world: World, tmp_path: Path) -> None:
    database = await world.database(service, TABLES)
    stranger = certificates().authority_file(tmp_path)
    engine = create_engine(f"{database.url}?sslmode=verify-full&sslrootcert={stranger}", "a test", 60)

    with pytest.raises(ssl.SSLCertVerificationError):
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))


async def test_migrations_run_over_tls(parts: RealParts, signed: Certificates, tmp_path: Path) -> None:
    await parts.execute("CREATE DATABASE over_tls")
    url = f"{parts.stack.postgres_url('over_tls')}?sslmode=verify-full&sslrootcert={signed.authority_file(tmp_path)}"

    await asyncio.to_thread(command.upgrade, alembic("file_service", url), "head")

    await parts.execute("DROP DATABASE over_tls")
