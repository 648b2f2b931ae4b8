"""`python -m service_runtime.await_migration SERVICE` ends when that service's database is as this version needs it.

For deployments that start processes and migrations at the same time, as Kubernetes does.
"""

import asyncio
import sys

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from service_runtime import logging, schema
from service_runtime.database import create_engine
from service_runtime.logging import log
from service_runtime.settings import RuntimeSettings, load_settings

LOOK_SECONDS = 1.0


async def migrated(service: str, settings: RuntimeSettings) -> None:
    """Wait until the database is at the newest migration this version knows, or at a newer one."""
    engine = create_engine(settings.database_url, f"{service} awaits its migration", settings.transaction_seconds)
    said = None
    while problem := await _problem(engine, service):
        if problem != said:
            log.info("migration_awaited", problem=problem)
        said = problem
        await asyncio.sleep(LOOK_SECONDS)
    await engine.dispose()


async def _problem(engine: AsyncEngine, service: str) -> str | None:
    try:
        async with AsyncSession(engine) as session:
            return await schema.problem(session, service)
    except (SQLAlchemyError, OSError) as error:
        return f"the database cannot be used, is it migrated? {type(error).__name__}"


def main() -> None:
    """Read the settings from the environment and wait."""
    service = sys.argv[1] if len(sys.argv) == 2 else ""
    if not schema.revisions(service):
        sys.exit(f"There is no service {service!r} with migrations; name one, such as essay-lifecycle.")
    settings = load_settings(RuntimeSettings)
    logging.configure(service, settings.log_level)
    asyncio.run(migrated(service, settings))


if __name__ == "__main__":
    main()
