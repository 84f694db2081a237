"""The same databases as in the tests of the database layer: SQLite and PostgreSQL."""

from __future__ import annotations

from tests.db.conftest import database, quick_folder, shared_database

__all__ = ["database", "quick_folder", "shared_database"]
