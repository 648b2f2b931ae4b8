"""Which errors are the wire's, so that everything waits, and which are a message's own."""

import asyncpg
import pytest
from asyncpg.exceptions._base import DataError as WrongArgument
from service_runtime.database import create_engine, is_conflict, is_lost_connection
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError


def by_sqlalchemy(error: Exception, kind: type[DBAPIError] = DBAPIError) -> DBAPIError:
    """As SQLAlchemy raises what the driver raised."""
    translated = AsyncAdapt_asyncpg_dbapi.Error("translated", error)
    translated.__cause__ = error
    wrapped = kind("SELECT 1", {}, translated)
    wrapped.__cause__ = translated
    return wrapped


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.AdminShutdownError("shutting down"),
        asyncpg.TooManyConnectionsError("too many"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.DiskFullError("full"),
        asyncpg.InterfaceError("connection is closed"),
    ],
)
def test_a_database_that_cannot_work_is_waited_for(error: Exception) -> None:
    assert is_lost_connection(error)
    assert not is_conflict(error)


@pytest.mark.parametrize(
    "error",
    [asyncpg.DeadlockDetectedError("d"), asyncpg.SerializationError("s"), asyncpg.LockNotAvailableError("l")],
)
def test_transactions_in_each_others_way_try_again(error: Exception) -> None:
    assert is_conflict(error)
    assert not is_lost_connection(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DataError("number too large"),
        WrongArgument("invalid input for query argument $1: value out of int32 range"),
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.UndefinedTableError("not migrated"),
        asyncpg.NotNullViolationError("null"),
        ValueError("bug"),
        KeyError("bug"),
    ],
)
def test_a_bug_is_neither(error: Exception) -> None:
    assert not is_lost_connection(error)
    assert not is_conflict(error)


def test_what_sqlalchemy_wraps_is_recognised() -> None:
    assert is_lost_connection(by_sqlalchemy(asyncpg.AdminShutdownError("stop"), OperationalError))
    assert is_conflict(by_sqlalchemy(asyncpg.UniqueViolationError("twice"), IntegrityError))
    assert not is_lost_connection(by_sqlalchemy(asyncpg.DataError("bug")))


def test_a_connection_that_sqlalchemy_gave_up_is_lost_whatever_the_error() -> None:
    assert is_lost_connection(DBAPIError("SELECT 1", {}, ValueError("half a message"), connection_invalidated=True))
    assert not is_lost_connection(DBAPIError("SELECT 1", {}, ValueError("half a message")))


def test_errors_do_not_tell_names_and_texts() -> None:
    engine = create_engine("postgresql+asyncpg://nowhere/none", "notebook", 60.0)

    assert engine.sync_engine.hide_parameters
