"""Runs the migrations of the service that `--name` picks, on the database of SCRIPTORIUM_DATABASE_URL."""

import asyncio
import importlib
import os

from alembic import context
from service_runtime.database import addressed
from service_runtime.tables import Json
from sqlalchemy import Enum
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine

service = context.config.config_ini_section
url = context.config.get_main_option("sqlalchemy.url") or os.environ.get("SCRIPTORIUM_DATABASE_URL")


def render(kind: str, item: object, _: object) -> str | bool:
    """To a migration our checked JSON is plain JSONB, and an enum's word a short text."""
    if kind == "type" and isinstance(item, Json):
        return "postgresql.JSONB()"
    return "sa.String(60)" if kind == "type" and isinstance(item, Enum) else False


def migrate(connection: Connection) -> None:
    metadata = importlib.import_module(f"services.{service}.models").Base.metadata
    context.configure(connection=connection, target_metadata=metadata, compare_server_default=True, render_item=render)
    with context.begin_transaction():
        context.run_migrations()


async def main() -> None:
    if not url:
        raise SystemExit("Set SCRIPTORIUM_DATABASE_URL to the database of this service and start again.")
    address, driver = addressed(url)
    engine = create_async_engine(address, connect_args=driver)
    async with engine.connect() as connection:
        # Two migrations of one database at the same time: the second waits and finds nothing to do.
        await connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('scriptorium-migration'))")
        await connection.run_sync(migrate)
        await connection.commit()
    await engine.dispose()


asyncio.run(main())
