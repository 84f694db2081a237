"""What every engine that tells speakers apart promises, asked of each that the registry knows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio, ChannelKind, ChannelLayout, Span
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript, Word
from app.services.diarization.base import DiarizationEngine, DiarizationRequest
from app.services.diarization.registry import DIARIZATION_ENGINES

NAMES = pytest.mark.parametrize("name", DIARIZATION_ENGINES.names())
GAPS_S = (0.05, 0.1, 0.6, 0.02, 1.5, 0.3, 0.7, 0.0, 2.5, 0.1)
PITCHES_HZ = (110, 210)


def make_engine(name: str) -> DiarizationEngine:
    """Loaded; the test is skipped where the engine's library or weights are not on this machine."""
    engine = DIARIZATION_ENGINES.create(name, Settings(_env_file=None))
    seen = engine.availability()
    if seen.state is not EngineState.READY:
        pytest.skip(f"{name}: {seen.reason}")
    engine.load()
    return engine


def make_transcript(*, channels: bool) -> Transcript:
    """Thirty words, three at a time by the same party."""
    words = []
    at_s = 0.3
    for index, gap_s in enumerate(GAPS_S * 3):
        channel = index // 3 % 2 if channels else None
        words.append(Word(f"word{index}", at_s, at_s + 0.4, channel=channel))
        at_s += 0.4 + gap_s
    return Transcript(tuple(words), "en")


def buzz(duration_s: float, pitch_hz: float) -> np.ndarray:
    """Something like a voice: the overtones of a pitch that moves a little."""
    time = np.arange(round(duration_s * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * pitch_hz * (time + 0.01 * np.sin(2 * np.pi * 3 * time))
    return sum((np.sin(overtone * phase) / overtone for overtone in range(1, 20)), np.zeros_like(time)) / 8


def make_request(engine: DiarizationEngine, folder: Path, *, silent: bool = False) -> DiarizationRequest:
    """A recording of two parties, in one channel or (for an engine that wants it so) in two."""
    apart = engine.capabilities.per_channel
    transcript = Transcript((), None) if silent else make_transcript(channels=apart)
    duration_s = transcript.words[-1].end_s + 0.5 if transcript.words else 1.0
    parties = np.zeros((round(duration_s * SAMPLE_RATE), 2))
    for index, word in enumerate(transcript.words):
        first, party = round(word.start_s * SAMPLE_RATE), index // 3 % 2
        sound = buzz(word.end_s - word.start_s, PITCHES_HZ[party])
        parties[first : first + len(sound), party] += sound
    channels = parties if apart else parties.mean(axis=1, keepdims=True)
    path = folder / "audio.pcm"
    np.round(channels * 32767).astype("<i2").tofile(path)
    audio = Audio(path, len(channels), channel_count=channels.shape[1])
    voices = (audio.of_channel(0), audio.of_channel(1)) if apart else (audio,)
    kind = ChannelKind.SEPARATE if apart else ChannelKind.MONO
    levels = (-20.0,) * -(-len(channels) // SAMPLE_RATE)
    speech = tuple(
        tuple(
            Span(word.start_s, word.end_s)
            for word in transcript.words
            if word.channel in (None, voice.channel)
        )
        for voice in voices
    )
    return DiarizationRequest(ChannelLayout(kind, voices, (levels,) * len(voices)), speech, transcript)


@NAMES
def test_the_recording_fits(name: str, tmp_path: Path) -> None:
    engine = make_engine(name)
    assert engine.unfit(make_request(engine, tmp_path).layout) is None


@NAMES
def test_turns_are_in_order_and_meet_every_word(name: str, tmp_path: Path) -> None:
    engine = make_engine(name)
    request = make_request(engine, tmp_path)
    turns = engine.diarize(request)
    assert [turn.start_s for turn in turns] == sorted(turn.start_s for turn in turns)
    assert all(turn.start_s < turn.end_s for turn in turns)
    for word in request.transcript.words:
        meant = [turn for turn in turns if turn.channel in (None, word.channel)]
        assert any(turn.start_s < word.end_s and word.start_s < turn.end_s for turn in meant)


@NAMES
def test_speakers_are_numbered_as_they_appear(name: str, tmp_path: Path) -> None:
    engine = make_engine(name)
    turns = engine.diarize(make_request(engine, tmp_path))
    numbers = list(dict.fromkeys(turn.speaker for turn in turns))
    assert numbers == list(range(len(numbers)))


@NAMES
@pytest.mark.parametrize("num_speakers", [1, 2, 3])
def test_never_more_speakers_than_there_are(name: str, num_speakers: int, tmp_path: Path) -> None:
    engine = make_engine(name)
    request = replace(make_request(engine, tmp_path), num_speakers=num_speakers)
    assert len({turn.speaker for turn in engine.diarize(request)}) <= num_speakers


@NAMES
def test_no_words_and_no_speech(name: str, tmp_path: Path) -> None:
    engine = make_engine(name)
    assert engine.diarize(make_request(engine, tmp_path, silent=True)) == ()


@NAMES
def test_the_same_input_gives_the_same_turns(name: str, tmp_path: Path) -> None:
    engine = make_engine(name)
    request = make_request(engine, tmp_path)
    first = engine.diarize(request)
    assert engine.diarize(request) == first
    assert make_engine(name).diarize(request) == first


@NAMES
def test_what_the_engine_says_of_itself(name: str) -> None:
    engine = DIARIZATION_ENGINES.create(name, Settings(_env_file=None))
    assert engine.name == name
    assert engine.label.partition(":")[0] == name
    assert not engine.capabilities.sends_data_out
    seen = engine.availability()
    assert seen.state is EngineState.READY or (seen.reason and seen.fix)
