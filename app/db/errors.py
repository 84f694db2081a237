"""What the database's errors mean to the rest of the service."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DBAPIError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.core.exceptions import AppError, ConfigurationError, DatabaseUnavailable, InsufficientStorage

log = logging.getLogger(__name__)

_DISK_FULL = "53100"


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn "away" into DatabaseUnavailable and "disk full" into InsufficientStorage.

    Everything else (a broken constraint, a wrong statement) passes through as it is.
    """
    try:
        yield
    except PoolTimeout as error:
        log.warning("database.pool_exhausted")
        raise DatabaseUnavailable("all database connections are in use") from error
    except DBAPIError as error:
        translated = _translate(error)
        if translated is None:
            raise
        # The driver's own words alone: SQLAlchemy's would carry the statement.
        log.warning("database.error", extra={"error": translated.code, "reason": str(error.orig).strip()})
        raise translated from error


def _translate(error: DBAPIError) -> AppError | None:
    if _is_disk_full(error.orig):
        return InsufficientStorage()
    # SQLite's plainest code is for a wrong statement: a mistake of ours, and no better a minute later.
    if getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return None
    if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable()
    # Without a statement it was the connecting: a parameter of the address that the driver does not know.
    if isinstance(error, ProgrammingError) and error.statement is None:
        return ConfigurationError("DATABASE_URL: has a parameter that the driver does not take")
    # sqlite3 raises the bare class for a file that is damaged or no database at all.
    if isinstance(error, DatabaseError) and type(error.orig) is sqlite3.DatabaseError:
        return DatabaseUnavailable()
    return None


def _is_disk_full(cause: BaseException | None) -> bool:
    if isinstance(cause, sqlite3.Error):
        # An error that Python itself raised carries no code.
        code = getattr(cause, "sqlite_errorcode", None)
        return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)
    return getattr(cause, "sqlstate", None) == _DISK_FULL
