"""What every engine that tells speakers apart promises, asked of each that the registry knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.core.config import Settings
from app.schemas.audio import SAMPLE_RATE, Audio
from app.schemas.engine import EngineState
from app.schemas.transcript import Transcript, Word
from app.services.diarization.base import DiarizationEngine
from app.services.diarization.registry import DIARIZATION_ENGINES

NAMES = pytest.mark.parametrize("name", DIARIZATION_ENGINES.names())
GAPS_S = (0.05, 0.1, 0.6, 0.02, 1.5, 0.3, 0.7, 0.0, 2.5, 0.1)


def make_engine(name: str) -> DiarizationEngine:
    engine = DIARIZATION_ENGINES.create(name, Settings(_env_file=None))
    engine.load()
    return engine


def make_transcript() -> Transcript:
    words = []
    at_s = 0.3
    for index, gap_s in enumerate(GAPS_S * 3):
        words.append(Word(f"word{index}", at_s, at_s + 0.4))
        at_s += 0.4 + gap_s
    return Transcript(tuple(words), "en")


def make_audio(folder: Path, transcript: Transcript) -> Audio:
    duration_s = transcript.words[-1].end_s + 0.5 if transcript.words else 1.0
    samples = np.zeros(round(duration_s * SAMPLE_RATE), dtype="<i2")
    path = folder / "audio.pcm"
    samples.tofile(path)
    return Audio(path, len(samples))


@NAMES
def test_turns_are_in_order_and_cover_every_word(name: str, tmp_path: Path) -> None:
    transcript = make_transcript()
    turns = make_engine(name).diarize(make_audio(tmp_path, transcript), transcript)
    assert [turn.start_s for turn in turns] == sorted(turn.start_s for turn in turns)
    assert all(turn.start_s <= turn.end_s for turn in turns)
    for word in transcript.words:
        assert any(turn.start_s <= word.start_s and word.end_s <= turn.end_s for turn in turns)


@NAMES
def test_speakers_are_numbered_as_they_appear(name: str, tmp_path: Path) -> None:
    transcript = make_transcript()
    turns = make_engine(name).diarize(make_audio(tmp_path, transcript), transcript)
    numbers = list(dict.fromkeys(turn.speaker for turn in turns))
    assert numbers == list(range(len(numbers)))


@NAMES
def test_no_words_no_turns(name: str, tmp_path: Path) -> None:
    silence = Transcript((), None)
    assert make_engine(name).diarize(make_audio(tmp_path, silence), silence) == ()


@NAMES
def test_the_same_input_gives_the_same_turns(name: str, tmp_path: Path) -> None:
    transcript = make_transcript()
    audio = make_audio(tmp_path, transcript)
    engine = make_engine(name)
    first = engine.diarize(audio, transcript)
    assert engine.diarize(audio, transcript) == first
    assert make_engine(name).diarize(audio, transcript) == first


@NAMES
def test_what_the_engine_says_of_itself(name: str) -> None:
    engine = make_engine(name)
    assert engine.name == name
    assert engine.label.partition(":")[0] == name
    assert not engine.capabilities.sends_data_out
    seen = engine.availability()
    assert seen.state is EngineState.READY or (seen.reason and seen.fix)
