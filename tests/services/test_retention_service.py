"""Recordings and words go within one sweep once their time is over, and with them what was read out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.core.exceptions import CallNotFound, StorageUnavailable
from app.db.repositories.calls import CallRepository
from app.db.repositories.clips import ClipRepository
from app.db.session import Database
from app.schemas.call import CallRecord
from app.schemas.clip import ClipFilter, Consent
from app.schemas.retention import Swept
from app.services import retention_service
from app.services.retention_service import RetentionService
from app.storage.removals import RemovalKeeper
from tests.db.clip_values import RECORDED, clip
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import T0, completed, stored
from tests.services.webhooks.calls import FakeClock
from tests.storage.test_removals import Stubborn, put

__all__ = ["database", "quick_folder", "shared_database"]

Made = Callable[..., RetentionService]


@pytest.fixture
def stubborn(tmp_path: Path) -> Stubborn:
    return Stubborn(str(tmp_path))


@pytest.fixture
def storage(stubborn: Stubborn) -> RemovalKeeper:
    return RemovalKeeper(stubborn)


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.now = T0
    return clock


@pytest.fixture
def forgotten() -> list[str]:
    return []


@pytest.fixture
def made(database: Database, storage: RemovalKeeper, clock: FakeClock, forgotten: list[str]) -> Made:
    def make(audio_days: int | None = None, text_days: int | None = None) -> RetentionService:
        return RetentionService(
            database,
            storage,
            audio_days=audio_days,
            text_days=text_days,
            forget_elsewhere=forgotten.append,
            remove_withdrawn=lambda: None,
            clock=clock,
        )

    return make


def call(database: Database, call_id: str) -> CallRecord:
    with database.snapshot() as session:
        record = CallRepository(session).get(call_id)
    assert record is not None
    return record


def test_without_settings_everything_is_kept(
    database: Database, storage: RemovalKeeper, clock: FakeClock, made: Made
) -> None:
    completed(database, "A", 0, audio_key=put(storage))
    clock.advance(days=40_000)
    assert made().sweep() == Swept(0, 0)
    assert len(list(storage.listed())) == 1


def test_each_goes_on_its_own_day(
    database: Database, storage: RemovalKeeper, clock: FakeClock, made: Made, forgotten: list[str]
) -> None:
    key = put(storage)
    completed(database, "A", 0, ("objection",), audio_key=key)
    service = made(audio_days=30, text_days=90)
    clock.advance(days=30)
    assert service.sweep() == Swept(0, 0)
    clock.advance(seconds=1)
    assert service.sweep() == Swept(1, 0)
    assert not storage.exists(key)
    assert call(database, "A").audio_deleted_at == clock.now
    clock.advance(days=60)
    assert service.sweep() == Swept(0, 1)
    assert call(database, "A").text_deleted_at == clock.now
    assert forgotten == ["A"]
    assert service.sweep() == Swept(0, 0)


def test_words_may_go_before_the_recording(
    database: Database, storage: RemovalKeeper, clock: FakeClock, made: Made
) -> None:
    completed(database, "A", 0, audio_key=put(storage))
    clock.advance(days=2)
    assert made(audio_days=30, text_days=1).sweep() == Swept(0, 1)
    assert call(database, "A").audio_key is not None


def test_one_sweep_takes_all_that_is_due(
    database: Database,
    storage: RemovalKeeper,
    clock: FakeClock,
    made: Made,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention_service, "RECORDINGS_AT_A_TIME", 2)
    monkeypatch.setattr(retention_service, "TEXTS_AT_A_TIME", 2)
    for number in range(5):
        completed(database, f"C{number}", number, audio_key=put(storage))
    stored(database, "IN-WORK", 0, audio_key=put(storage))
    clock.advance(days=2)
    assert made(audio_days=1, text_days=1).sweep() == Swept(5, 5)
    assert [file.key for file in storage.listed()] == [call(database, "IN-WORK").audio_key]


def test_a_held_call_waits_until_it_is_released(
    database: Database, storage: RemovalKeeper, clock: FakeClock, made: Made
) -> None:
    completed(database, "A", 0, audio_key=put(storage))
    service = made(audio_days=1, text_days=1)
    service.hold("A", held=True)
    clock.advance(days=400)
    assert service.sweep() == Swept(0, 0)
    service.hold("A", held=False)
    assert service.sweep() == Swept(1, 1)
    with pytest.raises(CallNotFound):
        service.hold("NOWHERE", held=True)


def test_a_storage_that_is_away_costs_no_more_than_time(
    database: Database, storage: RemovalKeeper, stubborn: Stubborn, clock: FakeClock, made: Made
) -> None:
    completed(database, "A", 0, audio_key=put(storage))
    clock.advance(days=2)
    stubborn.away = True
    service = made(audio_days=1, text_days=1)
    with pytest.raises(StorageUnavailable):
        service.sweep()
    assert call(database, "A").audio_key is None
    assert call(database, "A").text_deleted_at == T0 + timedelta(days=2)
    stubborn.away = False
    storage.sweep()
    assert list(storage.listed()) == []


def test_a_clip_stays_only_where_its_consent_is_recorded(
    database: Database, storage: RemovalKeeper, clock: FakeClock, made: Made, forgotten: list[str]
) -> None:
    sounds = {}
    for call_id in ("A", "HELD", "YOUNG"):
        completed(database, call_id, 86_400 if call_id == "YOUNG" else 0, audio_key=put(storage))
        for consent in (Consent(), RECORDED):
            kept = clip(call_id, f"clip_{call_id}_{consent.state}", consent=consent, audio_key=put(storage))
            sounds[kept.id] = kept.audio_key
            with database.session() as session:
                ClipRepository(session).add(kept)
    service = made(audio_days=1)
    service.hold("HELD", held=True)
    clock.advance(days=1.5)
    assert service.sweep() == Swept(1, 0, 1)
    assert forgotten == ["A"]
    assert {clip_id for clip_id, key in sounds.items() if not storage.exists(key)} == {"clip_A_unknown"}
    assert clips(database) == sounds.keys() - {"clip_A_unknown"}
    service.hold("HELD", held=False)
    assert service.sweep() == Swept(1, 0, 1)
    assert made(text_days=1).sweep() == Swept(0, 2, 0)
    clock.advance(days=1)
    assert made(text_days=1).sweep() == Swept(0, 1, 1)
    assert clips(database) == {"clip_A_recorded", "clip_HELD_recorded", "clip_YOUNG_recorded"}
    with database.snapshot() as session:
        spared = ClipRepository(session).get("clip_A_recorded")
    assert spared == clip("A", "clip_A_recorded", consent=RECORDED, audio_key=sounds["clip_A_recorded"])


def test_consent_that_is_taken_back_after_the_time_of_its_call_spares_no_longer(
    database: Database, storage: RemovalKeeper, clock: FakeClock, made: Made
) -> None:
    completed(database, "A", 0, audio_key=put(storage))
    kept = clip("A", consent=RECORDED, audio_key=put(storage))
    with database.session() as session:
        ClipRepository(session).add(kept)
    clock.advance(days=2)
    assert made(audio_days=1).sweep() == Swept(1, 0, 0)
    with database.session() as session:
        ClipRepository(session).replace(replace(kept, consent=Consent()))
    assert made(audio_days=1).sweep() == Swept(0, 0, 1)
    assert list(storage.listed()) == []


def clips(database: Database) -> set[str]:
    with database.snapshot() as session:
        found, _ = ClipRepository(session).page(ClipFilter(), 200, None)
    return {kept.id for kept in found}
