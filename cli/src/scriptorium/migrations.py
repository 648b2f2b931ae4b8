"""Brings databases and topics to what the code expects; does nothing where they are already."""

import asyncio
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from service_runtime import schema
from service_runtime.database import create_engine
from service_runtime.histories import ALEMBIC_INI
from service_runtime.topics import WrongTopics, create_topics
from sqlalchemy.exc import SQLAlchemyError

from scriptorium.broker import reaching
from scriptorium.environment import Member, Variables, runtime_settings
from scriptorium.errors import NotPrepared, WrongSize

PATIENCE_SECONDS = 60.0
CHECKOUT = Path(__file__).resolve().parents[3]


def migrate(member: Member, variables: Variables) -> None:
    """Bring one service's database to the newest version, unless it is at a newer one already; raises NotPrepared."""
    url = runtime_settings(variables, member).database_url
    config = Config(ALEMBIC_INI, ini_section=member.folder)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    try:
        # Who goes back to an earlier version keeps the database, which serves that one too.
        if asyncio.run(_migration(url)) in (None, *schema.revisions(member.folder)):
            command.upgrade(config, "head")
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise NotPrepared(f"the database of the {member.title}", f"{member.variable}_DATABASE_URL", error) from error


async def _migration(url: str) -> str | None:
    """At which migration a database is, if at any."""
    engine = create_engine(url, "scriptorium migrate", PATIENCE_SECONDS)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(lambda each: MigrationContext.configure(each).get_current_revision())
    finally:
        await engine.dispose()


def prepare_topics(variables: Variables) -> None:
    """Create the topics that are missing; raises BrokerFailed or WrongSize."""
    settings = runtime_settings(variables)
    try:
        with reaching(settings):
            asyncio.run(create_topics(settings))
    except WrongTopics as error:
        raise WrongSize(error) from error
