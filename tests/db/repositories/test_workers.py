"""Who is at work, as the database knows it."""

from __future__ import annotations

from sqlalchemy import text

from app.db.repositories.workers import WorkerRepository
from app.db.session import Database
from app.schemas.call import Queue
from app.schemas.worker import WorkerRecord, WorkerState
from tests.db.databases import postgres_database
from tests.db.values import T0, at


def worker(owner: str, seconds: float) -> WorkerRecord:
    return WorkerRecord(owner, (Queue.TRANSCRIBE,), WorkerState.READY, T0, at(seconds), None)


def signed_in(database: Database, *workers: WorkerRecord) -> None:
    with database.session() as session:
        for found in workers:
            WorkerRepository(session).put(found)


def forget_silent(database: Database) -> int:
    with database.session() as session:
        return WorkerRepository(session).forget_silent(at(30))


def known(database: Database) -> list[str]:
    with database.snapshot() as session:
        return [found.owner for found in WorkerRepository(session).all()]


def test_whoever_was_silent_for_too_long_is_forgotten(database: Database) -> None:
    signed_in(database, worker("silent", 1), worker("alive", 31))
    assert forget_silent(database) == 1
    assert known(database) == ["alive"]


def test_whoever_froze_while_it_signed_holds_up_nobody() -> None:
    with postgres_database() as database:
        signed_in(database, worker("frozen", 1), worker("silent", 2))
        with database.session() as frozen:
            frozen.execute(text("SELECT 1 FROM workers WHERE owner = 'frozen' FOR UPDATE"))
            assert forget_silent(database) == 1
            assert known(database) == ["frozen"]
        assert forget_silent(database) == 1
