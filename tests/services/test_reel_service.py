"""Reels from true recordings with true voices: what is heard where, how loud; rendered once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import (
    AudioDeleted,
    AudioMissing,
    CallNotFound,
    MomentNotFound,
    NoCoachableMoments,
    NoMomentFits,
    ReelNotFound,
    StageFailed,
)
from app.db.migrate import prepare
from app.db.repositories.results import ResultRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.call import CallFilter
from app.schemas.reel import MomentFilter, MomentRef, Reel, ReelSource, ReelWish
from app.services.bootstrap import Services, build_services
from app.services.engine_chain import EngineChain
from app.services.reel.chime import NOTES
from app.services.reel_shelf import ReelShelf
from app.services.tts.pyttsx3 import Pyttsx3Engine
from app.storage.removals import RemovalKeeper
from tests.api.test_recordings import release_recordings
from tests.services.audio.ebur128 import measured
from tests.services.audio.recordings import make_decoder
from tests.services.reel.calls import VBR, objections, recording_of, store_call
from tests.services.reel.id3 import read_tag
from tests.settings import make_settings

TTS, ORIGINAL, NARRATED = ReelWish(), ReelWish(ReelSource.ORIGINAL), ReelWish(ReelSource.NARRATED)
ALL = MomentFilter()


class Witness(Pyttsx3Engine):
    """The real voice; counts its texts, and does ``first`` before each."""

    def __init__(self, folder: Path) -> None:
        super().__init__(make_settings(folder))
        self.texts: list[str] = []
        self.first: Callable[[str], object] = lambda text: None

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        self.texts.append(text)
        self.first(text)
        return super().synthesize(text, language, folder)


@pytest.fixture(scope="module")
def vbr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recording_of(objections(), tmp_path_factory.mktemp("vbr"), "call.mp3", *VBR)


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrated once, and copied for each test."""
    folder = tmp_path_factory.mktemp("empty")
    database = Database(make_settings(folder))
    prepare(database)
    database.dispose()
    return folder / "calls.db"


@pytest.fixture
def voice(tmp_path: Path) -> Witness:
    return Witness(tmp_path)


@pytest.fixture
def services(tmp_path: Path, voice: Witness, vbr: Path, empty_database: Path) -> Iterator[Services]:
    shutil.copy(empty_database, tmp_path)
    chain = EngineChain("tts", [voice], interval_s=3600)
    services = build_services(make_settings(tmp_path), tts_chain=chain)
    store_call(services, "CALL-1", vbr, objections())
    yield services
    services.database.dispose()


def content_of(services: Services, reel: Reel) -> bytes:
    return b"".join(services.reels.read(reel, 0, reel.audio_bytes))


def saved(services: Services, reel: Reel, folder: Path) -> Path:
    path = folder / f"{reel.reel_id}.mp3"
    path.write_bytes(content_of(services, reel))
    return path


def heard(path: Path, folder: Path) -> np.ndarray[Any, Any]:
    (scratch := folder / f"{path.name}-decoded").mkdir()
    return make_decoder().decode(path, scratch).read()


def stored_files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "data" / "audio").rglob("*") if path.is_file())


def kept_lines(folder: Path) -> list[Path]:
    return [path for path in (folder / "data" / "tts-cache" / "scopes").rglob("*") if path.is_file()]


def has_chime(sound: np.ndarray[Any, Any]) -> bool:
    """Whether somewhere in it the chime's tones stand out of their neighbourhood, both at once."""
    hertz = np.fft.rfftfreq(8_000, 1 / 16_000)
    for start in range(0, sound.size - 8_000, 1_600):
        spectrum = np.abs(np.fft.rfft(sound[start : start + 8_000] * np.hanning(8_000)))
        near = [spectrum[np.abs(hertz - pitch) < 6].max() for _, pitch in NOTES]
        distances = [np.abs(hertz - pitch) for _, pitch in NOTES]
        around = [spectrum[(apart > 12) & (apart < 45)].max() for apart in distances]
        if all(tone > 8 * rest for tone, rest in zip(near, around, strict=True)):
            return True
    return False


def test_original_is_the_clips_in_order_with_chapters_in_place(services: Services, tmp_path: Path) -> None:
    reel = services.reels.replay("CALL-1", ALL, ORIGINAL)

    assert [cue.subtype for cue in reel.cues] == [None, "price", "trust"]
    assert [cue.title for cue in reel.cues] == [
        "Buying signal (0:10)", "Objection: price (0:30)", "Objection: trust (1:04)",
    ]  # fmt: skip
    assert reel.engine == ""
    path = saved(services, reel, tmp_path)
    tag = read_tag(path.read_bytes())
    assert [chapter.title for chapter in tag.chapters] == [cue.title for cue in reel.cues]
    sound = heard(path, tmp_path)
    assert not has_chime(sound)
    assert sound.size / 16_000 == pytest.approx(reel.duration_s, abs=0.06)
    words = [word for part in objections().segments for word in part.segment.words]
    levels = np.abs(sound)[: sound.size // 160 * 160].reshape(-1, 160).max(axis=1) > 0.02
    for cue, chapter in zip(reel.cues, tag.chapters, strict=True):
        assert chapter.start_ms / 1000 == pytest.approx(cue.start_s, abs=0.001)
        inside = [word for word in words if word.start_s >= cue.call_start_s and word.end_s <= cue.call_end_s]
        places = np.flatnonzero(levels[round(cue.start_s * 100) : round(cue.end_s * 100)]) / 100
        assert places[0] == pytest.approx(inside[0].start_s - cue.call_start_s, abs=0.05)
        assert places[-1] == pytest.approx(inside[-1].end_s - cue.call_start_s, abs=0.05)
        assert cue.end_s - cue.start_s == pytest.approx(cue.call_end_s - cue.call_start_s, abs=0.001)


def test_narrated_is_intro_chime_clip_and_tip_all_equally_loud(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    reel = services.reels.replay("CALL-1", MomentFilter(types=("objection",)), NARRATED)

    assert sorted(voice.texts) == sorted([
        "Objection, price, 30 seconds.", "Ask about the price.",
        "Objection, trust, 1 minute 4.", "Ask about the trust.",
    ])  # fmt: skip
    assert reel.engine == "pyttsx3:espeak-ng"
    assert not reel.unspoken
    path = saved(services, reel, tmp_path)
    lufs, peak = measured(path)
    assert lufs == pytest.approx(-16.0, abs=1.0)
    assert peak <= -1.0
    sound = heard(path, tmp_path)
    for cue in reel.cues:
        part, _ = measured(path, cue.start_s, cue.end_s)
        assert part == pytest.approx(-16.0, abs=1.5)
        moment = sound[round(cue.start_s * 16_000) : round(cue.end_s * 16_000)]
        assert has_chime(moment)
        assert cue.end_s - cue.start_s > cue.call_end_s - cue.call_start_s + 2.0


def test_filters_leave_what_is_asked_for(services: Services) -> None:
    def subtypes(**filters: Any) -> list[str | None]:
        reel = services.reels.replay("CALL-1", MomentFilter(**filters), ORIGINAL)
        return [cue.subtype for cue in reel.cues]

    assert subtypes(types=("objection",)) == ["price", "trust"]
    assert subtypes(subtypes=("trust", "need")) == ["trust"]
    assert subtypes(role="agent") == [None]
    assert subtypes(min_confidence=0.75) == [None, "trust"]
    with pytest.raises(NoCoachableMoments, match="of the kind"):
        services.reels.replay("CALL-1", MomentFilter(min_confidence=0.95), ORIGINAL)


def test_max_seconds_keeps_the_surest_in_order_of_time(services: Services) -> None:
    everything = services.reels.replay("CALL-1", ALL, ORIGINAL)
    lengths = {cue.subtype: cue.end_s - cue.start_s for cue in everything.cues}
    room_s = lengths[None] + 0.7 + lengths["trust"] + 0.1

    reel = services.reels.replay("CALL-1", ALL, replace(ORIGINAL, max_seconds=room_s))

    assert [(cue.subtype, cue.confidence) for cue in reel.cues] == [(None, 0.9), ("trust", 0.8)]
    assert reel.duration_s <= room_s
    assert reel.duration_s < everything.duration_s
    with pytest.raises(NoMomentFits, match=r"no moment fits into 1 s; the shortest takes about \d s"):
        services.reels.replay("CALL-1", ALL, replace(ORIGINAL, max_seconds=1))


@pytest.mark.parametrize("source", [ReelSource.TTS, ReelSource.NARRATED])
def test_max_seconds_holds_with_voices(source: ReelSource, services: Services, voice: Witness) -> None:
    everything = services.reels.replay("CALL-1", ALL, ReelWish(source))
    surest = everything.cues[0].end_s - everything.cues[0].start_s

    reel = services.reels.replay("CALL-1", ALL, ReelWish(source, max_seconds=surest + 0.5))

    assert [cue.confidence for cue in reel.cues] == [0.9]
    assert reel.duration_s <= surest + 0.5
    spoken = len(voice.texts)
    with pytest.raises(NoMomentFits):
        services.reels.replay("CALL-1", ALL, ReelWish(source, max_seconds=0.5))
    assert len(voice.texts) == spoken  # nobody speaks to find out that


def test_the_same_request_is_rendered_once(services: Services, voice: Witness, tmp_path: Path) -> None:
    first = services.reels.replay("CALL-1", ALL, NARRATED)
    files, texts = stored_files(tmp_path), len(voice.texts)

    assert services.reels.replay("CALL-1", ALL, NARRATED) == first
    assert services.reels.find(first.reel_id) == first
    assert (stored_files(tmp_path), len(voice.texts)) == (files, texts)
    assert services.reels.replay("CALL-1", MomentFilter(role="agent"), NARRATED).reel_id != first.reel_id
    assert len(voice.texts) == texts  # each line is kept, too


def test_equal_requests_at_once_render_once(services: Services, tmp_path: Path) -> None:
    before = len(stored_files(tmp_path))
    with ThreadPoolExecutor(6) as pool:
        reels = list(pool.map(lambda _: services.reels.replay("CALL-1", ALL, ORIGINAL), range(6)))
    assert len({reel.audio_key for reel in reels}) == 1
    assert len(stored_files(tmp_path)) == before + 1


def test_a_reel_goes_with_its_call_and_with_its_recording(
    services: Services, vbr: Path, tmp_path: Path
) -> None:
    store_call(services, "CALL-2", vbr, objections("CALL-2"))
    both = [MomentRef(call_id, objections(call_id).moments[1].id) for call_id in ("CALL-1", "CALL-2")]
    shared = services.reels.of_moments(both, ORIGINAL)
    own = services.reels.replay("CALL-2", ALL, NARRATED)
    assert len(stored_files(tmp_path)) == 4

    services.calls.delete("CALL-1")

    with pytest.raises(ReelNotFound):
        services.reels.find(shared.reel_id)
    assert len(stored_files(tmp_path)) == 2
    assert services.reels.find(own.reel_id) == own
    services.calls.delete("CALL-2")
    assert stored_files(tmp_path) == []
    assert kept_lines(tmp_path) == []


def test_a_reel_goes_when_time_takes_the_recording(services: Services, tmp_path: Path) -> None:
    reels = [services.reels.replay("CALL-1", ALL, wish) for wish in (ORIGINAL, NARRATED)]
    release_recordings(services)
    assert stored_files(tmp_path) == []
    for reel in reels:
        with pytest.raises(ReelNotFound):
            services.reels.find(reel.reel_id)
    for wish in (ORIGINAL, NARRATED):
        with pytest.raises(AudioDeleted):
            services.reels.replay("CALL-1", ALL, wish)
    assert services.reels.replay("CALL-1", ALL, TTS).cues


def test_what_is_analysed_anew_is_rendered_anew(services: Services) -> None:
    first = services.reels.replay("CALL-1", ALL, ORIGINAL)
    fewer = replace(objections(), segments=objections().segments[:2])
    with services.database.session() as session:
        ResultRepository(session).add("CALL-1", fewer, datetime.now(UTC))

    with pytest.raises(ReelNotFound):
        services.reels.find(first.reel_id)
    assert len(services.reels.replay("CALL-1", ALL, ORIGINAL).cues) == 2
    services.reels.sweep()
    with services.database.session() as session:
        ResultRepository(session).add("CALL-1", objections(), datetime.now(UTC))
    assert len(services.reels.replay("CALL-1", ALL, ORIGINAL).cues) == 3


def test_a_call_that_is_deleted_while_its_reel_is_made_leaves_nothing(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    def delete(text: str) -> None:
        if text == "Ask about the trust.":
            services.calls.delete("CALL-1")

    voice.first = delete
    with pytest.raises((CallNotFound, AudioMissing)):
        services.reels.replay("CALL-1", ALL, NARRATED)
    assert stored_files(tmp_path) == []
    assert kept_lines(tmp_path) == []


def test_a_call_that_is_deleted_when_its_reel_is_done_leaves_nothing(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ReelShelf.store

    def delete_then_store(shelf: ReelShelf, path: Path) -> Any:
        services.calls.delete("CALL-1")
        return store(shelf, path)

    monkeypatch.setattr(ReelShelf, "store", delete_then_store)
    with pytest.raises(CallNotFound):
        services.reels.replay("CALL-1", ALL, ORIGINAL)
    assert stored_files(tmp_path) == []


def test_a_line_that_cannot_be_spoken_is_a_chime_and_says_so(
    services: Services, voice: Witness, tmp_path: Path
) -> None:
    def fail(text: str) -> None:
        if re.search("price", text):
            raise StageFailed("tts", "out of breath")

    voice.first = fail
    before = services.calls.read("CALL-1")

    told = services.reels.replay("CALL-1", ALL, TTS)
    narrated = services.reels.replay("CALL-1", ALL, NARRATED)

    assert [cue.unspoken for cue in told.cues] == [(), ("moment",), ()]
    assert [cue.unspoken for cue in narrated.cues] == [(), ("intro", "tip"), ()]
    assert (told.unspoken, narrated.unspoken) == (1, 1)
    assert told.engine == narrated.engine == "pyttsx3:espeak-ng"
    cue = told.cues[1]
    sound = heard(saved(services, told, tmp_path), tmp_path)
    part = sound[round(cue.start_s * 16_000) : round(cue.end_s * 16_000)]
    assert has_chime(part)
    assert services.calls.read("CALL-1") == before
    # A reel that lacks something is served, and made again when it is asked for.
    assert services.reels.find(told.reel_id) == told
    voice.first = lambda text: None
    whole = services.reels.replay("CALL-1", ALL, TTS)
    assert (whole.reel_id, whole.unspoken) == (told.reel_id, 0)
    with pytest.raises(ReelNotFound):
        services.reels.read(told, 0, 1)


def test_without_any_voice_recordings_are_heard_and_a_reel_of_speech_fails(
    services: Services, voice: Witness
) -> None:
    def fail(text: str) -> None:
        raise StageFailed("tts", "out of breath")

    voice.first = fail
    with pytest.raises(StageFailed, match="out of breath"):
        services.reels.replay("CALL-1", ALL, TTS)
    reel = services.reels.replay("CALL-1", ALL, NARRATED)
    assert [cue.unspoken for cue in reel.cues] == [("intro", "tip")] * 3
    assert reel.engine == ""
    assert len(voice.texts) == 3 + 3  # after three failures in a row no more is tried


def test_recordings_that_are_missing_say_so(services: Services, tmp_path: Path) -> None:
    for path in (tmp_path / "data" / "audio").rglob("*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(AudioMissing):
        services.reels.replay("CALL-1", ALL, ORIGINAL)


def test_a_reel_whose_file_is_missing_is_made_again(services: Services, tmp_path: Path) -> None:
    reel = services.reels.replay("CALL-1", ALL, ORIGINAL)
    services.storage.delete(reel.audio_key)
    with pytest.raises(ReelNotFound):
        services.reels.read(reel, 0, 1)
    assert content_of(services, services.reels.replay("CALL-1", ALL, ORIGINAL))


def test_old_reels_and_too_many_are_swept(services: Services, tmp_path: Path) -> None:
    def shelf(**bounds: Any) -> ReelShelf:
        limits = {"kept": timedelta(days=7), "limit_bytes": 2**30, **bounds}
        return ReelShelf(services.database, RemovalKeeper(services.storage), **limits)

    first = services.reels.replay("CALL-1", MomentFilter(role="agent"), ORIGINAL)
    second = services.reels.replay("CALL-1", MomentFilter(role="customer"), ORIGINAL)
    assert len(stored_files(tmp_path)) == 3
    assert shelf().remove_due() == 0
    assert shelf(limit_bytes=second.audio_bytes).remove_due() == 1
    assert shelf().find(first.reel_id) is None
    assert shelf().find(second.reel_id) == second

    def in_a_week() -> datetime:
        return datetime.now(UTC) + timedelta(days=7, seconds=1)

    assert shelf(clock=in_a_week).find(second.reel_id) is None
    assert shelf(clock=in_a_week).remove_due() == 1
    assert len(stored_files(tmp_path)) == 1


class TestSeveralCalls:
    @pytest.fixture(autouse=True)
    def _more_calls(self, services: Services, vbr: Path) -> None:
        now = datetime.now(UTC)
        for number, agent in ((2, "agent-1"), (3, "agent-2")):
            call_id = f"CALL-{number}"
            fields = {"agent_id": agent, "created_at": now - timedelta(days=number)}
            store_call(services, call_id, vbr, objections(call_id), **fields)

    def test_moments_by_name_keep_their_order_and_chapters_name_the_call(
        self, services: Services, voice: Witness
    ) -> None:
        refs = [
            MomentRef("CALL-3", objections("CALL-3").moments[2].id),
            MomentRef("CALL-1", objections("CALL-1").moments[1].id),
            MomentRef("CALL-3", objections("CALL-3").moments[2].id),
        ]
        reel = services.reels.of_moments(refs, NARRATED)
        assert [cue.title for cue in reel.cues] == [
            "CALL-3 \N{MIDDLE DOT} Objection: trust (1:04)", "CALL-1 \N{MIDDLE DOT} Objection: price (0:30)",
        ]  # fmt: skip
        assert "Call 1, objection, trust, 1 minute 4." in voice.texts
        assert "Call 2, objection, price, 30 seconds." in voice.texts
        assert reel.call_ids == ("CALL-3", "CALL-1")

    def test_moments_by_filters_come_oldest_call_first(self, services: Services) -> None:
        def shown(calls: CallFilter, room_s: float | None = None, **filters: Any) -> list[tuple[Any, Any]]:
            wish = replace(ORIGINAL, max_seconds=room_s)
            reel = services.reels.of_calls(calls, MomentFilter(**filters), wish)
            return [(cue.call_id, cue.subtype) for cue in reel.cues]

        price = {"types": ("objection",), "subtypes": ("price",)}
        assert shown(CallFilter(), **price) == [("CALL-3", "price"), ("CALL-2", "price"), ("CALL-1", "price")]
        assert shown(CallFilter(agent_id="agent-2"), **price) == [("CALL-3", "price")]
        since = datetime.now(UTC) - timedelta(days=2.5)
        assert shown(CallFilter(date_from=since), **price) == [("CALL-2", "price"), ("CALL-1", "price")]
        assert shown(CallFilter(), min_confidence=0.85) == [(f"CALL-{number}", None) for number in (3, 2, 1)]
        assert shown(CallFilter(), role="agent") == [(f"CALL-{number}", None) for number in (3, 2, 1)]
        assert shown(CallFilter(), 6, min_confidence=0.85) == [("CALL-3", None)]
        with pytest.raises(NoCoachableMoments):
            shown(CallFilter(agent_id="nobody"))

    def test_calls_without_a_recording_are_passed_over_unless_they_are_named(
        self, services: Services
    ) -> None:
        with services.database.session() as session:
            now = datetime.now(UTC)
            RetentionRepository(session).release_recordings(now - timedelta(days=2.5), now, 10)
        price = MomentFilter(subtypes=("price",))
        assert services.reels.of_calls(CallFilter(), price, ORIGINAL).call_ids == ("CALL-2", "CALL-1")
        assert services.reels.of_calls(CallFilter(), price, TTS).call_ids == ("CALL-3", "CALL-2", "CALL-1")
        with pytest.raises(AudioDeleted):
            services.reels.of_moments([MomentRef("CALL-3", objections("CALL-3").moments[0].id)], ORIGINAL)

    def test_what_is_not_there(self, services: Services) -> None:
        with pytest.raises(MomentNotFound):
            services.reels.of_moments([MomentRef("CALL-1", "m_none")], ORIGINAL)
        with pytest.raises(CallNotFound):
            services.reels.of_moments([MomentRef("NONE", "m_none")], ORIGINAL)
