"""Fifty writers at once: every transaction goes through, on either database."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import text

from app.db.session import Database
from tests.db.databases import sqlite_database, url_of
from tests.db.processes import run_together, write_as_many, write_together

WRITERS, TRANSACTIONS = 50, 100


def _rows(database: Database) -> int:
    with database.snapshot() as session:
        return int(session.execute(text("SELECT count(*) FROM calls")).scalar_one())


def test_fifty_threads(database: Database) -> None:
    assert write_as_many(database, "p", WRITERS, TRANSACTIONS) == []
    assert _rows(database) == WRITERS * TRANSACTIONS


def test_fifty_threads_in_two_processes(database: Database) -> None:
    """2,000 transactions, not 5,000: within a process they queue in order, between two they compete."""
    errors = run_together(write_together, 2, url_of(database), WRITERS // 2, 40)
    assert errors == [[], []]
    assert _rows(database) == WRITERS * 40


def test_ten_processes_for_one_sqlite_file(quick_folder: Path) -> None:
    """The worst for SQLite's own lock, which knows no order: ten that compete all the time."""
    with sqlite_database(quick_folder) as database:
        assert run_together(write_together, 10, url_of(database), 1, 50) == [[]] * 10
        assert _rows(database) == 10 * 50
