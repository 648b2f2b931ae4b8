"""Each service's migrations lead from nothing to its models, back, and there again."""

import asyncio
import os
import subprocess
import sys

import asyncpg
import pytest

from tests.integration.world import ROOT, RealParts, histories


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
