"""Each service's migrations lead from nothing to its models, back, and there again; and who must wait for them does."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from local_stack import ChildProcess
from scriptorium.environment import SERVICES
from scriptorium.migrations import migrate
from service_runtime import schema
from service_runtime.testing import wait_until

from services.essay_lifecycle_service.service import service as essay_lifecycle
from tests.integration.world import ROOT, SECRET, RealParts, World, histories


async def alembic_says(url: str, history: str, *words: str) -> str:
    """What the alembic command prints; fails the test when it fails."""
    command = [sys.executable, "-m", "alembic.config", "--name", history, *words]
    run = {"cwd": ROOT, "env": {**os.environ, "SCRIPTORIUM_DATABASE_URL": url}, "capture_output": True, "text": True}
    done = await asyncio.to_thread(subprocess.run, command, check=False, **run)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout + done.stderr)


def test_every_service_has_a_history() -> None:
    services = {path.parent.name for path in (ROOT / "services").glob("*/service.py")}

    assert set(histories()) == services


@pytest.mark.parametrize("history", histories())
async def test_up_down_and_up_again_ends_at_the_models(parts: RealParts, history: str) -> None:
    name = f"migrated_{history}"
    await parts.execute(f'CREATE DATABASE "{name}"')
    url = parts.stack.postgres_url(name)

    for words in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
        await alembic_says(url, history, *words)

    assert "No new upgrade operations detected" in await alembic_says(url, history, "check")
    await parts.execute(f'DROP DATABASE "{name}"')


COMES_AND_GOES = {"outbox", "parked_messages", "timers"}
KEPT_FOR_A_WHILE = {"inbox", "idempotency_keys"}


@pytest.mark.parametrize("history", histories())
async def test_vacuum_is_told_about_every_table_of_the_runtime_that_loses_rows(parts: RealParts, history: str) -> None:
    name = f"vacuumed_{history}"
    await parts.execute(f'CREATE DATABASE "{name}"')
    await alembic_says(parts.stack.postgres_url(name), history, "upgrade", "head")
    connection = await asyncpg.connect(parts.stack.postgres_url(name))

    rows = await connection.fetch(
        "SELECT relname, reloptions FROM pg_class WHERE relkind = 'r' AND reloptions IS NOT NULL"
    )

    settings = {row["relname"]: dict(each.split("=") for each in row["reloptions"]) for row in rows}
    common = {"autovacuum_vacuum_threshold": "10000", "vacuum_truncate": "false"}
    eager = common | {"autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_cost_delay": "0"}
    steady = common | {"autovacuum_vacuum_scale_factor": "0.02"}
    assert settings == dict.fromkeys(COMES_AND_GOES, eager) | dict.fromkeys(KEPT_FOR_A_WHILE, steady)
    await connection.close()
    await parts.execute(f'DROP DATABASE "{name}"')


async def test_associations_from_before_the_validation_fields_become_undecided(parts: RealParts) -> None:
    history = "class_management_service"
    await parts.execute("CREATE DATABASE with_rows")
    url = parts.stack.postgres_url("with_rows")
    await alembic_says(url, history, "upgrade", "0001")
    connection = await asyncpg.connect(url)
    await connection.execute("""
        INSERT INTO validations (batch_id, teacher_id, status, timeout_triggered)
        VALUES ('00000000-0000-0000-0000-000000000001', 'berit', 'open', false);
        INSERT INTO student_associations
            (batch_id, essay_id, class_id, text_storage_id, original_file_name, was_suggested, evidence)
        VALUES ('00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000002',
                '00000000-0000-0000-0000-000000000003', 'text', 'a.txt', false, '[]')
    """)

    await alembic_says(url, history, "upgrade", "head")

    row = await connection.fetchrow("SELECT validation_status, match_reasons, validated_by FROM student_associations")
    assert tuple(row) == ("pending_validation", "[]", None)
    await connection.close()
    await parts.execute("DROP DATABASE with_rows")


def awaiting(url: str, log_file: Path, service: str = essay_lifecycle.name) -> ChildProcess:
    """The first step of a pod, on this database."""
    variables = {"DATABASE_URL": url, "JWT_SECRET": SECRET}
    environment = {**os.environ, **{f"SCRIPTORIUM_{name}": value for name, value in variables.items()}}
    environment["KAFKA_BOOTSTRAP_SERVERS"] = "nowhere:9092"
    command = [sys.executable, "-m", "service_runtime.await_migration", service]
    return ChildProcess("awaiting", command, log_file, env=environment, cwd=ROOT).start()


async def test_who_awaits_the_migration_goes_on_when_it_is_done(parts: RealParts, tmp_path: Path) -> None:
    await parts.execute("CREATE DATABASE awaited")
    url = parts.stack.postgres_url("awaited")
    process = awaiting(url, tmp_path / "log")
    try:
        await wait_until(lambda: "is it migrated?" in process.tail(), 30)
        await alembic_says(url, "essay_lifecycle_service", "upgrade", "0001")
        await wait_until(lambda: "the database is at migration 0001, this version needs" in process.tail())
        assert process.running

        await alembic_says(url, "essay_lifecycle_service", "upgrade", "head")

        process.finish(10)
    finally:
        process.kill()
    await parts.execute("DROP DATABASE awaited WITH (FORCE)")


async def test_who_awaits_the_migration_takes_a_newer_one(world: World, tmp_path: Path) -> None:
    database = await world.database(essay_lifecycle)
    await database.fetch("UPDATE alembic_version SET version_num = '9999'")

    awaiting(database.url, tmp_path / "log").finish(30)


def test_who_awaits_the_migration_of_nobody_is_told_so(tmp_path: Path) -> None:
    process = awaiting("postgresql://nowhere/none", tmp_path / "log", "nobody")

    assert process.wait(30) == 1
    assert "There is no service 'nobody' with migrations" in process.tail()


async def test_migrating_leaves_a_database_alone_that_a_newer_version_has_migrated(parts: RealParts) -> None:
    await parts.execute("CREATE DATABASE went_back")
    url = parts.stack.postgres_url("went_back")
    (member,) = (each for each in SERVICES if each.folder == "essay_lifecycle_service")
    variables = {f"{member.variable}_DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": "nowhere:9092"}
    await asyncio.to_thread(migrate, member, variables)
    connection = await asyncpg.connect(url)
    at_head = await connection.fetchval("SELECT version_num FROM alembic_version")
    assert at_head == schema.revisions(member.folder)[0]
    await connection.execute("UPDATE alembic_version SET version_num = '9999'")

    await asyncio.to_thread(migrate, member, variables)

    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "9999"
    await connection.close()
    await parts.execute("DROP DATABASE went_back WITH (FORCE)")
