"""Services that have nothing to do write nothing, so no table of theirs grows and no log of PostgreSQL's."""

import pytest
from service_runtime import service as runtime_service
from service_runtime.testing import wait_until

from services.batch_orchestrator_service.service import service as orchestrator
from services.class_management_service.service import service as class_management
from services.essay_lifecycle_service.service import service as lifecycle
from services.file_service.service import service as files
from services.student_matching_service.service import service as matcher
from tests.integration.world import Database, World

OLD_KEY = """
    INSERT INTO idempotency_keys (caller, route, key, fingerprint, created_at)
    VALUES ('somebody', 'a route', $1, '', now() - interval '1 year')
"""
WRITTEN = """
    SELECT relname FROM pg_stat_user_tables
    WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND relname <> 'idempotency_keys'
"""
TOLD = "SELECT 1 FROM pg_stat_user_tables WHERE relname = 'idempotency_keys' AND n_tup_del >= $1"
ROUNDS = 4


async def housekeeping_comes_round(database: Database, number: int) -> None:
    """Wait until a key too old to be kept is gone."""
    await database.fetch(OLD_KEY, str(number))

    async def gone() -> bool:
        return not await database.count("idempotency_keys")

    await wait_until(gone)


async def test_what_has_nothing_to_do_writes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime_service, "HOUSEKEEPING_SECONDS", 0.3)
    every = [orchestrator, lifecycle, class_management, matcher, files]
    for service in every:
        await world.run(service)
    databases = [await world.database(service) for service in every]

    for number in range(ROUNDS):
        for database in databases:
            await housekeeping_comes_round(database, number)

    for database in databases:
        # A session tells PostgreSQL's statistics what it has written once a second.
        await wait_until(lambda told=database: told.fetch(TOLD, ROUNDS))
    assert [await database.fetch(WRITTEN) for database in databases] == [[] for _ in databases]
