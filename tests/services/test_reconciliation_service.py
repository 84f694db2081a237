"""Recordings and calls after crashes and strange hands: each side against the other, on every storage."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.core.exceptions import StorageUnavailable
from app.db.repositories.calls import CallRepository
from app.db.repositories.clips import ClipRepository
from app.db.session import Database
from app.schemas.retention import Reconciled
from app.services.reconciliation_service import FEW, LEAST_AGE, RECHECK_S, ReconciliationService
from app.storage.base import ListedFile
from app.storage.local import LocalStorage
from app.storage.registry import STORAGES, open_storage
from app.storage.removals import RemovalKeeper
from tests.db.clip_values import clip
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import stored
from tests.services.webhooks.calls import FakeClock
from tests.settings import make_settings
from tests.storage.s3_server import s3_server
from tests.storage.test_removals import put

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture(params=STORAGES.names())
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RemovalKeeper]:
    if request.param == "s3":
        with s3_server(tmp_path / "s3") as server:
            yield RemovalKeeper(open_storage(make_settings(tmp_path, work_dir=tmp_path, **server.settings)))
    else:
        yield RemovalKeeper(open_storage(make_settings(tmp_path)))


@pytest.fixture
def folder(tmp_path: Path) -> RemovalKeeper:
    return RemovalKeeper(LocalStorage(str(tmp_path / "folder")))


def later(hours: float = 2) -> FakeClock:
    """A time at which what is stored now is old enough."""
    clock = FakeClock()
    clock.advance(hours=hours)
    return clock


class Pause:
    """Lasts no time; ``meanwhile`` happens in it."""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None, *, stops: bool = False) -> None:
        self.lengths: list[float] = []
        self._meanwhile = meanwhile
        self._stops = stops

    def __call__(self, seconds: float) -> bool:
        self.lengths.append(seconds)
        self._meanwhile()
        return self._stops


def missed_at(database: Database, call_id: str) -> datetime | None:
    with database.snapshot() as session:
        record = CallRepository(session).get(call_id)
    assert record is not None
    return record.audio_missing_at


def keys(storage: RemovalKeeper) -> list[str]:
    return [file.key for file in storage.listed()]


def test_the_sound_of_a_clip_stays_and_one_that_no_row_names_goes(
    database: Database, storage: RemovalKeeper
) -> None:
    """The latter is what a crash leaves between the storing of a clip's file and of its row."""
    recording, sound, crashed = put(storage), put(storage), put(storage)
    stored(database, "A", audio_key=recording)
    with database.session() as session:
        ClipRepository(session).add(clip("A", audio_key=sound))
        ClipRepository(session).add(clip("A", "clip_lost", audio_key="f" * 32))
    service = ReconciliationService(database, storage, clock=later())
    assert service.run(Pause()) == Reconciled(matched=2, orphans=1, removed=1)
    assert set(keys(storage)) == {recording, sound}
    assert crashed not in keys(storage)
    assert missed_at(database, "A") is None


def test_each_side_is_put_right(database: Database, storage: RemovalKeeper) -> None:
    kept = put(storage)
    stored(database, "WHOLE", audio_key=kept)
    stored(database, "WITHOUT", audio_key="0" * 32)
    orphan = put(storage)
    pause, clock = Pause(), later()
    service = ReconciliationService(database, storage, clock=clock)
    assert service.run(pause) == Reconciled(matched=1, orphans=1, removed=1, missed=1)
    assert pause.lengths == [RECHECK_S]
    assert keys(storage) == [kept]
    assert orphan != kept
    assert (missed_at(database, "WHOLE"), missed_at(database, "WITHOUT")) == (None, clock.now)
    clock.advance(days=1)
    assert service.run(pause) == Reconciled(matched=1)
    assert missed_at(database, "WITHOUT") == clock.now - timedelta(days=1)
    assert pause.lengths == [RECHECK_S]


def test_a_recording_that_is_back_is_missed_no_longer(database: Database, folder: RemovalKeeper) -> None:
    key = put(folder)
    stored(database, "A", audio_key=key)
    with folder.local_path(key) as path:
        path.rename(path.parent / "aside")
    service = ReconciliationService(database, folder, clock=later())
    assert service.run(Pause()) == Reconciled(missed=1)
    (path.parent / "aside").rename(path)
    assert service.run(Pause()) == Reconciled(matched=1, back=1)
    assert missed_at(database, "A") is None


def test_a_young_recording_may_belong_to_a_call_to_come(database: Database, folder: RemovalKeeper) -> None:
    put(folder)
    young = FakeClock()
    young.now = datetime.now(UTC) + LEAST_AGE - timedelta(minutes=1)
    assert ReconciliationService(database, folder, clock=young).run(Pause()) == Reconciled()
    assert len(keys(folder)) == 1
    assert ReconciliationService(database, folder, clock=later()).run(Pause()).removed == 1


def test_a_call_that_comes_in_between_keeps_its_recording(database: Database, folder: RemovalKeeper) -> None:
    late, gone = put(folder), put(folder)
    pause = Pause(lambda: stored(database, "LATE", audio_key=late))
    service = ReconciliationService(database, folder, clock=later())
    assert service.run(pause) == Reconciled(orphans=2, removed=1)
    assert keys(folder) == [late]
    assert not folder.exists(gone)


def test_a_service_that_stops_meanwhile_removes_nothing(database: Database, folder: RemovalKeeper) -> None:
    put(folder)
    service = ReconciliationService(database, folder, clock=later())
    assert service.run(Pause(stops=True)) == Reconciled(orphans=1, removed=0)
    assert len(keys(folder)) == 1


class Belated(LocalStorage):
    """A real folder whose listings are from before everything came."""

    def listed(self, after: str = "") -> Iterator[ListedFile]:
        return iter(())


def test_a_recording_that_came_after_the_listing_is_not_missed(database: Database, tmp_path: Path) -> None:
    storage = RemovalKeeper(Belated(str(tmp_path)))
    stored(database, "A", audio_key=put(storage))
    assert ReconciliationService(database, storage, clock=later()).run(Pause()) == Reconciled()
    assert missed_at(database, "A") is None


@pytest.mark.parametrize(
    ("calls", "orphans", "removed"), [(0, FEW, FEW), (0, FEW + 1, 0), (25, 25, 25), (24, 25, 0)]
)
def test_a_storage_that_looks_like_somebody_elses_is_left_alone(
    database: Database,
    folder: RemovalKeeper,
    caplog: pytest.LogCaptureFixture,
    calls: int,
    orphans: int,
    removed: int,
) -> None:
    for number in range(calls):
        stored(database, f"C{number}", audio_key=put(folder))
    for _ in range(orphans):
        put(folder)
    with caplog.at_level(logging.ERROR):
        found = ReconciliationService(database, folder, clock=later()).run(Pause())
    assert (found.matched, found.orphans, found.removed) == (calls, orphans, removed)
    assert len(keys(folder)) == calls + orphans - removed
    complaints = [record for record in caplog.records if record.message == "recordings.too_many_without_call"]
    assert [vars(record)["recordings"] for record in complaints] == ([] if removed else [orphans])


def test_a_pass_stops_after_so_many_and_the_next_goes_on_from_there(
    database: Database, storage: RemovalKeeper
) -> None:
    for number in range(7):
        stored(database, f"C{number}", audio_key=put(storage))
    for key in sorted(keys(storage))[1:3]:
        storage.delete(key)
    service = ReconciliationService(database, storage, clock=later(), most_at_a_time=3)
    assert service.run(Pause()) == Reconciled(matched=1, missed=2, ended=False)
    assert service.run(Pause()) == Reconciled(matched=3, ended=False)
    assert service.run(Pause()) == Reconciled(matched=1)
    assert service.run(Pause()) == Reconciled(matched=1, ended=False)


class Failing(LocalStorage):
    """A real folder that breaks off in the middle of a listing."""

    def listed(self, after: str = "") -> Iterator[ListedFile]:
        yield next(super().listed(after))
        raise StorageUnavailable("the disk is away")


def test_a_storage_that_goes_away_costs_no_recording_and_marks_no_call(
    database: Database, tmp_path: Path
) -> None:
    storage = RemovalKeeper(Failing(str(tmp_path)))
    put(storage)
    stored(database, "A", audio_key="0" * 32)
    with pytest.raises(StorageUnavailable):
        ReconciliationService(database, storage, clock=later()).run(Pause())
    assert missed_at(database, "A") is None
    assert len(list(LocalStorage(str(tmp_path)).listed())) == 1
