"""Brings databases and topics to what the code expects; does nothing where they are already."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
from aiokafka.errors import KafkaError
from alembic import command
from alembic.config import Config
from service_runtime.topics import create_topics
from sqlalchemy.exc import SQLAlchemyError

from scriptorium.environment import SERVICES, Databases, Member, Topics
from scriptorium.errors import CommandFailed

CHECKOUT = Path(__file__).resolve().parents[3]


class NotPrepared(CommandFailed):
    """A database or the broker cannot be reached or does not allow it."""

    def __init__(self, what: str, variable: str, reason: Exception) -> None:
        said = str(reason).splitlines() or [""]
        super().__init__(
            f"{what} could not be prepared ({type(reason).__name__}: {said[0]})", f"start it or correct {variable}"
        )


def migrate(member: Member, url: str) -> None:
    """Bring one service's database to the newest version."""
    config = Config(CHECKOUT / "alembic.ini", ini_section=member.folder)
    scheme, _, rest = url.partition("://")
    if scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise CommandFailed(
            f"{member.variable}_DATABASE_URL is not a PostgreSQL address",
            "it looks like postgresql://user@host:5432/name",
        )
    config.set_main_option("sqlalchemy.url", f"postgresql://{rest}".replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise NotPrepared(f"the database of the {member.title}", f"{member.variable}_DATABASE_URL", error) from error


def prepare_topics(topics: Topics) -> None:
    """Create the topics that are missing."""
    servers, prefix = topics.kafka_bootstrap_servers, topics.scriptorium_topic_prefix
    partitions, copies = topics.scriptorium_partitions, topics.scriptorium_replication_factor
    try:
        asyncio.run(create_topics(servers, prefix, partitions, copies))
    except (OSError, KafkaError) as error:
        raise NotPrepared(f"Kafka at {servers}", "KAFKA_BOOTSTRAP_SERVERS", error) from error


def migrate_all(databases: Databases, say: Callable[[str], None]) -> None:
    """Prepare all that the services need."""
    prepare_topics(databases)
    say("The topics are there.")
    for member in SERVICES:
        migrate(member, databases.url(member))
        say(f"The database of the {member.title} is at its newest version.")
