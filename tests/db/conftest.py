"""Fixtures: the same tests on SQLite and on PostgreSQL, for real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db.session import Database
from tests.db.databases import in_memory, opened, postgres_database, postgres_url, sqlite_database, sqlite_url

BACKENDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def quick_folder() -> Iterator[Path]:
    with in_memory() as folder:
        yield folder


@pytest.fixture(scope="session", params=BACKENDS)
def shared_database(request: pytest.FixtureRequest, quick_folder: Path) -> Iterator[Database]:
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield stack.enter_context(sqlite_database(quick_folder))
        else:
            yield stack.enter_context(postgres_database())


@pytest.fixture
def database(shared_database: Database) -> Database:
    """A migrated database without rows."""
    with shared_database.session() as session:
        for table in ("calls", "webhook_deliveries", "webhook_endpoints", "workers", "playbooks", "reels"):
            session.execute(text(f"DELETE FROM {table}"))
    return shared_database


@pytest.fixture(params=BACKENDS)
def empty_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database that nobody has migrated."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield sqlite_url(tmp_path_factory.mktemp("db"))
        else:
            yield stack.enter_context(postgres_url())


@pytest.fixture
def empty_database(empty_url: str) -> Iterator[Database]:
    with opened(empty_url) as database:
        yield database
