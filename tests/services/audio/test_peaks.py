"""Peaks of a recording: where they are, how many, and by channel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.schemas.audio import SAMPLE_RATE, Audio
from app.services.audio import peaks
from app.services.audio.peaks import MOST_STEPS, peaks_of


def _audio(folder: Path, frames: np.ndarray) -> Audio:
    path = folder / "audio.pcm"
    frames.astype("<i2").tofile(path)
    return Audio(path, len(frames), channel_count=frames.shape[1])


def test_each_channel_has_its_own(tmp_path: Path) -> None:
    frames = np.zeros((SAMPLE_RATE, 2))
    frames[100, 0], frames[SAMPLE_RATE // 2, 1] = -32768, 16384
    frames[-1] = 1, -1
    found = peaks_of(_audio(tmp_path, frames))
    assert found.step_s == 0.02
    left, right = found.channels
    assert (len(left), len(right)) == (50, 50)
    assert [(place, level) for place, level in enumerate(left) if level] == [(0, 255), (49, 1)]
    assert [(place, level) for place, level in enumerate(right) if level] == [(25, 128), (49, 1)]


@pytest.mark.parametrize("samples", [1, 319, 320, 321, 4000 * 320, 4000 * 320 + 1, 2_000_003])
def test_there_are_never_more_than_so_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, samples: int
) -> None:
    monkeypatch.setattr(peaks, "BLOCK_SAMPLES", 100_000)
    frames = np.random.default_rng(samples).integers(-32768, 32768, (samples, 1))
    found = peaks_of(_audio(tmp_path, frames))
    (levels,) = found.channels
    step = round(found.step_s * SAMPLE_RATE)
    assert len(levels) == -(-samples // step) <= MOST_STEPS
    for place in (0, len(levels) // 2, len(levels) - 1):
        loudest = np.abs(frames[place * step : (place + 1) * step]).max()
        assert levels[place] == np.ceil(loudest * 255 / 32768)


def test_nothing_has_no_peaks(tmp_path: Path) -> None:
    assert peaks_of(_audio(tmp_path, np.zeros((0, 2)))).channels == (b"", b"")
