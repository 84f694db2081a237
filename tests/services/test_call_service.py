"""Calls as they come in: taken once, found again, refused when there is no room."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.core.exceptions import (
    AudioGone,
    Busy,
    CallExists,
    CallFinished,
    CallNotFound,
    CallUnfinished,
    IdempotencyKeyReused,
    StageFailed,
    UndecodableAudio,
)
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import ALL_QUEUES, Failure, NewCall, Queue, RequestKey
from app.services.call_service import KEYS_KEPT, CallService, Intake, RerunFrom
from app.services.ownership import new_owner
from app.services.room import Room
from app.services.work_service import Work, WorkService
from app.storage.local import LocalStorage
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import analysis, heard, new_call
from tests.settings import make_settings

__all__ = ["database", "quick_folder", "shared_database"]


class Site:
    def __init__(self, database: Database, folder: Path, room: Room) -> None:
        self.storage = LocalStorage.opened(make_settings(folder))
        self.calls = CallService(database, self.storage, room=room, forget_elsewhere=lambda _: None)
        self.work = WorkService(database, self.storage, new_owner(), lease_s=30, max_attempts=3)

    def upload(self, call_id: str | None = None, **changes: Any) -> NewCall:
        writer = self.storage.create()
        writer.write(b"recording")
        key = writer.commit().key
        return new_call(call_id or uuid4().hex, audio_key=key, **changes)

    def take(self) -> Work:
        work = self.work.take(ALL_QUEUES)
        assert work is not None
        return work

    def finish(self, **changes: Any) -> None:
        work = self.take()
        assert self.work.keep(work.claim, heard())
        assert self.work.complete(work.claim, analysis(work.claim.call_id, **changes))


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Site:
    return Site(database, tmp_path, Room(1000, 1))


def test_a_call_starts_once_is_joined_and_then_replayed(site: Site) -> None:
    new = site.upload("CALL-1")
    assert [site.calls.accept(new).intake for _ in range(2)] == [Intake.STARTED, Intake.JOINED]
    site.finish()
    assert site.calls.accept(new).intake is Intake.REPLAYED
    with pytest.raises(CallExists):
        site.calls.accept(site.upload("CALL-1", fingerprint="other"))


def test_a_failed_call_starts_over_and_its_recording_goes(site: Site) -> None:
    first, second = site.upload("CALL-1"), site.upload("CALL-1", fingerprint="other")
    site.calls.accept(first)
    site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=False)
    assert site.calls.accept(second).intake is Intake.STARTED
    assert [site.storage.exists(new.audio_key) for new in (first, second)] == [False, True]


def test_the_same_key_with_the_same_request_is_the_same_call(site: Site) -> None:
    key = RequestKey("k-1", "f" * 64)
    first = site.calls.accept(site.upload(), key)
    again = site.calls.accept(site.upload(), key)
    assert (first.intake, again.intake) == (Intake.STARTED, Intake.JOINED)
    assert again.call_id == first.call_id
    site.finish()
    assert site.calls.accept(site.upload(), key).intake is Intake.REPLAYED
    other = site.calls.accept(site.upload(), RequestKey("k-2", "f" * 64))
    assert other.call_id != first.call_id


def test_a_key_belongs_to_one_request(site: Site) -> None:
    site.calls.accept(site.upload(), RequestKey("k", "f" * 64))
    with pytest.raises(IdempotencyKeyReused):
        site.calls.accept(site.upload(), RequestKey("k", "e" * 64))


def test_one_key_sent_by_many_at_once_makes_one_call(site: Site) -> None:
    together = threading.Barrier(20)
    got = list[tuple[str, Intake]]()

    def send() -> None:
        new = site.upload()
        together.wait()
        accepted = site.calls.accept(new, RequestKey("k", "f" * 64))
        got.append((accepted.call_id, accepted.intake))

    threads = [threading.Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 20
    assert len({call_id for call_id, _ in got}) == 1
    assert sorted(intake for _, intake in got) == [Intake.JOINED] * 19 + [Intake.STARTED]


def test_a_failure_of_ours_is_not_kept_under_a_key_and_one_of_the_client_is(site: Site) -> None:
    key = RequestKey("k", "f" * 64)
    first = site.calls.accept(site.upload(), key)
    site.work.fail(site.take().claim, StageFailed("stt", "broken"), "transcribe", drop_audio=False)
    again = site.calls.accept(site.upload(), key)
    assert (again.call_id, again.intake, again.by_key) == (first.call_id, Intake.STARTED, True)
    site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=True)
    told = site.calls.accept(site.upload(), key)
    assert (told.call_id, told.intake, told.record.failure) == (
        first.call_id,
        Intake.REPLAYED,
        Failure("undecodable_audio", "decode", "noise", 422),
    )
    without = site.calls.accept(site.upload(first.call_id))
    assert (without.intake, without.by_key) == (Intake.STARTED, False)


def test_a_cancelled_call_is_not_begun_again_by_a_request_that_comes_late(site: Site) -> None:
    key = RequestKey("k", "f" * 64)
    call_id = site.calls.accept(site.upload(), key).call_id
    site.calls.cancel(call_id)
    late = site.calls.accept(site.upload(), key)
    assert (late.intake, late.record.status) == (Intake.REPLAYED, CallStatus.CANCELLED)
    assert site.calls.accept(site.upload(call_id)).intake is Intake.STARTED


def test_a_key_is_forgotten_when_it_was_kept_long_enough_or_its_call_is_deleted(site: Site) -> None:
    key = RequestKey("k", "f" * 64)
    now = datetime.now(UTC)
    first = site.calls.accept(site.upload(), key)
    assert site.calls.forget_old_keys(now + timedelta(hours=24)) == 0
    assert site.calls.forget_old_keys(now + KEYS_KEPT + timedelta(minutes=1)) == 1
    second = site.calls.accept(site.upload(), key)
    assert second.call_id != first.call_id
    site.calls.delete(second.call_id)
    assert site.calls.accept(site.upload(), key).intake is Intake.STARTED


def test_a_full_queue_takes_no_more_but_old_recordings_and_known_calls(
    database: Database, tmp_path: Path
) -> None:
    site = Site(database, tmp_path, Room(2, 1))
    known = site.upload("A")
    site.calls.accept(known)
    for _ in range(2):
        site.calls.check_room()
        site.calls.accept(site.upload())
    with pytest.raises(Busy) as refused:
        site.calls.check_room()
    assert refused.value.retry_after_s
    with pytest.raises(Busy):
        site.calls.accept(site.upload())
    assert site.calls.accept(known).intake is Intake.JOINED
    assert site.calls.accept(site.upload(queue=Queue.BULK)).intake is Intake.STARTED
    site.finish()
    assert site.calls.accept(site.upload()).intake is Intake.STARTED


def test_where_others_do_the_work_only_those_that_wait_count(database: Database, tmp_path: Path) -> None:
    site = Site(database, tmp_path, Room(1, 0))
    site.calls.accept(site.upload())
    with pytest.raises(Busy):
        site.calls.accept(site.upload())
    site.take()
    assert site.calls.accept(site.upload()).intake is Intake.STARTED


def test_cancelling(site: Site) -> None:
    site.calls.accept(site.upload("CALL-1"))
    work = site.take()
    assert site.calls.cancel("CALL-1").status is CallStatus.CANCELLED
    assert not site.work.complete(work.claim, analysis("CALL-1"))
    with pytest.raises(CallFinished):
        site.calls.cancel("CALL-1")
    with pytest.raises(CallNotFound):
        site.calls.cancel("nobody")


@pytest.mark.parametrize(
    ("start", "failed", "queue", "kept"),
    [
        (RerunFrom.BROKEN, (), Queue.TRANSCRIBE, None),
        (RerunFrom.BROKEN, ("sentiment",), Queue.ANALYZE, "all"),
        (RerunFrom.DIARIZATION, ("sentiment",), Queue.TRANSCRIBE, "transcript"),
        (RerunFrom.TRANSCRIPTION, ("sentiment",), Queue.TRANSCRIBE, None),
    ],
)
def test_a_rerun_begins_where_it_is_asked_to(
    site: Site, start: RerunFrom, failed: tuple[str, ...], queue: Queue, kept: str | None
) -> None:
    site.calls.accept(site.upload("CALL-1"))
    site.finish(failed_stages=failed)
    before = site.calls.read("CALL-1").analysis
    assert site.calls.rerun("CALL-1", start).queue is queue
    work = site.take()
    expected = {None: None, "all": heard(), "transcript": heard().without("diarization")}[kept]
    assert work.heard == expected
    assert site.calls.read("CALL-1").analysis == before
    assert site.calls.finished("CALL-1")[1] == before


def test_a_diarization_that_failed_is_done_again_and_nothing_before_it() -> None:
    broken = heard(failed_stages=("diarization",))
    kept = RerunFrom.BROKEN.of(broken)
    assert kept is not None
    assert (kept.turns, kept.transcript, kept.failed_stages) == (None, broken.transcript, ())


def test_what_cannot_be_done_again_is_refused(site: Site) -> None:
    with pytest.raises(CallNotFound):
        site.calls.rerun("nobody", RerunFrom.BROKEN)
    site.calls.accept(site.upload("CALL-1"))
    with pytest.raises(CallUnfinished):
        site.calls.rerun("CALL-1", RerunFrom.BROKEN)
    site.work.fail(site.take().claim, UndecodableAudio("noise"), "decode", drop_audio=True)
    with pytest.raises(AudioGone):
        site.calls.rerun("CALL-1", RerunFrom.BROKEN)


def test_the_place_in_the_queue_is_told(site: Site) -> None:
    for call_id in ("A", "B"):
        site.calls.accept(site.upload(call_id))
    assert [site.calls.progress(call_id)[1] for call_id in ("A", "B")] == [1, 2]
    site.take()
    assert [site.calls.progress(call_id)[1] for call_id in ("A", "B")] == [None, 1]
