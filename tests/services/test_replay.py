"""The replay with real voices and a real database: heard, spoken once, and gone with its call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.core.exceptions import (
    CallNotFound,
    NoCoachableMoments,
    StageFailed,
    StorageUnavailable,
    TextDeleted,
)
from app.db.migrate import prepare
from app.schemas.call import ALL_QUEUES, NewCall
from app.schemas.reel import MomentFilter, ReelWish
from app.services.bootstrap import Services, build_services
from app.services.engine_chain import EngineChain
from app.services.reel.renderer import scope_of
from app.services.retention_service import RetentionService
from app.services.tts.pyttsx3 import Pyttsx3Engine
from app.storage.removals import RemovalKeeper
from tests.analyses import analysis_of, two_segments
from tests.settings import make_settings


class Witness(Pyttsx3Engine):
    """The real voice; counts its texts, and does ``then`` after each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(make_settings(folder))
        self.texts: list[str] = []
        self.then: Callable[[], object] = lambda: None

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        spoken = super().synthesize(text, language, folder)
        self.texts.append(text)
        self.then()
        return spoken


@pytest.fixture
def voice(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def services(tmp_path: Path, voice: Witness) -> Services:
    services = build_services(make_settings(tmp_path), tts_chain=EngineChain("tts", [voice], interval_s=3600))
    prepare(services.database)
    return services


def store_call(services: Services, call_id: str, *, with_moments: bool = True) -> None:
    fingerprint = uuid4().hex * 2
    services.calls.accept(NewCall(call_id, fingerprint, uuid4().hex, fingerprint, 1000))
    work = services.work.take(ALL_QUEUES)
    assert work is not None
    assert services.work.complete(work.claim, two_segments() if with_moments else analysis_of())


def kept_files(folder: Path) -> list[Path]:
    return [path for path in (folder / "data" / "tts-cache").rglob("*") if path.is_file()]


def render(services: Services, call_id: str) -> bytes:
    reel = services.reels.replay(call_id, MomentFilter(), ReelWish())
    return b"".join(services.reels.read(reel, 0, reel.audio_bytes))


def test_the_same_replay_is_spoken_once(services: Services, voice: Witness, tmp_path: Path) -> None:
    store_call(services, "CALL-1")
    first = render(services, "CALL-1")
    assert [text.split(",")[0] for text in voice.texts] == ["Moment 1", "Moment 2"]
    assert render(services, "CALL-1") == first
    assert len(voice.texts) == 2
    assert len(kept_files(tmp_path)) == 2


def test_the_spoken_words_go_with_their_call_and_no_other(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    for call_id in ("CALL-1", "CALL-2"):
        store_call(services, call_id)
        render(services, call_id)
    assert len(kept_files(tmp_path)) == 4
    services.calls.delete("CALL-1")
    assert len(kept_files(tmp_path)) == 2
    render(services, "CALL-2")
    assert len(voice.texts) == 4
    services.calls.delete("CALL-2")
    assert kept_files(tmp_path) == []


def test_a_call_that_is_deleted_while_it_is_read_out_leaves_no_words(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    def delete_after_the_first() -> None:
        if len(voice.texts) == 1:
            services.calls.delete("CALL-1")

    store_call(services, "CALL-1")
    voice.then = delete_after_the_first
    with pytest.raises(CallNotFound):
        render(services, "CALL-1")
    assert kept_files(tmp_path) == []


def test_a_call_that_is_deleted_while_a_voice_fails_leaves_no_words(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    def delete_then_fail() -> None:
        if len(voice.texts) == 2:
            services.calls.delete("CALL-1")
            raise StageFailed("tts", "out of breath")

    store_call(services, "CALL-1")
    voice.then = delete_then_fail
    with pytest.raises(CallNotFound):
        render(services, "CALL-1")
    assert kept_files(tmp_path) == []


def test_words_that_are_deleted_while_they_are_read_out_are_not_kept(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    retention = RetentionService(
        services.database,
        RemovalKeeper(services.storage),
        audio_days=None,
        text_days=1,
        forget_elsewhere=lambda call_id: services.tts.forget(scope_of(call_id)),
        remove_withdrawn=lambda: None,
        clock=lambda: datetime.now(UTC) + timedelta(days=2),
    )
    store_call(services, "CALL-1")
    voice.then = retention.sweep
    with pytest.raises(TextDeleted):
        render(services, "CALL-1")
    assert kept_files(tmp_path) == []
    assert len(voice.texts) == 2
    with pytest.raises(TextDeleted):
        render(services, "CALL-1")
    assert len(voice.texts) == 2


def test_words_are_forgotten_even_when_the_recording_cannot_be_removed(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(key: str) -> None:
        raise StorageUnavailable("the disk is away")

    store_call(services, "CALL-1")
    render(services, "CALL-1")
    monkeypatch.setattr(services.storage, "delete", fail)
    with pytest.raises(StorageUnavailable):
        services.calls.delete("CALL-1")
    assert kept_files(tmp_path) == []


def test_voices_that_fail_leave_the_call_as_it_was(services: Services, voice: Witness) -> None:
    def fail() -> None:
        raise StageFailed("tts", "out of breath")

    store_call(services, "CALL-1")
    before = services.calls.read("CALL-1")
    voice.then = fail
    with pytest.raises(StageFailed, match="out of breath"):
        render(services, "CALL-1")
    assert services.calls.read("CALL-1") == before
    voice.then = lambda: None
    assert render(services, "CALL-1")


def test_a_call_without_moments_has_no_replay(services: Services) -> None:
    store_call(services, "CALL-1", with_moments=False)
    with pytest.raises(NoCoachableMoments):
        render(services, "CALL-1")
