"""Made-up talk for tests of channels: bursts of coloured noise with pauses, like syllables and sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from app.schemas.audio import SAMPLE_RATE, Audio, Span

Samples = np.ndarray[Any, Any]

SYLLABLE = SAMPLE_RATE // 5


def db(factor_db: float) -> float:
    return float(10 ** (factor_db / 20))


def talk(seconds: float, said: tuple[Span, ...], seed: int, level_db: float = -20.0) -> Samples:
    """Sound in the stretches ``said`` and digital silence elsewhere, at ``level_db`` of full scale."""
    random = np.random.default_rng(seed)
    samples = np.zeros(round(seconds * SAMPLE_RATE))
    for span in said:
        first, last = round(span.start_s * SAMPLE_RATE), round(span.end_s * SAMPLE_RATE)
        sound = np.convolve(random.standard_normal(last - first + 15), np.ones(16) / 4, "valid")
        time = np.arange(last - first)
        loudness = random.uniform(0.2, 1.0, (last - first) // SYLLABLE + 1)[time // SYLLABLE]
        samples[first:last] = sound * loudness * np.sin(np.pi * (time % SYLLABLE) / SYLLABLE)
    spoken = samples[samples != 0]
    level = np.sqrt(np.mean(np.square(spoken))) if spoken.size else 1.0
    return np.asarray(samples / level * db(level_db))


def turns(seconds: float, first_s: float, every_s: float, length_s: float) -> tuple[Span, ...]:
    """A stretch of ``length_s`` every so many seconds."""
    starts = np.arange(first_s, seconds - length_s, every_s)
    return tuple(Span(float(start), float(start) + length_s) for start in starts)


def noise(count: int, seed: int, level_db: float, slope: float = 0.0) -> Samples:
    """White noise, or with power falling as frequency to the power of -2 ``slope``."""
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    made = np.fft.irfft(white / np.maximum(np.arange(len(white)), 1) ** slope, count)
    return np.asarray(made / made.std() * db(level_db))


def hum(count: int, level_db: float) -> Samples:
    """50 Hz and its overtones."""
    time = np.arange(count) / SAMPLE_RATE
    made = sum((np.sin(2 * np.pi * 50 * n * time) / n for n in range(1, 8)), np.zeros(count))
    return np.asarray(made / made.std() * db(level_db))


def later(samples: Samples, delay_s: float) -> Samples:
    count = round(delay_s * SAMPLE_RATE)
    return np.concatenate((np.zeros(count), samples))[: len(samples)]


def two_channels(path: Path, first: Samples, second: Samples) -> Audio:
    """Samples in [-1, 1] as a decoded recording with two channels, as long as the shorter one."""
    count = min(len(first), len(second))
    both = np.stack((first[:count], second[:count]), axis=1)
    np.clip(np.round(both * 32768), -32768, 32767).astype("<i2").tofile(path)
    return Audio(path, count, channel_count=2)
