"""Engines for SQLite and PostgreSQL, made from ``DATABASE_URL`` and ``DATABASE_READ_URL`` alone."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from app.core.config import Settings
from app.core.exceptions import ConfigurationError
from app.core.registry import install_hint

BUSY_TIMEOUT_S = 10.0
"""Longest wait for another writer of a SQLite file, or for a connection from the pool."""
READ_ONLY = "sqlite_read_only"
"""Execution option of a SQLite connection whose transactions only read."""
READING_POSTGRES: dict[str, Any] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
"""Execution options of PostgreSQL's."""

_POSTGRES_OPTIONS = {
    "connect_timeout": 5,
    "application_name": "darwix",
    # A database that has vanished from the network is noticed in half a minute, not in the kernel's fifteen.
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


def make_engine(settings: Settings) -> Engine:
    """Make an engine; it connects on first use. Raises ConfigurationError that names the variable."""
    try:
        url = make_url(settings.database_url)
        # `postgres://` is what hosting platforms hand out; there is one driver for each database.
        if url.drivername.startswith("sqlite"):
            return _sqlite_engine(url.set(drivername="sqlite"))
        return _postgres_engine(url, settings)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("DATABASE_URL: cannot be read as a database address") from error


def make_replica_engine(settings: Settings, address: str) -> Engine:
    """Make an engine whose transactions only read. Raises ConfigurationError that names the variable."""
    try:
        # The primary answers in its place: nobody waits long for a replica that has vanished.
        engine = _postgres_engine(make_url(address), settings, connect_timeout=2)
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("DATABASE_READ_URL: cannot be read as a database address") from error
    return engine.execution_options(**READING_POSTGRES)


def _postgres_engine(url: URL, settings: Settings, **more: Any) -> Engine:
    url = url.set(drivername="postgresql+psycopg")
    options = {name: value for name, value in {**_POSTGRES_OPTIONS, **more}.items() if name not in url.query}
    try:
        engine = create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_size=settings.db_pool_size,
            max_overflow=settings.db_max_overflow,
            pool_timeout=BUSY_TIMEOUT_S,
            connect_args=options,
        )
    except ImportError as error:
        raise ConfigurationError(
            f"DATABASE_URL: PostgreSQL needs its driver: {install_hint('postgres')}"
        ) from error
    event.listen(engine, "connect", lambda connection, _: _limit_silence(connection, settings.lease_s))
    return engine


def _limit_silence(connection: Any, longest_s: float) -> None:
    """Let the server end a transaction in which nothing is said for so long, and free what it has locked.

    A process that is frozen in the middle of one keeps its connection open for ever, and whoever works on
    its call for it would wait for it as long. By then its lease is over. As a statement, since poolers such
    as PgBouncer refuse it as a parameter of the connection.
    """
    connection.execute(f"SET idle_in_transaction_session_timeout = {round(longest_s * 1000)}")
    connection.commit()


def _sqlite_engine(url: URL) -> Engine:
    options: dict[str, Any] = {"hide_parameters": True, "connect_args": {"timeout": BUSY_TIMEOUT_S}}
    if is_in_memory(url):
        options["poolclass"] = StaticPool
        options["connect_args"]["check_same_thread"] = False
    else:
        _make_folder(url.database or "")
        # A connection is an open file here: threads never wait for one.
        options["max_overflow"] = -1
    engine = create_engine(url, **options)
    event.listen(engine, "connect", _prepare_sqlite_connection)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def is_in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _make_folder(database: str) -> None:
    if database.startswith("file:"):
        return
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"DATABASE_URL: the folder of {database} cannot be made: {error.strerror}"
        ) from error


def _prepare_sqlite_connection(connection: sqlite3.Connection, _record: object) -> None:
    # No BEGIN from the driver: it would come at the first write only, and deferred. See _begin_sqlite.
    connection.isolation_level = None
    _use_wal(connection)
    # An accepted call must survive a power cut: in WAL mode, NORMAL may lose the last commits, FULL does not.
    # One fsync for each commit is the price, a few milliseconds.
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # A deleted call is overwritten with zeros, not just unlinked.
    connection.execute("PRAGMA secure_delete=ON")


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn WAL on, which stays with the file.

    While another process does the same to a new file, SQLite answers "locked" without heeding the busy
    timeout, so the waiting is done here.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    """Begin a writing transaction with the write lock in hand.

    A deferred one that reads first and then writes cannot wait: SQLite refuses it at once with "database
    is locked" where another has written in between.
    """
    read_only = connection.get_execution_options().get(READ_ONLY, False)
    connection.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
