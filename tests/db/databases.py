"""Real databases for tests: each one new, migrated on request, and gone at the end."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from sqlalchemy.engine import make_url

from app.core.config import Settings
from app.db.migrate import migrate
from app.db.session import Database

POSTGRES_SERVER = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def settings_for(database_url: str, **overrides: Any) -> Settings:
    """Settings of a test: nothing but the defaults and what is given here."""
    return Settings(_env_file=None, database_url=database_url, **overrides)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / f'test_{secrets.token_hex(4)}.db'}"


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder in memory where the system has such: thousands of commits are no test of the disk."""
    memory = "/dev/shm"
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


@contextmanager
def postgres_url() -> Iterator[str]:
    """An empty database of its own on the test server.

    Without a server the test is skipped, but with ``CI=true`` it fails.
    """
    name = f"darwix_test_{secrets.token_hex(8)}"
    with _server() as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(POSTGRES_SERVER).set(database=name).render_as_string(hide_password=False)
    finally:
        with _server() as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@cache
def migrated_sqlite() -> bytes:
    """What a SQLite file holds that is migrated and empty: written, it need not be migrated each time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "calls.db"
        with opened(f"sqlite:///{path}") as database:
            migrate(database)
        return path.read_bytes()


def migrated_sqlite_url(folder: Path) -> str:
    path = folder / f"test_{secrets.token_hex(4)}.db"
    path.write_bytes(migrated_sqlite())
    return f"sqlite:///{path}"


@contextmanager
def sqlite_database(tmp_path: Path, **overrides: Any) -> Iterator[Database]:
    """A migrated SQLite file in ``tmp_path``."""
    with opened(migrated_sqlite_url(tmp_path), **overrides) as database:
        yield database


@contextmanager
def postgres_database(**overrides: Any) -> Iterator[Database]:
    """A migrated PostgreSQL database of its own."""
    with postgres_url() as url, opened(url, **overrides) as database:
        migrate(database)
        yield database


@contextmanager
def opened(url: str, **overrides: Any) -> Iterator[Database]:
    database = Database(settings_for(url, **overrides))
    try:
        yield database
    finally:
        database.dispose()


def url_of(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


@contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    try:
        connection = psycopg.connect(POSTGRES_SERVER, autocommit=True, connect_timeout=5)
    except psycopg.OperationalError as error:
        reason = f"no PostgreSQL at {make_url(POSTGRES_SERVER).render_as_string()}: {error}"
        if os.environ.get("CI", "").lower() in ("true", "1"):
            pytest.fail(reason)
        pytest.skip(reason)
    with connection:
        yield connection
