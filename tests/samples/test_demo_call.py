"""The demo call: its words, its sound, and that the two belong together."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.schemas.audio import SAMPLE_RATE, Span
from app.services.audio_service import AudioService
from tests.settings import make_settings

ROOT = Path(__file__).resolve().parents[2]
CALL = ROOT / "samples" / "demo_call.mp3"
TURNS = json.loads((ROOT / "samples" / "demo_call.json").read_text(encoding="utf-8"))["turns"]
FRAME_S = 0.02
SILENT = 0.003
"""Root mean square under which a frame holds no speech."""
TURN_GAP_S = 0.5

Samples = NDArray[np.float32]


def decode(path: Path, folder: Path) -> Samples:
    folder.mkdir()
    return AudioService(make_settings(folder)).decode(path, folder).read()


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return decode(CALL, tmp_path_factory.mktemp("demo") / "call")


def stretches(samples: Samples) -> list[Span]:
    """Speech between silences that are long enough to part two turns."""
    size = round(FRAME_S * SAMPLE_RATE)
    frames = samples[: samples.size // size * size].reshape(-1, size)
    loud = np.flatnonzero(np.sqrt(np.square(frames).mean(axis=1)) > SILENT) * FRAME_S
    breaks = np.flatnonzero(np.diff(loud) > TURN_GAP_S)
    starts = loud[np.concatenate(([0], breaks + 1))]
    ends = loud[np.concatenate((breaks, [-1]))] + FRAME_S
    return [Span(float(start), float(end)) for start, end in zip(starts, ends, strict=True)]


def speech_level_db(samples: Samples) -> float:
    size = round(FRAME_S * SAMPLE_RATE)
    power = np.square(samples[: samples.size // size * size].reshape(-1, size)).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def test_the_words_are_a_conversation() -> None:
    assert [turn["role"] for turn in TURNS] == [("agent", "customer")[at % 2] for at in range(len(TURNS))]
    assert all(turn["text"].strip() and turn["text"].isascii() for turn in TURNS)
    assert not any(character.isdigit() for turn in TURNS for character in turn["text"])


def test_the_file_is_small_and_of_the_promised_length(call: Samples) -> None:
    assert CALL.stat().st_size < 1_000_000
    assert 60 <= call.size / SAMPLE_RATE <= 120


def test_it_is_loud_enough_and_never_clipped(call: Samples) -> None:
    assert 0.25 < np.abs(call).max() < 0.95
    assert abs(float(call.mean())) < 0.01


def test_each_turn_takes_as_long_as_its_words(call: Samples) -> None:
    spoken = stretches(call)
    assert len(spoken) == len(TURNS)
    for turn, span in zip(TURNS, spoken, strict=True):
        assert 1.8 < len(turn["text"].split()) / span.length_s < 4.5, turn["text"]


def test_turns_are_parted_by_natural_pauses(call: Samples) -> None:
    spoken = stretches(call)
    pauses = [later.start_s - earlier.end_s for earlier, later in pairwise(spoken)]
    assert all(0.55 < pause < 1.1 for pause in pauses)


def test_neither_voice_is_louder(call: Samples) -> None:
    levels = [
        speech_level_db(call[round(span.start_s * SAMPLE_RATE) : round(span.end_s * SAMPLE_RATE)])
        for span in stretches(call)
    ]
    assert max(levels) - min(levels) < 1


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_the_script_makes_this_very_call(call: Samples, tmp_path: Path) -> None:
    script = ROOT / "scripts" / "make_demo_call.py"
    made = tmp_path / "made.mp3"
    subprocess.run([sys.executable, str(script), "--output", str(made)], check=True, capture_output=True)
    again = decode(made, tmp_path / "again")
    assert abs(again.size - call.size) < 0.1 * SAMPLE_RATE
    length = min(again.size, call.size)
    assert np.corrcoef(again[:length], call[:length])[0, 1] > 0.9
