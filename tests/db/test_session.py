"""Transactions, what they promise on each database, and what a failing database looks like."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from app.core.exceptions import ConfigurationError, DatabaseUnavailable, InsufficientStorage
from app.db import engine as engine_module
from app.db import session as session_module
from app.db.migrate import migrate
from app.db.repositories.calls import CallRepository
from app.db.session import Database
from tests.db.databases import opened, postgres_database, settings_for, sqlite_database, url_of
from tests.db.processes import run_and_be_killed, write_and_be_killed
from tests.db.values import T0, completed, new_call, stored


def _ids(database: Database) -> list[str]:
    with database.snapshot() as session:
        return list(session.scalars(text("SELECT call_id FROM calls ORDER BY call_id")))


def test_a_block_that_ends_well_is_committed(database: Database) -> None:
    stored(database, "A")
    assert _ids(database) == ["A"]


def test_a_block_that_raises_is_rolled_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.session() as session:
        CallRepository(session).insert(new_call("A"), T0)
        raise ZeroDivisionError
    assert _ids(database) == []
    stored(database, "B")
    assert _ids(database) == ["B"]


def test_a_broken_constraint_stays_what_it_is(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.execute(text("INSERT INTO transcripts (result_id, text) VALUES (1, 'x')"))


def test_errors_carry_no_values(database: Database) -> None:
    with pytest.raises(IntegrityError) as caught, database.session() as session:
        session.execute(
            text("INSERT INTO transcripts (result_id, text) VALUES (:id, :words)"),
            {"id": 1, "words": "secret"},
        )
    assert "secret" not in str(caught.value)


def test_a_snapshot_sees_one_moment(database: Database) -> None:
    stored(database, "A")
    with database.snapshot() as reader:
        count = text("SELECT count(*) FROM calls")
        assert reader.scalar(count) == 1
        stored(database, "B")
        assert reader.scalar(count) == 1
    assert _ids(database) == ["A", "B"]


def test_a_snapshot_waits_for_no_writer(database: Database) -> None:
    stored(database, "A")
    with database.session() as writer:
        CallRepository(writer).insert(new_call("B"), T0)
        assert _ids(database) == ["A"]


def test_a_snapshot_cannot_write(database: Database) -> None:
    with pytest.raises((DBAPIError, DatabaseUnavailable)), database.snapshot() as session:
        session.execute(text("DELETE FROM calls"))
    stored(database, "A")
    assert _ids(database) == ["A"]


def test_ping_opens_a_connection_and_gives_it_back(database: Database) -> None:
    database.dispose()
    database.ping()
    assert "Connections in pool: 1" in database.engine.pool.status()


def test_a_database_works_on_after_dispose(database: Database) -> None:
    database.dispose()
    stored(database, "A")
    assert _ids(database) == ["A"]


def test_sqlite_is_set_up_for_safety(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database, database.session() as session:
        pragmas = {
            name: session.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "secure_delete")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "secure_delete": 1,
    }


def test_sqlite_makes_the_parent_folder(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/a/b/c.db") as database:
        database.ping()
    assert (tmp_path / "a/b/c.db").is_file()


def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Database(settings_for(f"sqlite:///{tmp_path}/file/x.db"))


def test_sqlite_in_memory_is_shared_by_threads() -> None:
    with opened("sqlite://") as database:
        migrate(database)
        threads = [threading.Thread(target=stored, args=(database, f"C{number}")) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(_ids(database)) == 8


def test_a_second_sqlite_writer_is_told_that_the_database_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "BUSY_TIMEOUT_S", 0.05)
    with (
        sqlite_database(tmp_path) as database,
        database.session(),
        pytest.raises(DatabaseUnavailable, match="busy"),
    ):
        stored(database, "A")


def test_another_process_that_holds_the_sqlite_file_makes_it_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite_database(tmp_path) as database:
        monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
        with opened(str(database.engine.url)) as other, database.session() as session:
            CallRepository(session).insert(new_call("A"), T0)
            with pytest.raises(DatabaseUnavailable):
                stored(other, "B")
        assert _ids(database) == ["A"]


def test_a_process_killed_in_a_transaction_leaves_nothing_of_it(database: Database) -> None:
    stored(database, "before")
    run_and_be_killed(write_and_be_killed, url_of(database))
    assert _ids(database) == ["before"]
    stored(database, "killed")
    assert _ids(database) == ["before", "killed"]


def test_nothing_of_a_deleted_call_stays_in_the_sqlite_file(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        for number in range(20):
            completed(database, f"C{number}", number, ("planted-kind",), metadata={"note": "planted-phrase"})
        database.dispose()
        assert b"planted" in _bytes(tmp_path)
        for number in range(20):
            with database.session() as session:
                CallRepository(session).delete(f"C{number}")
    assert b"planted" not in _bytes(tmp_path)


def test_a_full_disk_is_told_apart_on_sqlite(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        with pytest.raises(InsufficientStorage), database.session() as session:
            session.execute(text("PRAGMA max_page_count=1"))
            for number in range(1000):
                CallRepository(session).insert(new_call(f"C{number}"), T0)
        database.dispose()
        assert _ids(database) == []


def test_a_full_disk_is_told_apart_on_postgresql() -> None:
    with postgres_database() as database, pytest.raises(InsufficientStorage), database.session() as session:
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$"))


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
def test_a_damaged_sqlite_file_is_unavailable(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)
    with opened(f"sqlite:///{tmp_path}/x.db") as database, pytest.raises(DatabaseUnavailable):
        database.ping()


def test_postgresql_that_is_away_is_unavailable() -> None:
    with opened("postgresql://postgres@127.0.0.1:1/x") as database, pytest.raises(DatabaseUnavailable):
        database.ping()


def test_a_connection_cut_between_transactions_is_replaced() -> None:
    with postgres_database(db_max_overflow=0, db_pool_size=1) as database:
        _cut_other_connections(database)
        stored(database, "A")
        assert _ids(database) == ["A"]


def test_a_connection_cut_in_a_transaction_is_unavailable_and_the_next_works() -> None:
    with postgres_database() as database:
        with pytest.raises(DatabaseUnavailable), database.session() as session:
            CallRepository(session).insert(new_call("A"), T0)
            _cut_other_connections(database)
            CallRepository(session).insert(new_call("B"), T0)
        assert _ids(database) == []
        stored(database, "C")
        assert _ids(database) == ["C"]


def test_a_transaction_in_which_nothing_happens_for_longer_than_the_lease_is_ended() -> None:
    """As by a process that froze in the middle of it: whoever waits for its locks gets them."""
    with postgres_database(lease_s=0.5, heartbeat_s=0.2) as database, opened(url_of(database)) as others:
        stored(database, "A")
        with pytest.raises(DatabaseUnavailable), database.session() as frozen:
            CallRepository(frozen).lock("A")
            with others.session() as session:
                session.execute(text("SET LOCAL lock_timeout = '20s'"))
                assert CallRepository(session).lock("A") is not None
            CallRepository(frozen).lock("A")
        assert _ids(database) == ["A"]


def test_an_exhausted_pool_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "BUSY_TIMEOUT_S", 0.05)
    with postgres_database(db_pool_size=1, db_max_overflow=0) as database:
        with database.session() as holder:
            holder.execute(text("SELECT 1"))
            with pytest.raises(DatabaseUnavailable, match="busy"):
                database.ping()
        database.ping()


def test_a_pool_that_others_have_emptied_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
    with (
        postgres_database(db_pool_size=1, db_max_overflow=0) as database,
        database.engine.connect(),
        pytest.raises(DatabaseUnavailable, match="connections"),
    ):
        database.ping()


def test_turning_wal_on_waits_for_whoever_has_the_new_file(tmp_path: Path) -> None:
    file = tmp_path / "x.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN IMMEDIATE")
        holder.execute("INSERT INTO t VALUES (1)")
        release = threading.Timer(0.3, holder.execute, ("COMMIT",))
        release.start()
        with opened(f"sqlite:///{file}") as database, database.snapshot() as session:
            assert session.scalar(text("SELECT count(*) FROM t")) == 1
            assert session.scalar(text("PRAGMA journal_mode")) == "wal"
        release.join()


def test_wal_that_cannot_be_turned_on_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
    file = tmp_path / "x.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN EXCLUSIVE")
        with opened(f"sqlite:///{file}") as database, pytest.raises(DatabaseUnavailable):
            database.ping()


def test_a_sqlite_address_may_be_a_uri(tmp_path: Path) -> None:
    with opened(f"sqlite:///file:{tmp_path}/x.db?uri=true") as database:
        migrate(database)
        stored(database, "A")
    assert (tmp_path / "x.db").is_file()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_spelling_of_postgresql_uses_psycopg_3(scheme: str) -> None:
    with opened(f"{scheme}://u:p@h/n") as database:
        assert database.engine.dialect.driver == "psycopg"
        assert database.engine.url.host == "h"


@pytest.mark.parametrize("url", ["postgresql://host:port/x", "sqlite://host/x.db"])
def test_an_address_that_cannot_be_read_names_the_variable(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL"):
        Database(settings_for(url))


def test_a_parameter_that_the_driver_does_not_know_names_the_variable() -> None:
    url = "postgresql://postgres@127.0.0.1:1/x?schema=public"
    with opened(url) as database, pytest.raises(ConfigurationError, match="DATABASE_URL"):
        database.ping()


def test_a_missing_driver_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r'pip install "darwix-ai\[postgres\]"'):
        Database(settings_for("postgresql://h/n"))


def test_neither_the_session_nor_the_check_imports_alembic() -> None:
    code = "import sys, app.db.session, app.db.migrate; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_wrong_statement_is_no_outage(database: Database) -> None:
    with pytest.raises(StatementError), database.session() as session:
        session.execute(text("SELECT :missing"))


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def _cut_other_connections(database: Database) -> None:
    """As an administrator would, or a restart of the server."""
    with (
        opened(database.engine.url.render_as_string(hide_password=False)) as other,
        other.session() as session,
    ):
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
