"""How rows are written, whichever of the two databases it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, UpdateBase
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

Insert = sqlite.Insert | postgresql.Insert


def touched(session: Session, statement: UpdateBase) -> int:
    """Execute an update or a deletion without the ORM's bookkeeping; returns how many rows it touched."""
    return session.connection().execute(statement).rowcount


def insert_into(session: Session, table: Table) -> Insert:
    """An insertion that can say what is done ``on_conflict_…``: a class of its own in each dialect."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def insert_new(session: Session, table: Table, values: Mapping[str, Any]) -> bool:
    """Insert a row; False, and nothing written, where its key is taken.

    Waits for a transaction that is about to take the key.
    """
    statement = insert_into(session, table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return session.connection().execute(statement, dict(values)).first() is not None
