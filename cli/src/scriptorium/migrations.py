"""Brings databases and topics to what the code expects; does nothing where they are already."""

import asyncio
import logging
import re
from pathlib import Path

import asyncpg
from aiokafka.errors import KafkaError
from alembic import command
from alembic.config import Config
from service_runtime.topics import create_topics
from sqlalchemy.exc import SQLAlchemyError

from scriptorium.environment import BROKERS, Member, Variables, need, runtime_settings
from scriptorium.errors import NotPrepared

CHECKOUT = Path(__file__).resolve().parents[3]
SCHEME = re.compile(r"^postgres(ql)?(\+asyncpg)?://")


def migrate(member: Member, variables: Variables) -> None:
    """Bring one service's database to the newest version; raises NotPrepared."""
    variable = f"{member.variable}_DATABASE_URL"
    config = Config(CHECKOUT / "alembic.ini", ini_section=member.folder)
    url = SCHEME.sub("postgresql://", need(variables, variable))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    try:
        command.upgrade(config, "head")
    except (OSError, SQLAlchemyError, asyncpg.PostgresError) as error:
        raise NotPrepared(f"the database of the {member.title}", variable, error) from error


def prepare_topics(variables: Variables) -> None:
    """Create the topics that are missing; raises NotPrepared."""
    settings = runtime_settings(variables)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # What it has to say is raised as well.
    brokers, prefix = settings.kafka_bootstrap_servers, settings.topic_prefix
    try:
        asyncio.run(create_topics(brokers, prefix, settings.partitions, settings.replication_factor))
    except (OSError, KafkaError) as error:
        raise NotPrepared(f"Kafka at {brokers}", BROKERS, error) from error
