"""Reads that may be a little old. A second database stands in for the replica: so one sees who answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.core.config import load_settings
from app.core.exceptions import CallNotFound, ConfigurationError, DatabaseUnavailable, ValidationFailed
from app.db import replica as replica_module
from app.db import session as session_module
from app.db.migrate import migrate
from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.call import CallFilter
from app.services.bootstrap import build_services
from app.services.call_service import CallService
from tests.db.databases import opened, postgres_database, postgres_url, settings_for, sqlite_database, url_of
from tests.db.values import completed, stored
from tests.process.service import wait_until
from tests.settings import make_settings

NOWHERE = "postgresql://postgres@127.0.0.1:1/x"


@pytest.fixture(scope="module")
def replica() -> Iterator[Database]:
    """Another migrated database, which knows the call OLD alone."""
    with postgres_database() as database:
        completed(database, "OLD", 0, ("objection",))
        yield database


@contextmanager
def primary_of(replica_url: str) -> Iterator[Database]:
    """A database that knows the call NEW alone, and reads from ``replica_url`` where that will do."""
    with postgres_database(database_read_url=replica_url) as database:
        stored(database, "NEW")
        yield database


def _ids(session: Session) -> list[str]:
    return list(session.scalars(text("SELECT call_id FROM calls ORDER BY call_id")))


def _service(database: Database, folder: Path) -> CallService:
    return build_services(make_settings(folder), database=database).calls


def test_only_what_may_be_old_is_read_from_the_replica(replica: Database) -> None:
    with primary_of(url_of(replica)) as database:
        assert database.read(_ids) == ["OLD"]
        with database.snapshot() as session:
            assert _ids(session) == ["NEW"]
        with database.session() as session:
            assert _ids(session) == ["NEW"]
        assert database.replica_state() == "ok"


def test_lists_and_tables_come_from_the_replica_and_a_single_call_from_the_primary(
    replica: Database, tmp_path: Path
) -> None:
    with primary_of(url_of(replica)) as database:
        calls = _service(database, tmp_path)
        page, _ = calls.page(CallFilter(), 10, None)
        assert [(item.call.call_id, item.moments) for item in page] == [("OLD", {"objection": 1})]
        assert [digest.call.call_id for digest in calls.digests(CallFilter())] == ["OLD"]
        assert calls.record("NEW").call_id == calls.read("NEW").record.call_id == "NEW"
        with pytest.raises(CallNotFound):
            calls.read("OLD")


def test_the_replica_cannot_be_written_to(replica: Database) -> None:
    def delete(session: Session) -> None:
        session.execute(text("DELETE FROM calls"))

    with primary_of(url_of(replica)) as database:
        with pytest.raises((DBAPIError, DatabaseUnavailable)):
            database.read(delete)
        with replica.snapshot() as session:
            assert _ids(session) == ["OLD"]


def test_an_answer_of_the_replica_is_of_one_moment(replica: Database) -> None:
    def twice(session: Session) -> tuple[list[str], list[str]]:
        before = _ids(session)
        stored(replica, "LATER")
        return before, _ids(session)

    with primary_of(url_of(replica)) as database:
        try:
            assert database.read(twice) == (["OLD"], ["OLD"])
        finally:
            with replica.session() as writer:
                CallRepository(writer).delete("LATER")


def test_the_primary_answers_for_a_replica_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), primary_of(NOWHERE) as database:
        assert [database.read(_ids) for _ in range(3)] == [["NEW"]] * 3
        assert database.replica_state() == "The database cannot be reached"
    assert [record.message for record in caplog.records].count("database.replica_away") == 1


@pytest.mark.parametrize(("wait_s", "tries"), [(3600.0, 1), (0.0, 5)])
def test_a_replica_that_is_away_is_tried_again_after_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wait_s: float, tries: int
) -> None:
    monkeypatch.setattr(replica_module, "RETRY_S", wait_s)
    with primary_of(NOWHERE) as database:
        for _ in range(5):
            database.read(_ids)
    assert [record.message for record in caplog.records].count("database.error") == tries


def test_a_replica_that_comes_back_answers_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replica_module, "RETRY_S", 0.0)
    with postgres_url() as url, primary_of(url) as database:
        with caplog.at_level(logging.INFO):
            assert database.read(_ids) == ["NEW"]  # nobody has migrated it
            assert database.replica_state() == "ok"  # it can be reached
            with opened(url) as copy:
                migrate(copy)
                stored(copy, "COPIED")
            assert database.read(_ids) == ["COPIED"]
        events = [record.message for record in caplog.records if "replica" in record.message]
        assert events == ["database.replica_away", "database.replica_back"]


def test_a_replica_cut_in_the_middle_is_answered_for_from_the_start(replica: Database) -> None:
    asked = []

    def cut_once(session: Session) -> list[str]:
        asked.append(_ids(session))
        if len(asked) == 1:
            _cut_other_connections(replica)
        return _ids(session)

    with primary_of(url_of(replica)) as database:
        assert database.read(cut_once) == ["NEW"]
    assert asked == [["OLD"], ["NEW"]]


def test_a_query_that_replay_has_cancelled_is_asked_of_the_primary(replica: Database) -> None:
    """As PostgreSQL does with a query on a replica whose rows the primary has removed meanwhile."""
    replica_name = replica.engine.url.database

    def cancelled_there(session: Session) -> list[str]:
        if session.execute(text("SELECT current_database()")).scalar() == replica_name:
            session.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))
        return _ids(session)

    with primary_of(url_of(replica)) as database:
        assert database.read(cancelled_there) == ["NEW"]


@pytest.mark.parametrize(("lag_s", "state"), [("300", "by 300 s"), ("NULL", "by an unknown time")])
def test_a_replica_far_behind_does_not_answer(
    replica: Database, monkeypatch: pytest.MonkeyPatch, lag_s: str, state: str
) -> None:
    monkeypatch.setattr(replica_module, "_LAG_S", text(f"SELECT CAST({lag_s} AS float)"))
    with primary_of(url_of(replica)) as database:
        assert database.read(_ids) == ["NEW"]
        assert state in (database.replica_state() or "")


def test_what_a_client_did_wrong_is_no_fault_of_the_replica(replica: Database, tmp_path: Path) -> None:
    with primary_of(url_of(replica)) as database:
        with pytest.raises(ValidationFailed):
            _service(database, tmp_path).page(CallFilter(), 10, "foreign")
        assert database.replica_state() == "ok"


def test_readers_wait_their_turn_for_the_replica_too(
    replica: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_module, "BUSY_TIMEOUT_S", 0.05)
    entered, leave = threading.Event(), threading.Event()

    def hold(session: Session) -> None:
        session.execute(text("SELECT 1"))
        entered.set()
        leave.wait(30)

    with postgres_database(database_read_url=url_of(replica), db_pool_size=1, db_max_overflow=0) as database:
        holder = threading.Thread(target=database.read, args=(hold,))
        holder.start()
        entered.wait(30)
        with pytest.raises(DatabaseUnavailable, match="busy"):
            database.read(_ids)
        stored(database, "WRITTEN")  # the primary has connections of its own
        leave.set()
        holder.join()
        assert database.replica_state() == "ok"


def test_without_a_replica_the_database_itself_is_read(tmp_path: Path) -> None:
    with sqlite_database(tmp_path) as database:
        stored(database, "A")
        assert database.read(_ids) == ["A"]
        assert database.replica_state() is None


def test_both_addresses_away_is_an_outage() -> None:
    with opened(NOWHERE, database_read_url=NOWHERE) as database:
        with pytest.raises(DatabaseUnavailable):
            database.read(_ids)
        assert database.replica_state() == "The database cannot be reached"


def test_dispose_closes_the_replicas_connections_too(replica: Database) -> None:
    with primary_of(url_of(replica)) as database:
        database.read(_ids)
        before = _connections(replica)
        database.dispose()
        wait_until(lambda: _connections(replica) < before, "the connection to end")
        assert database.read(_ids) == ["OLD"]


@pytest.mark.parametrize("url", ["sqlite:///x.db", "postgresql://postgres@127.0.0.1/x"])
def test_a_replica_is_of_postgresql_alone(url: str) -> None:
    other = "sqlite:///x.db" if url.startswith("postgresql") else "postgresql://postgres@127.0.0.1/x"
    with pytest.raises(ConfigurationError, match="DATABASE_READ_URL"):
        load_settings(_env_file=None, database_url=url, database_read_url=other)


def test_an_address_that_cannot_be_read_names_its_variable() -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_READ_URL"):
        Database(settings_for(NOWHERE, database_read_url="postgresql://host:port/x"))


def _cut_other_connections(database: Database) -> None:
    with database.session() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def _connections(database: Database) -> int:
    count = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    with database.snapshot() as session:
        return session.execute(count).scalar_one()
