"""Column types: aware times in UTC, and text that any database can hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import StatementError

from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.db.types import UtcDateTime, storable
from tests.db.values import T0, new_call, stored


@pytest.mark.parametrize("dialect", [SQLiteDialect(), PGDialect()], ids=lambda one: one.name)
def test_a_naive_time_is_refused(dialect: Dialect) -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), dialect)


def test_a_naive_time_reaches_no_table(database: Database) -> None:
    with pytest.raises(StatementError, match="time zone"), database.session() as session:
        CallRepository(session).insert(new_call(), T0.replace(tzinfo=None))
    with database.snapshot() as session:
        assert CallRepository(session).get("CALL-001") is None


def test_times_come_back_equal_to_the_microsecond_and_in_utc(database: Database) -> None:
    elsewhere = timezone(timedelta(hours=5, minutes=45))
    record = stored(database, started_at=T0.astimezone(elsewhere))
    assert record.started_at == T0
    assert record.started_at is not None and record.started_at.tzinfo is UTC
    assert record.created_at == T0
    assert record.created_at.tzinfo is UTC


def test_what_no_database_can_hold_is_replaced_one_for_one() -> None:
    assert storable("a\x00b\ud800c") == "a\ufffdb\ufffdc"
    assert storable("größe 😀") == "größe 😀"


def test_text_with_nul_or_lone_surrogates_is_stored(database: Database) -> None:
    record = stored(database, direction="in\x00bound", metadata={"k\x00ey": "v\x00al\udfff"})
    assert record.direction == "in\ufffdbound"
    assert record.metadata == {"k\ufffdey": "v\ufffdal\ufffd"}


def test_an_id_with_nul_finds_nothing(database: Database) -> None:
    stored(database, "CALL-001")
    with database.snapshot() as session:
        assert CallRepository(session).get("CALL-001\x00") is None
