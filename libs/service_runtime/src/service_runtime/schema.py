"""Whether a database has been migrated to what this version of its service needs."""

import asyncio
import functools
from configparser import RawConfigParser

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from service_runtime.histories import ALEMBIC_INI

FOUND = text("SELECT version_num FROM alembic_version")


@functools.cache
def revisions(service: str) -> tuple[str, ...]:
    """The migrations of a service, newest first; none for one that has no migrations."""
    name = service.replace("-", "_").removesuffix("_service")
    ini = RawConfigParser()
    ini.read(ALEMBIC_INI)
    for section in ini.sections():
        if section.removesuffix("_service") == name:
            script = ScriptDirectory.from_config(Config(ALEMBIC_INI, ini_section=section))
            return tuple(each.revision for each in script.walk_revisions())
    return ()


async def problem(session: AsyncSession, service: str) -> str | None:
    """What must be done to the database first, or None.

    One that a newer version of the service has migrated is fine: during an upgrade both run on it.
    """
    known = await asyncio.to_thread(revisions, service)
    if not known:
        return None
    found = await session.scalar(FOUND)
    if found in known[1:]:
        return f"the database is at migration {found}, this version needs {known[0]}; run `scriptorium migrate`"
    return None if found else "the database was never migrated; run `scriptorium migrate`"
