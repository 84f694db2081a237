"""Brings a database to the schema that this version of the service needs.

A new migration is a file ``migrations/versions/vNNNN_<what>.py`` together with the new ``HEAD``.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from app.core.exceptions import ConfigurationError
from app.db.session import Database

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

HEAD = "0016"
"""Newest revision, written down so that a start on a current database need not import Alembic."""


def prepare(database: Database) -> None:
    """What a start does: SQLite is migrated where needed, PostgreSQL must have been.

    Raises ConfigurationError and DatabaseUnavailable.
    """
    if not database.is_sqlite:
        check_current(database)
    elif not is_current(database):
        migrate(database)


def is_current(database: Database) -> bool:
    return _revision(database) == HEAD


def check_current(database: Database) -> None:
    """Raises ConfigurationError that says what to run."""
    if not is_current(database):
        raise ConfigurationError("the database's schema is not this version's: run `python -m app migrate`")


def migrate(database: Database) -> None:
    """Upgrade to the newest revision, all or nothing, one process at a time; does nothing when there."""
    from alembic import command

    with _alembic(database) as config:
        command.upgrade(config, "head")
    log.info("database.migrated", extra={"revision": HEAD})


def downgrade(database: Database, revision: str) -> None:
    """Go back to ``revision`` (``base`` for an empty schema). What later revisions hold is lost."""
    from alembic import command

    with _alembic(database) as config:
        command.downgrade(config, revision)
    log.info("database.downgraded", extra={"revision": revision})


@contextmanager
def _alembic(database: Database) -> Iterator[Config]:
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # Percent signs are interpolation in Alembic's configuration.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with database.exclusive() as connection:
        if not database.is_sqlite:
            # The server must not take a slow moment between two statements for a client that went away.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        config.attributes["connection"] = connection
        try:
            yield config
        except CommandError as error:
            raise ConfigurationError(
                "the database's revision is unknown here: it was made by another version of the service"
            ) from error


def _revision(database: Database) -> str | None:
    with database.snapshot() as session:
        if not inspect(session.connection()).has_table("alembic_version"):
            return None
        return session.execute(text("SELECT version_num FROM alembic_version")).scalar()
