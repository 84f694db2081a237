"""What a process takes on, for whom it has room, and whom it tells of what it leaves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.call import ALL_QUEUES, Queue
from app.services.ownership import new_owner
from app.services.work_service import Work, WorkService
from app.storage.local import LocalStorage
from app.workers.job_runner import JobRunner
from app.workers.progress import Progress
from tests.db.databases import sqlite_database
from tests.db.values import T0, analysis, new_call
from tests.process.service import wait_until
from tests.settings import make_settings


class Task:
    """Holds each call until it is let go, and then does with it what ``end`` says."""

    def __init__(self, end: Callable[[Work], Queue | None]) -> None:
        self._end = end
        self.begun: list[str] = []
        self.may_end = threading.Event()

    def follow(self, work: Work, max_attempts: int) -> Progress:
        return Progress()

    def run(self, work: Work, progress: Progress) -> Queue | None:
        self.begun.append(work.claim.call_id)
        while not self.may_end.wait(0.01):
            if progress.stopped.is_set():
                return None
        return self._end(work)


class Desk:
    """A database with calls, and runners that work on them."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        storage = LocalStorage.opened(make_settings(folder))
        self.work = WorkService(database, storage, new_owner(), lease_s=30, max_attempts=3)
        self.task = Task(self._complete)
        self.runners: list[JobRunner] = []

    def runner(self, slots: int = 1, queues: tuple[Queue, ...] = ALL_QUEUES, **options: Any) -> JobRunner:
        made = JobRunner(
            self.work,
            self.task,  # type: ignore[arg-type]
            slots=slots,
            queues=queues,
            max_attempts=3,
            **options,
        )
        self.runners.append(made)
        return made

    def add(self, call_id: str, queue: Queue = Queue.TRANSCRIBE) -> None:
        with self.database.session() as session:
            assert CallRepository(session).insert(new_call(call_id, queue=queue), T0)

    def is_waiting(self, call_id: str) -> bool:
        with self.database.snapshot() as session:
            record = CallRepository(session).get(call_id)
        assert record is not None
        return record.is_waiting

    def _complete(self, work: Work) -> None:
        assert self.work.complete(work.claim, analysis(work.claim.call_id))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with sqlite_database(tmp_path) as database:
        found = Desk(database, tmp_path)
        yield found
        found.task.may_end.set()
        for runner in found.runners:
            runner.stop(5)


def test_there_is_room_until_every_slot_has_a_call(desk: Desk) -> None:
    changes: list[frozenset[Queue]] = []
    runner = desk.runner(slots=2, on_change=lambda: changes.append(runner.open_queues()))
    assert runner.open_queues() == frozenset(ALL_QUEUES)
    desk.add("A")
    desk.add("B")
    runner.start()
    wait_until(lambda: len(desk.task.begun) == 2, "both to be begun")
    assert runner.open_queues() == frozenset()
    assert runner.claimed_at is not None
    desk.task.may_end.set()
    wait_until(lambda: runner.ended == 2, "both to end")
    assert runner.open_queues() == frozenset(ALL_QUEUES)
    assert frozenset() in changes
    assert len(changes) == 4


def test_old_recordings_leave_a_slot_unless_nothing_else_is_served(desk: Desk) -> None:
    for name in "ABCD":
        desk.add(name, Queue.BULK)
    shared = desk.runner(slots=2)
    shared.start()
    wait_until(lambda: len(desk.task.begun) == 1, "one to be begun")
    assert shared.open_queues() == {Queue.TRANSCRIBE, Queue.ANALYZE}
    alone = desk.runner(slots=2, queues=(Queue.BULK,))
    alone.start()
    wait_until(lambda: len(desk.task.begun) == 3, "two more to be begun")
    assert alone.open_queues() == frozenset()


def test_nothing_is_taken_while_it_could_not_be_worked_on(desk: Desk) -> None:
    able = threading.Event()
    runner = desk.runner(may_take=able.is_set)
    desk.add("A")
    assert runner.open_queues() == frozenset()
    assert runner.work_one() is False
    assert desk.is_waiting("A")
    able.set()
    desk.task.may_end.set()
    assert runner.work_one() is True


def test_a_ring_is_of_use_once_for_each_idle_thread(desk: Desk) -> None:
    """So that of two rings, one can go to a process that has room for it."""
    runner = desk.runner(slots=2)
    runner.look_every(None)
    assert runner.ring() is False  # nobody is there yet
    runner.start()
    wait_until(lambda: runner._idle == 2, "both threads to be idle")
    with runner._bell:  # nobody can wake up meanwhile
        assert [runner.ring() for _ in range(3)] == [True, True, False]
    wait_until(lambda: (runner._idle, runner._woken) == (2, 0), "both to have looked")
    assert runner.ring() is True


def test_a_change_of_how_often_to_look_is_a_look(desk: Desk) -> None:
    runner = desk.runner()
    runner.look_every(None)
    runner.start()
    wait_until(lambda: runner._idle == 1, "the thread to be idle")
    desk.add("A")
    runner.look_every(None)  # which is a look
    wait_until(lambda: desk.task.begun == ["A"], "it to look")
    desk.task.may_end.set()
    wait_until(lambda: runner.ended == 1 and runner._idle == 1, "it to be idle again")
    desk.task.may_end.clear()
    desk.add("B")
    runner.look_every(0.05)
    wait_until(lambda: desk.task.begun == ["A", "B"], "it to look again")


def test_whoever_takes_up_what_is_left_is_told(desk: Desk) -> None:
    left: list[tuple[str, Queue]] = []
    desk.task = Task(lambda work: Queue.ANALYZE)
    desk.task.may_end.set()
    runner = desk.runner(on_left=lambda call_id, queue: left.append((call_id, queue)))
    desk.add("HANDED-ON")
    assert runner.work_one()
    assert left == [("HANDED-ON", Queue.ANALYZE)]


def test_what_is_handed_back_at_the_end_is_told_too(desk: Desk) -> None:
    left: list[tuple[str, Queue]] = []
    runner = desk.runner(on_left=lambda call_id, queue: left.append((call_id, queue)))
    desk.add("A", Queue.BULK)
    runner.start()
    wait_until(lambda: desk.task.begun == ["A"], "it to be begun")
    runner.stop(0)
    assert left == [("A", Queue.BULK)]
    assert desk.is_waiting("A")
    assert runner.open_queues() == frozenset()
