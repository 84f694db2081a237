"""Loudness as EBU R128 has it, held to ffmpeg's measurement of the same sound."""

from __future__ import annotations

import math
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services.audio.encoder import RATE
from app.services.audio.loudness import (
    CEILING_DBTP,
    MOST_GAIN_DB,
    TARGET_LUFS,
    integrated_lufs,
    levelled,
    true_peak_dbtp,
)
from tests.services.audio.ebur128 import measured
from tests.services.audio.recordings import make_decoder, real_recordings, write_wav

Samples = np.ndarray[Any, Any]


def speech_like(seconds: float, level: float, seed: int = 1) -> Samples:
    """A buzz in syllables of changing strength, with pauses."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE)) / RATE
    buzz = sum(np.sin(2 * np.pi * 130 * order * time + order) / order for order in range(1, 30))
    syllables = np.repeat(random.uniform(0.1, 1.0, math.ceil(seconds * 5)), RATE // 5)[: time.size]
    pauses = np.repeat(random.random(math.ceil(seconds)) > 0.3, RATE)[: time.size]
    return (level * buzz * syllables * (pauses | (time < 1)) / 3).astype("f4")


def click_track() -> Samples:
    """Faint noise with a loud click each second: the worst that peaks can be."""
    sound = (0.02 * np.random.default_rng(2).standard_normal(8 * RATE)).astype("f4")
    sound[RATE // 2 :: RATE] = 0.95
    return sound


MADE = {
    "speech": partial(speech_like, 12, 0.5),
    "faint": partial(speech_like, 12, 0.05, 3),
    "loud": lambda: np.clip(speech_like(12, 4.0, 4), -1, 1),
    "long": partial(speech_like, 95, 0.2, 5),
    "tone": lambda: (0.1 * np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)).astype("f4"),
    "clicks": click_track,
}


@cache
def sound_of(name: str) -> Samples:
    """Made when it is first heard, and not by whoever merely looks for tests."""
    sound: Samples = MADE[name]()
    sound.setflags(write=False)
    return sound


@pytest.mark.parametrize("name", MADE)
def test_it_is_measured_as_ffmpeg_measures_it(name: str, tmp_path: Path) -> None:
    sound = sound_of(name)
    lufs, peak = measured(write_wav(tmp_path / "a.wav", sound, RATE))
    assert integrated_lufs([sound], RATE) == pytest.approx(lufs, abs=0.1)
    assert true_peak_dbtp(sound) == pytest.approx(peak, abs=0.2)


@pytest.mark.parametrize("size", [1_001, 24_000, 777_777])
def test_it_is_the_same_piece_by_piece(size: int) -> None:
    sound = sound_of("long")
    parts = [sound[start : start + size] for start in range(0, sound.size, size)]
    assert integrated_lufs(parts, RATE) == pytest.approx(integrated_lufs([sound], RATE), abs=0.01)


@pytest.mark.parametrize("name", ["speech", "faint", "loud", "long"])
def test_levelled_it_is_at_the_target_and_below_the_ceiling(name: str, tmp_path: Path) -> None:
    made = levelled(sound_of(name), RATE)
    lufs, peak = measured(write_wav(tmp_path / "a.wav", made, RATE))
    assert lufs == pytest.approx(TARGET_LUFS, abs=0.5)
    assert peak <= CEILING_DBTP + 0.1


def test_a_click_is_limited_and_the_rest_is_not(tmp_path: Path) -> None:
    sound = sound_of("clicks")
    made = levelled(sound, RATE)
    _, peak = measured(write_wav(tmp_path / "a.wav", made, RATE))
    assert peak <= CEILING_DBTP + 0.1
    gains = made[:1000] / sound[:1000], made[RATE : RATE + 1000] / sound[RATE : RATE + 1000]
    assert np.median(gains[0]) == pytest.approx(np.median(gains[1]), rel=0.01)


def test_noise_is_not_raised_without_end() -> None:
    hiss = (0.001 * np.random.default_rng(1).standard_normal(3 * RATE)).astype("f4")
    assert levelled(hiss, RATE) == pytest.approx(hiss * 10 ** (MOST_GAIN_DB / 20), rel=1e-3)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 2.0])
def test_silence_stays_silence(seconds: float) -> None:
    silence = np.zeros(round(seconds * RATE), dtype="f4")
    assert integrated_lufs([silence], RATE) is None
    assert np.array_equal(levelled(silence, RATE), silence)


@pytest.mark.parametrize("seconds", [0.05, 0.25])
def test_a_short_word_is_levelled_as_if_it_went_on(seconds: float) -> None:
    time = np.arange(round(seconds * RATE)) / RATE
    word = (0.01 * np.sin(2 * np.pi * 440 * time)).astype("f4")
    found = integrated_lufs([levelled(word, RATE)], RATE)
    assert found == pytest.approx(TARGET_LUFS, abs=1)


@pytest.mark.parametrize("file", ["azure_katiesteve_mono.wav", "apollo11_noisy.mp3", "jfk_16k.wav"])
def test_real_recordings_are_levelled(file: str, tmp_path: Path) -> None:
    path = next((each.path for each in real_recordings() if each.file == file), None)
    if path is None:
        pytest.skip("the real recordings are not beside the repository")
    heard = make_decoder().decode(path, tmp_path).read()
    lufs, peak = measured(write_wav(tmp_path / "a.wav", levelled(heard, 16_000), 16_000))
    assert lufs == pytest.approx(TARGET_LUFS, abs=0.5)
    assert peak <= CEILING_DBTP + 0.1
