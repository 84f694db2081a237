"""The database as the service sees it: transactions with an edge, and errors that clients understand."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.core.config import Settings
from app.core.exceptions import AppError, ConfigurationError, DatabaseUnavailable, InsufficientStorage
from app.db.engine import BUSY_TIMEOUT_S, READ_ONLY, READING_POSTGRES, is_in_memory, make_engine
from app.db.errors import translated_errors
from app.db.fair_gate import FairGate
from app.db.replica import Replica

log = logging.getLogger(__name__)

_MIGRATION_LOCK = 7_230_917_512
"""Key of PostgreSQL's advisory lock; any number that no other program of the database uses."""
_MIGRATION_WAIT_S = 600

Answer = TypeVar("Answer")


class Database:
    """One database and its pool of connections. Thread-safe; nothing connects before first use.

    Threads queue here for their turn, in order, since what they would wait for else wakes them by chance:
    50 writers of a SQLite file waited up to 9.4 of its 10 s, and 50 threads on 15 connections of a pool
    ran into its timeout (both measured). A SQLite file has one writer at a time (those of other processes
    meet in its own lock) and any number of readers; PostgreSQL has the pool's connections.
    """

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError when the address or its driver cannot be used."""
        self.engine: Engine = make_engine(settings)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        if self.is_sqlite:
            self._reading = self.engine.execution_options(**{READ_ONLY: True})
            self._writers = FairGate(1)
            # An in-memory database is a single connection, which all threads share.
            self._readers = self._writers if is_in_memory(self.engine.url) else None
        else:
            self._reading = self.engine.execution_options(**READING_POSTGRES)
            self._writers = FairGate(settings.db_pool_size + settings.db_max_overflow)
            self._readers = self._writers
        url = settings.database_read_url
        self._replica = Replica(settings, url) if url is not None else None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when an error leaves it.

        Keep the block short and never open a second one inside it: others wait for it. Raises
        DatabaseUnavailable, with ``commit_unknown`` when it went away in the commit, and InsufficientStorage.
        """
        committing = False
        try:
            with translated_errors(), _turn(self._writers), _opened(self.engine) as session:
                yield session
                committing = True
        except DatabaseUnavailable as error:
            error.commit_unknown = committing
            raise

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """One transaction that only reads, all of it from the same moment; waits for no write."""
        with translated_errors(), _turn(self._readers), _opened(self._reading) as session:
            yield session

    def read(self, query: Callable[[Session], Answer]) -> Answer:
        """What ``query`` finds in a snapshot that may be a little old: the replica's, where there is one.

        For lists, sums and exports. What decides something, or what a client has just been told of, is read
        in ``snapshot`` or ``session``: the replica may not know it yet. Where the replica is away, far
        behind or fails in the middle, the primary is asked, from the start.
        """
        replica = self._replica
        if replica is not None and replica.may_answer():
            with _turn(replica.gate):
                try:
                    with translated_errors(), _opened(replica.engine) as session:
                        replica.check(session)
                        answer = query(session)
                except (DatabaseUnavailable, InsufficientStorage, ConfigurationError) as error:
                    replica.failed(error.detail)
                except ProgrammingError:  # if the mistake is ours, the primary raises it too
                    replica.failed("the replica has another schema")
                else:
                    replica.answered()
                    return answer
        with self.snapshot() as session:
            return query(session)

    def replica_state(self) -> str | None:
        """``ok``, or why the primary answers for the replica; None where there is none."""
        if self._replica is None:
            return None
        try:
            self.read(lambda session: session.execute(text("SELECT 1")).scalar())
        except AppError as error:  # the primary is away as well
            return self._replica.problem or error.detail
        return self._replica.problem or "ok"

    @contextmanager
    def exclusive(self) -> Iterator[Connection]:
        """One transaction that no other process can be in at the same time: for migrations.

        SQLite's foreign keys are off in it (altering a table there means to copy and drop it, which
        would cascade) and checked at its end.
        """
        with translated_errors(), _turn(self._writers), self.engine.connect() as connection:
            if self.is_sqlite:
                with _foreign_keys_off(connection), connection.begin():
                    yield connection
                    _check_foreign_keys(connection)
            else:
                with connection.begin():
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                    yield connection

    @contextmanager
    def undisturbed(self) -> Iterator[sqlite3.Connection]:
        """SQLite's own connection in no transaction, while no other thread of this process writes."""
        with translated_errors(), _turn(self._writers), self.engine.connect() as connection:
            driver = cast("sqlite3.Connection", connection.connection.driver_connection)
            driver.execute("PRAGMA query_only=OFF")
            yield driver

    def ping(self) -> None:
        """Read something from the database. Raises DatabaseUnavailable."""
        with self.snapshot() as session:
            session.execute(text("SELECT count(*) FROM sqlite_master" if self.is_sqlite else "SELECT 1"))

    def dispose(self) -> None:
        """Close all connections that are not in use; the next use opens new ones."""
        self.engine.dispose()
        if self._replica is not None:
            self._replica.engine.dispose()


@contextmanager
def _opened(engine: Engine) -> Iterator[Session]:
    with Session(engine, autoflush=False, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def _turn(gate: FairGate | None) -> Iterator[None]:
    if gate is None:
        yield
        return
    if not gate.enter(BUSY_TIMEOUT_S):
        log.warning("database.busy")
        raise DatabaseUnavailable("the database is busy")
    try:
        yield
    finally:
        gate.leave()


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    # Neither pragma works inside a transaction, and SQLAlchemy would begin one.
    driver = cast("sqlite3.Connection", connection.connection.driver_connection)
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute(f"PRAGMA busy_timeout={_MIGRATION_WAIT_S * 1000}")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")
        driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000:.0f}")


def _check_foreign_keys(connection: Connection) -> None:
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise ConfigurationError("the migration would leave broken references; nothing was changed")
