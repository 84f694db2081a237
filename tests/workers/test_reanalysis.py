"""A run over stored calls: all of them once, behind other work, told of what became of each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from app.core.exceptions import UnknownPlaybook
from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.session import Database
from app.schemas.call import Queue
from app.services.coachable_service import CoachableService
from app.services.playbook_library import PlaybookLibrary
from app.services.reanalysis_service import ReanalysisService
from app.services.room import Room
from app.workers import reanalysis
from app.workers.reanalysis import Reanalysis, Tally, Wanted
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import settings_for
from tests.db.values import FAILURE, T0, at, completed, plain_analysis, stored, taken

__all__ = ["database", "quick_folder", "shared_database"]

ALL = Wanted(T0, at(1000))


@pytest.fixture(scope="module")
def coachable() -> CoachableService:
    return CoachableService(settings_for("sqlite://"))


@pytest.fixture
def service(database: Database, coachable: CoachableService) -> ReanalysisService:
    library = PlaybookLibrary(database, coachable, settings_for("sqlite://"))
    return ReanalysisService(database, library, Room(0, 0))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reanalysis, "POLL_S", 0.01)
    monkeypatch.setattr(reanalysis, "PAGE", 2)


class Bell:
    """Whoever hears it does at once what ``ends`` says."""

    def __init__(self, ends: Callable[[str], None]) -> None:
        self.rung: list[str] = []
        self._ends = ends

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def ring(self, call_id: str, queue: Queue) -> None:
        assert queue is Queue.BULK
        self.rung.append(call_id)
        self._ends(call_id)


def complete(database: Database, call_id: str, now: datetime = T0) -> None:
    claim = taken(database, call_id, now)
    with database.session() as session:
        assert ClaimRepository(session).complete(claim, plain_analysis(call_id, ()), now, keep_heard=False)


def five_calls(database: Database) -> Iterator[str]:
    for number in range(5):
        completed(database, f"C{number}", number)
        yield f"C{number}"


def test_every_call_is_judged_once_oldest_first(database: Database, service: ReanalysisService) -> None:
    calls = list(five_calls(database))
    stored(database, "QUEUED", 2.5)
    bell = Bell(lambda call_id: complete(database, call_id))
    told: list[int] = []
    run = Reanalysis(service, bell, threading.Event(), lambda tally: told.append(tally.done))
    assert run.run(ALL) == Tally(queued=5, done=5)
    assert bell.rung == calls
    assert told[-1] == 5


def test_the_oldest_ones_alone_where_there_is_a_limit(database: Database, service: ReanalysisService) -> None:
    list(five_calls(database))
    bell = Bell(lambda call_id: complete(database, call_id))
    run = Reanalysis(service, bell, threading.Event())
    assert run.run(Wanted(at(1), at(9), limit=3)).done == 3
    assert bell.rung == ["C1", "C2", "C3"]


def test_what_fails_and_what_is_deleted_is_told(database: Database, service: ReanalysisService) -> None:
    list(five_calls(database))

    def end(call_id: str) -> None:
        claim = taken(database, call_id)
        with database.session() as session:
            if call_id == "C1":
                assert ClaimRepository(session).fail(claim, FAILURE, T0)
            elif call_id == "C2":
                CallRepository(session).delete(call_id)
            else:
                found = plain_analysis(call_id, ())
                assert ClaimRepository(session).complete(claim, found, T0, keep_heard=False)

    tally = Reanalysis(service, Bell(end), threading.Event()).run(ALL)
    assert tally == Tally(queued=4, done=3, passed_over=1, failed={"C1": "stt_failed"})


def test_without_waiting_calls_are_left_to_others(database: Database, service: ReanalysisService) -> None:
    list(five_calls(database))
    tally = Reanalysis(service, Bell(lambda _: None), threading.Event(), wait=False).run(ALL)
    assert (tally.queued, tally.done, service.waiting()) == (5, 0, 5)


def test_no_more_wait_than_a_few_and_a_stop_leaves_them(
    database: Database, service: ReanalysisService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reanalysis, "MOST_WAITING", 2)
    list(five_calls(database))
    stopping = threading.Event()
    run = Reanalysis(service, Bell(lambda _: None), stopping, lambda _: stopping.set())
    assert run.run(ALL) == Tally(queued=2)
    assert service.waiting() == 2


def test_a_playbook_that_there_is_not_ends_the_run_at_once(
    database: Database, service: ReanalysisService
) -> None:
    list(five_calls(database))
    run = Reanalysis(service, Bell(lambda _: None), threading.Event())
    with pytest.raises(UnknownPlaybook):
        run.run(Wanted(T0, at(9), playbook="nowhere"))
    assert service.waiting() == 0
