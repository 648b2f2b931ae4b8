"""The engine, and which errors of the database are worth another try."""

import socket
from typing import Any

import asyncpg
from pydantic_core import from_json
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry


def addressed(url: str) -> tuple[URL, dict[str, Any]]:
    """The address for SQLAlchemy, and for the driver the whole: only it understands `sslmode` and `sslrootcert`."""
    return make_url(url).set(drivername="postgresql+asyncpg", query={}), {"dsn": driver_url(url)}


def driver_url(url: str) -> str:
    """The address as asyncpg reads it."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


def forgotten_after(seconds: float) -> dict[str, str]:
    """Session settings that give back what a process held which vanished, or which takes longer than this.

    Idleness alone is not enough: a session that broke off within a message counts as being at work.
    """
    milliseconds = str(int(seconds * 1_000))
    ends = {"idle_in_transaction_session_timeout": milliseconds, "transaction_timeout": milliseconds}
    return {**ends, "tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}


def create_engine(url: str, application_name: str, transaction_seconds: float) -> AsyncEngine:
    """An engine whose lost connections are replaced, and whose forgotten transactions are ended."""
    server_settings = {"application_name": application_name, **forgotten_after(transaction_seconds)}
    address, driver = addressed(url)
    engine = create_async_engine(
        address,
        pool_size=10,
        max_overflow=10,
        hide_parameters=True,  # Errors are logged; names and texts must not be.
        json_deserializer=from_json,
        connect_args={**driver, "server_settings": server_settings, "command_timeout": 60, "timeout": 5},
    )
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    return engine


def _replace_closed(connection: object, entry: ConnectionPoolEntry, proxy: object) -> None:  # noqa: ARG001  # SQLAlchemy's signature
    """The driver knows of a server that ended a connection; SQLAlchemy's `pool_pre_ping` asks it, in three trips."""
    driver: asyncpg.Connection | None = entry.driver_connection
    if driver is not None and driver.is_closed():
        raise InvalidatePoolError("the server has ended this connection")


CONFLICT_ATTEMPTS = 5
"""How often a transaction is tried that others get in the way of."""
CONFLICTS = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.UniqueViolationError,
)
BROKEN_WIRE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ReadOnlySQLTransactionError,
    ConnectionError,
    socket.gaierror,
    TimeoutError,
)


def is_conflict(error: BaseException) -> bool:
    """Whether two transactions got in each other's way, so that the same again will go well."""
    return isinstance(_driver_error(error), CONFLICTS)


def is_lost_connection(error: BaseException) -> bool:
    """Whether the database cannot be reached or cannot work just now: wait and try again, park nothing."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    driver_error = _driver_error(error)
    # asyncpg says the same of a closed connection and of a wrong argument; the second would never get better.
    closed = type(driver_error) is asyncpg.InterfaceError and "closed" in str(driver_error)
    return closed or isinstance(driver_error, BROKEN_WIRE)


def _driver_error(error: BaseException) -> BaseException:
    """The asyncpg error under SQLAlchemy's, or the error itself."""
    while isinstance(error, DBAPIError | IntegrityError) or type(error).__module__.startswith("sqlalchemy"):
        under = error.__cause__ or getattr(error, "orig", None)
        if under is None:
            break
        error = under
    return error
