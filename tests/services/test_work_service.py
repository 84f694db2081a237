"""Work on calls as those who do it see it: what is lost is done again, and not for ever."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from app.core.exceptions import StageFailed, UndecodableAudio
from app.db.models import CallRow, table_of
from app.db.repositories.calls import CallRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import ALL_QUEUES, CallRecord, Queue
from app.services.ownership import new_owner
from app.services.work_service import Work, WorkService
from app.storage.local import LocalStorage
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import analysis, heard, new_call
from tests.settings import make_settings

__all__ = ["database", "quick_folder", "shared_database"]

ELSEWHERE = "another-machine/1/4711/abc"
"""A worker of which nobody here can see whether it lives."""


class Site:
    """One database with the storage beside it, and those who work there."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.storage = LocalStorage.opened(make_settings(folder))

    def worker(self, owner: str | None = None, lease_s: float = 30.0) -> WorkService:
        return WorkService(self.database, self.storage, owner or new_owner(), lease_s=lease_s, max_attempts=3)

    def add(self, call_id: str = "CALL-1") -> str:
        writer = self.storage.create()
        writer.write(b"recording")
        key = writer.commit().key
        with self.database.session() as session:
            assert CallRepository(session).insert(new_call(call_id, audio_key=key), _now())
        return key

    def record(self, call_id: str = "CALL-1") -> CallRecord:
        with self.database.snapshot() as session:
            record = CallRepository(session).get(call_id)
        assert record is not None
        return record

    def fall_silent(self, seconds: float) -> None:
        """As if every sign of life and every change were so old."""
        then = _now() - timedelta(seconds=seconds)
        calls = table_of(CallRow)
        at_work = calls.c.owner.is_not(None)
        with self.database.session() as session:
            session.execute(update(calls).where(at_work).values(heartbeat_at=then, updated_at=then))


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path)


def take(worker: WorkService) -> Work:
    work = worker.take(ALL_QUEUES)
    assert work is not None
    return work


def test_a_silent_worker_loses_its_call_and_what_it_heard_stays(site: Site) -> None:
    site.add()
    work = take(site.worker(ELSEWHERE))
    slow = site.worker(ELSEWHERE)
    assert slow.keep(work.claim, heard())
    reaper = site.worker()
    site.fall_silent(20)
    assert reaper.take_back_lost(()) == 0
    site.fall_silent(31)
    assert reaper.take_back_lost(()) == 1
    assert site.record().status is CallStatus.QUEUED
    assert not slow.complete(work.claim, analysis("CALL-1"))
    again = take(reaper)
    assert (again.claim.attempt, again.heard) == (2, heard())
    assert reaper.complete(again.claim, analysis("CALL-1"))
    assert not slow.fail(work.claim, StageFailed("stt"), "stt", drop_audio=True)


def test_a_call_whose_workers_are_lost_each_time_fails_with_the_reason(site: Site) -> None:
    site.add()
    reaper = site.worker()
    for _ in range(3):
        take(site.worker(ELSEWHERE))
        site.fall_silent(31)
        assert reaper.take_back_lost(()) == 1
    record = site.record()
    assert record.status is CallStatus.FAILED
    assert record.failure is not None
    assert (record.failure.code, record.attempts) == ("worker_lost", 3)
    assert reaper.take(ALL_QUEUES) is None
    assert reaper.take_back_lost(()) == 0


def test_a_worker_of_this_machine_that_is_gone_is_noticed_at_once(site: Site) -> None:
    site.add()
    program = "from app.services.ownership import new_owner; print(new_owner())"
    gone = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    take(site.worker(gone.stdout.strip()))
    assert site.worker().take_back_lost(()) == 1


def test_a_living_worker_keeps_its_call(site: Site) -> None:
    site.add()
    take(site.worker())  # a process of this machine: this one
    assert site.worker().take_back_lost(()) == 0


def test_a_call_that_this_process_forgot_is_taken_back_after_the_lease(site: Site) -> None:
    site.add()
    worker = site.worker()
    work = take(worker)
    assert worker.take_back_lost(()) == 0  # it may have been taken a moment ago
    site.fall_silent(31)
    assert worker.take_back_lost([work.claim.call_id]) == 1  # in work, but without a sign of life
    again = take(worker)
    site.fall_silent(20)
    assert worker.take_back_lost(()) == 0
    assert again.claim.token > work.claim.token


def test_a_lost_engine_is_tried_again_and_then_is_a_failure(site: Site) -> None:
    site.add()
    worker = site.worker()
    for attempt in (1, 2, 3):
        work = take(worker)
        assert work.claim.attempt == attempt
        assert worker.try_again(work.claim, "transcribe")
    record = site.record()
    assert record.failure is not None
    assert (record.status, record.failure.code, record.failure.stage) == (
        CallStatus.FAILED,
        "worker_lost",
        "transcribe",
    )


def test_what_is_handed_back_costs_no_attempt(site: Site) -> None:
    site.add()
    worker = site.worker()
    for _ in range(5):
        assert worker.hand_back(take(worker).claim)
    assert take(worker).claim.attempt == 1


def test_who_hears_hands_on_to_who_judges(site: Site) -> None:
    site.add()
    ears, judge = site.worker(ELSEWHERE), site.worker()
    work = ears.take([Queue.TRANSCRIBE])
    assert work is not None
    assert ears.hand_on(work.claim, heard())
    assert ears.take([Queue.TRANSCRIBE]) is None
    rest = judge.take([Queue.ANALYZE])
    assert rest is not None
    assert (rest.heard, rest.claim.attempt) == (heard(), 1)
    assert not ears.beat(work.claim, 99.0)
    assert judge.complete(rest.claim, analysis("CALL-1"))


@pytest.mark.parametrize("drop_audio", [False, True])
def test_a_recording_that_is_of_no_use_goes(site: Site, drop_audio: bool) -> None:
    key = site.add()
    worker = site.worker()
    assert worker.fail(take(worker).claim, UndecodableAudio("noise"), "decode", drop_audio=drop_audio)
    assert site.storage.exists(key) is not drop_audio
    assert (site.record().audio_key is None) is drop_audio


def test_a_recording_that_had_a_result_once_stays(site: Site) -> None:
    key = site.add()
    worker = site.worker()
    assert worker.complete(take(worker).claim, analysis("CALL-1"))
    with site.database.session() as session:
        assert CallRepository(session).rerun("CALL-1", Queue.TRANSCRIBE, _now())
    assert worker.fail(take(worker).claim, UndecodableAudio("noise"), "decode", drop_audio=True)
    assert site.storage.exists(key)
    assert site.record().status is CallStatus.COMPLETED


def test_a_failed_stage_leaves_what_was_heard_for_its_rerun(site: Site) -> None:
    site.add()
    worker = site.worker()
    work = take(worker)
    assert worker.keep(work.claim, heard())
    assert worker.complete(work.claim, analysis("CALL-1", failed_stages=("sentiment",)))
    with site.database.session() as session:
        CallRepository(session).rerun("CALL-1", Queue.ANALYZE, _now())
    assert take(worker).heard == heard()


def test_a_damaged_recording_is_nothing_to_do_again(site: Site) -> None:
    site.add()
    worker = site.worker()
    work = take(worker)
    assert worker.keep(work.claim, heard(damaged=True))
    assert worker.complete(work.claim, analysis("CALL-1", failed_stages=("decode",)))
    with site.database.session() as session:
        CallRepository(session).rerun("CALL-1", Queue.TRANSCRIBE, _now())
    assert take(worker).heard is None


def test_calls_that_nobody_was_told_of_are_told_apart(site: Site) -> None:
    site.add("CALL-1")
    site.add("CALL-2")
    worker = site.worker()
    assert worker.untold(Queue.TRANSCRIBE, 0, 10) == ("CALL-1", "CALL-2")
    assert worker.untold(Queue.TRANSCRIBE, 60, 10) == ()
    assert worker.quiet_s(ALL_QUEUES) == {}
    worker.rung(["CALL-1"])
    assert worker.untold(Queue.TRANSCRIBE, 0, 10) == ("CALL-2",)
    assert worker.told(Queue.TRANSCRIBE, 10) == ("CALL-1",)
    assert 0 <= worker.quiet_s(ALL_QUEUES)[Queue.TRANSCRIBE] < 30
    worker.not_rung(["CALL-1"])
    assert worker.untold(Queue.TRANSCRIBE, 0, 10) == ("CALL-1", "CALL-2")


def _now() -> datetime:
    return datetime.now(UTC)
