"""Deafness is told from quiet: by calls that wait, room for them, and rings that do not come."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.db.models import CallRow, table_of
from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.call import Queue
from app.services.ownership import new_owner
from app.services.work_service import WorkService
from app.storage.local import LocalStorage
from app.workers.hearing import Hearing
from app.workers.reminder import AGAIN_AT_ONCE, AT_ONCE, Reminder
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import new_call
from tests.settings import make_settings

__all__ = ["database", "quick_folder", "shared_database"]

ROUND_S = 15.0


class Bell:
    """Notes who was rung for, and in the database too, as one that reaches its broker does."""

    def __init__(self, work: WorkService) -> None:
        self._work = work
        self.rung: list[tuple[str, Queue]] = []

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def ring(self, call_id: str, queue: Queue) -> None:
        self.rung.append((call_id, queue))
        self._work.rung([call_id])


class Room:
    """A worker with room in ``open`` queues, whose clock the test moves."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        storage = LocalStorage.opened(make_settings(folder))
        self.work = WorkService(database, storage, new_owner(), lease_s=30, max_attempts=3)
        self.bell = Bell(self.work)
        self.reminder = Reminder(self.work, self.bell, round_s=ROUND_S)
        self.open = frozenset({Queue.TRANSCRIBE, Queue.ANALYZE})
        self.now = 1000.0
        self.hearing = Hearing(
            self.work, self.reminder, lambda: self.open, deaf_s=2 * ROUND_S, clock=lambda: self.now
        )

    def add(self, call_id: str = "A", queue: Queue = Queue.TRANSCRIBE, age_s: float = 0) -> None:
        with self.database.session() as session:
            then = datetime.now(UTC) - timedelta(seconds=age_s)
            assert CallRepository(session).insert(new_call(call_id, queue=queue), then)

    def rung_ago(self, seconds: float) -> None:
        """As if workers had been told of every call so long ago."""
        with self.database.session() as session:
            then = datetime.now(UTC) - timedelta(seconds=seconds)
            session.execute(update(table_of(CallRow)).values(rung_at=then))

    def check_for(self, seconds: float) -> None:
        for _ in range(round(seconds / 2)):
            self.now += 2
            self.hearing.check()


@pytest.fixture
def room(database: Database, tmp_path: Path) -> Iterator[Room]:
    yield Room(database, tmp_path)


def test_whoever_has_room_for_a_call_that_was_rung_for_and_hears_nothing_is_deaf(room: Room) -> None:
    room.add()
    room.rung_ago(0)
    room.check_for(30)
    assert not room.hearing.is_deaf
    room.check_for(2)
    assert room.hearing.is_deaf


@pytest.mark.parametrize("case", ["nothing waits", "no room", "not rung", "another queue", "taken"])
def test_whoever_could_not_have_heard_a_ring_is_not_deaf(room: Room, case: str) -> None:
    if case != "nothing waits":
        room.add(queue=Queue.BULK if case == "another queue" else Queue.TRANSCRIBE)
    if case != "not rung":
        room.rung_ago(0)
    if case == "no room":
        room.open = frozenset()
    if case == "taken":
        room.work.take((Queue.TRANSCRIBE,))
    room.check_for(100)
    assert not room.hearing.is_deaf


def test_a_ring_proves_good_hearing_also_if_others_take_the_call(room: Room) -> None:
    room.add()
    room.rung_ago(0)
    for _ in range(5):
        room.check_for(28)
        room.hearing.heard()
    assert not room.hearing.is_deaf


def test_whoever_was_stopped_begins_to_judge_anew(room: Room) -> None:
    room.add()
    room.rung_ago(0)
    room.check_for(28)
    room.now += 300
    room.check_for(28)
    assert not room.hearing.is_deaf


def test_it_is_rung_again_when_the_last_ring_was_a_round_ago(room: Room) -> None:
    for number in range(AGAIN_AT_ONCE + 2):
        room.add(f"CALL-{number}", age_s=100 - number)
    room.rung_ago(ROUND_S - 5)
    room.check_for(2)
    assert room.bell.rung == []
    room.rung_ago(ROUND_S + 5)
    room.check_for(2)
    first = [(f"CALL-{number}", Queue.TRANSCRIBE) for number in range(AGAIN_AT_ONCE)]
    assert room.bell.rung == first
    room.check_for(4)
    assert room.bell.rung == first  # the last ring was just now


def test_calls_that_nobody_was_told_of_are_rung_for_in_every_queue(room: Room) -> None:
    room.add("OLD", Queue.BULK, age_s=60)
    room.add("HEARD", Queue.ANALYZE, age_s=60)
    room.add("JUST-NOW")
    room.add("TOLD", age_s=60)
    room.work.rung(["TOLD"])
    assert room.reminder.ring_for_untold() == 2
    assert set(room.bell.rung) == {("OLD", Queue.BULK), ("HEARD", Queue.ANALYZE)}
    assert room.reminder.ring_for_untold() == 0


def test_a_round_rings_for_so_many_calls_and_no_more(room: Room) -> None:
    for number in range(AT_ONCE + 1):
        room.add(f"CALL-{number}", age_s=60)
    assert [room.reminder.ring_for_untold() for _ in range(3)] == [AT_ONCE, 1, 0]
