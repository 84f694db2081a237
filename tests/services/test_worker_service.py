"""Who is at work, as those who ask see it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.db.models import table_of
from app.db.session import Database
from app.db.work_models import WorkerRow
from app.schemas.call import ALL_QUEUES, Queue
from app.schemas.worker import WorkerState
from app.services.ownership import new_owner
from app.services.worker_service import WorkerService
from tests.db.conftest import database, quick_folder, shared_database

__all__ = ["database", "quick_folder", "shared_database"]

WORKERS = table_of(WorkerRow)
ELSEWHERE = "another-machine/1/4711/abc"


class Plant:
    def __init__(self, database: Database) -> None:
        self.database = database

    def worker(self, owner: str | None = None) -> WorkerService:
        return WorkerService(self.database, owner or new_owner(), lease_s=30)

    def fall_silent(self, owner: str, seconds: float) -> None:
        then = datetime.now(UTC) - timedelta(seconds=seconds)
        with self.database.session() as session:
            session.execute(update(WORKERS).where(WORKERS.c.owner == owner).values(heartbeat_at=then))

    def owners(self) -> list[str]:
        with self.database.snapshot() as session:
            return list(session.scalars(select(WORKERS.c.owner)))


@pytest.fixture
def plant(database: Database) -> Iterator[Plant]:
    yield Plant(database)


def owner_that_ended() -> str:
    """The name of a process of this machine that is no more."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return new_owner().replace(f"/{os.getpid()}/", f"/{ended.pid}/")


def test_whoever_can_take_calls_counts_for_its_queues(plant: Plant) -> None:
    assert plant.worker().at_work() == {Queue.TRANSCRIBE: 0, Queue.ANALYZE: 0, Queue.BULK: 0}
    plant.worker().sign_in((Queue.TRANSCRIBE, Queue.BULK), WorkerState.READY)
    plant.worker(ELSEWHERE).sign_in((Queue.TRANSCRIBE,), WorkerState.READY)
    plant.worker("another-machine/1/4712/abd").sign_in(ALL_QUEUES, WorkerState.UNFIT)
    assert plant.worker().at_work() == {Queue.TRANSCRIBE: 2, Queue.ANALYZE: 0, Queue.BULK: 1}
    plant.fall_silent(ELSEWHERE, 31)
    assert plant.worker().at_work()[Queue.TRANSCRIBE] == 1


def test_a_sign_of_life_brings_back_who_was_taken_for_lost(plant: Plant) -> None:
    worker = plant.worker(ELSEWHERE)
    worker.sign_in(ALL_QUEUES, WorkerState.READY)
    plant.fall_silent(ELSEWHERE, 31)
    assert worker.forget_silent() == 1
    assert plant.owners() == []
    claimed_at = datetime.now(UTC)
    worker.show(ALL_QUEUES, WorkerState.READY, claimed_at)
    assert plant.owners() == [ELSEWHERE]
    worker.show(ALL_QUEUES, WorkerState.READY, None)
    assert plant.owners() == [ELSEWHERE]
    worker.sign_out()
    assert plant.owners() == []


def test_a_machine_is_well_when_one_can_take_calls_and_none_is_deaf(plant: Plant) -> None:
    watcher = plant.worker()
    assert watcher.complaints() == ("no worker of this machine can take a call",)
    plant.worker(ELSEWHERE).sign_in(ALL_QUEUES, WorkerState.READY)
    assert len(watcher.complaints()) == 1
    here = plant.worker()
    here.sign_in(ALL_QUEUES, WorkerState.UNFIT)
    assert len(watcher.complaints()) == 1
    here.show(ALL_QUEUES, WorkerState.READY, None)
    assert watcher.complaints() == ()
    plant.worker().sign_in(ALL_QUEUES, WorkerState.DEAF)
    (complaint,) = watcher.complaints()
    assert "is deaf" in complaint


def test_who_ended_deaf_is_told_of_until_another_takes_its_place(plant: Plant) -> None:
    watcher = plant.worker()
    plant.worker(owner_that_ended()).show(ALL_QUEUES, WorkerState.DEAF, None)
    assert len(watcher.complaints()) == 2
    plant.worker().sign_in(ALL_QUEUES, WorkerState.READY)
    assert watcher.complaints() == ()
    assert len(plant.owners()) == 1


def test_a_process_that_ended_takes_no_calls_though_it_seemed_alive_just_now(plant: Plant) -> None:
    plant.worker(owner_that_ended()).show(ALL_QUEUES, WorkerState.READY, None)
    assert plant.worker().at_work()[Queue.TRANSCRIBE] == 0
    assert plant.worker().complaints()
