"""Mel spectra are those of the definition, whole or in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.diarization import mel
from app.services.diarization.mel import BANDS, FRAMES_PER_S, filters, frame_count, mel_of_frames, mel_power
from tests.services.diarization.calls import store

# Power of one second of a 1 kHz sine of amplitude 0.5, and of a unit impulse at sample 800, as librosa 0.11
# gives them: melspectrogram(y=y, sr=16000, n_fft=400, hop_length=160, n_mels=40).
SINE_FRAME_50 = [0.0, 0.0, 22.1052, 26.13, 0.782134, 0.0, 0.0, 0.0]
IMPULSE_FRAME_5 = [0.024809, 0.024809, 0.024184, 0.0247894, 0.025049]


def sine(hertz: float, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * 16_000)) / 16_000
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_a_sine_gives_the_reference_values() -> None:
    found = mel_power(sine(1000.0))
    assert found.shape == (101, BANDS)
    assert found[50, 10:18] == pytest.approx(SINE_FRAME_50, rel=1e-4, abs=1e-7)


def test_an_impulse_gives_the_reference_values() -> None:
    samples = np.zeros(16_000, dtype=np.float32)
    samples[800] = 1.0
    found = mel_power(samples)
    assert found[5, ::8] == pytest.approx(IMPULSE_FRAME_5, rel=1e-4)
    assert not found[10:].any()


def test_bands_agree_with_the_transform_written_out() -> None:
    samples = np.random.default_rng(1).normal(0.0, 0.1, 4000).astype(np.float32)
    frame = samples[1600 - 200 : 1600 + 200].astype(np.float64)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    power = np.abs(turns @ (frame * window)) ** 2
    assert mel_power(samples)[10] == pytest.approx(power @ filters(), rel=1e-4)


def test_each_band_has_the_area_of_slaneys_filters() -> None:
    """A triangle of height 2 / width has area 1 in hertz; bins are 40 Hz wide."""
    assert filters().shape == (201, BANDS)
    assert filters().sum(axis=0)[10:] * 40.0 == pytest.approx(np.ones(BANDS - 10), rel=0.12)


@given(st.floats(0.01, 100.0))
def test_power_grows_with_the_square_of_the_level(factor: float) -> None:
    samples = sine(440.0, 0.1)
    assert mel_power(samples * np.float32(factor)) == pytest.approx(
        mel_power(samples) * factor**2, rel=1e-3, abs=1e-6 * factor**2
    )


@pytest.mark.parametrize("first", [0, 1, 57, 99, 100])
def test_blocks_read_from_the_file_are_parts_of_the_whole(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mel, "BLOCK_FRAMES", 30)
    audio = store(np.random.default_rng(2).normal(0.0, 0.1, FRAMES_PER_S * 160 + 77), tmp_path / "a.pcm")
    whole = mel_power(audio.read())
    assert frame_count(audio) == len(whole)
    assert mel_of_frames(audio, first, 40) == pytest.approx(whole[first : first + 40], rel=1e-5)
