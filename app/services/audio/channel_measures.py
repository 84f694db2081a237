"""Measures of a two-channel recording, step by step: how loud each channel is, and how alike the two are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.schemas.audio import SAMPLE_RATE, SILENCE_DB, Audio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

STEP_S = 0.1
STEP = round(STEP_S * SAMPLE_RATE)
BLOCK_STEPS = 200
"""Steps read in one go: 20 s, so that hours of audio need no more memory than minutes."""
LOUDNESS_SECONDS = 60

# The channels are compared at half the rate: phone lines carry nothing above it.
HALF = 2
HALF_STEP = STEP // HALF
WINDOW = 3 * HALF_STEP
"""Samples compared at once: the step itself and one before and after it."""
MOST_LAG = HALF_STEP // 2
"""One channel may come this much later than the other (50 ms)."""
MARGIN = (WINDOW - HALF_STEP) // 2 + MOST_LAG
FFT = 1 << (WINDOW + 2 * MOST_LAG - 1).bit_length()


@dataclass(frozen=True)
class ChannelMeasures:
    """Of each step of 0.1 s; arrays of shape (2, steps) where they are by channel, else (steps,).

    ``power``: mean square of the samples. ``peak``: the largest of them. ``shaped_db``: level of the
    differences between samples, in dB of full scale. ``correlation``: normalised cross-correlation in
    [-1, 1], taken where it is farthest from 0, which is with the second channel ``lag`` samples (at 8 kHz, 50
    ms at most) later. ``ratio_db``: how much louder the second channel is than the first there.
    """

    power: Floats
    peak: Floats
    shaped_db: Floats
    correlation: Floats
    lag: Floats
    ratio_db: Floats

    @property
    def likeness(self) -> Floats:
        import numpy as np

        return np.abs(self.correlation)


def measure(audio: Audio) -> ChannelMeasures:
    """Measure the two channels of ``audio``, in bounded memory."""
    import numpy as np

    parts = list(_parts(audio))
    return ChannelMeasures(
        np.concatenate([part.power for part in parts], axis=1),
        np.concatenate([part.peak for part in parts], axis=1),
        np.concatenate([part.shaped_db for part in parts], axis=1),
        np.concatenate([part.correlation for part in parts]),
        np.concatenate([part.lag for part in parts]),
        np.concatenate([part.ratio_db for part in parts]),
    )


def _parts(audio: Audio) -> Iterator[ChannelMeasures]:
    import numpy as np

    steps = max(1, -(-audio.sample_count // STEP))
    for first in range(0, steps, BLOCK_STEPS):
        count = min(BLOCK_STEPS, steps - first)
        block = np.stack([_block(audio.of_channel(channel), first, count) for channel in (0, 1)])
        inner = block[:, HALF * MARGIN : -HALF * MARGIN].reshape(2, count, STEP)
        halves = block.reshape(2, -1, HALF).mean(axis=2)
        # Differences flatten speech, so that single samples line up, and take out rumble and hum.
        shaped = np.diff(halves, axis=1, prepend=halves[:, :1])
        own = shaped[:, MARGIN:-MARGIN].reshape(2, count, HALF_STEP)
        yield ChannelMeasures(
            np.mean(np.square(inner), axis=2),
            np.abs(inner).max(axis=2),
            10.0 * np.log10(np.mean(np.square(own), axis=2) + 1e-10),
            *_compare(shaped),
        )


def _block(audio: Audio, first: int, steps: int) -> Floats:
    """Samples of ``steps`` steps with a margin on both sides, silent outside the recording."""
    import numpy as np

    margin = HALF * MARGIN
    start, length = first * STEP - margin, steps * STEP + 2 * margin
    block = np.zeros(length, dtype=np.float32)
    read = audio.read_samples(max(0, start), length + min(0, start))
    ahead = max(0, -start)
    block[ahead : ahead + read.size] = read
    return block


def _compare(shaped: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each step the best correlation, its lag, and the ratio of levels there in dB; shapes (steps,)."""
    import numpy as np

    reach = WINDOW + 2 * MOST_LAG
    slid = np.lib.stride_tricks.sliding_window_view(shaped, reach, axis=1)[:, ::HALF_STEP]
    fixed, moved = slid[0, :, MOST_LAG:-MOST_LAG], slid[1]
    spectra = np.conj(np.fft.rfft(fixed, FFT, axis=1)) * np.fft.rfft(moved, FFT, axis=1)
    products = np.fft.irfft(spectra, FFT, axis=1)[:, : 2 * MOST_LAG + 1]
    sums = np.cumsum(np.square(moved, dtype=np.float64), axis=1)
    energies = sums[:, WINDOW - 1 :].copy()
    energies[:, 1:] -= sums[:, : reach - WINDOW]
    own = np.sum(np.square(fixed, dtype=np.float64), axis=1, keepdims=True)
    least = WINDOW * 1e-10
    values = products / np.sqrt(np.maximum(own, least) * np.maximum(energies, least))
    best = np.argmax(np.abs(values), axis=1)[:, None]
    ratios = (np.take_along_axis(energies, best, 1) + least) / (own + least)
    return (
        np.take_along_axis(values, best, 1)[:, 0].astype(np.float32),
        (best[:, 0] - MOST_LAG).astype(np.float32),
        (10.0 * np.log10(ratios[:, 0])).astype(np.float32),
    )


def loudness(voice: Audio) -> tuple[float, ...]:
    """Level of each whole second of ``voice`` before its gain, in dB of full scale, to 0.1 dB.

    The root of the mean square; -100 where there is nothing. What is left after the last whole second, and
    any recording shorter than a second, counts as a second too.
    """
    import numpy as np

    plain = voice.of_channel(voice.channel)
    levels: list[float] = []
    for first in range(0, plain.sample_count, LOUDNESS_SECONDS * SAMPLE_RATE):
        samples = plain.read_samples(first, LOUDNESS_SECONDS * SAMPLE_RATE)
        for start in range(0, samples.size, SAMPLE_RATE):
            power = float(np.mean(np.square(samples[start : start + SAMPLE_RATE])))
            levels.append(round(max(SILENCE_DB, 10.0 * math.log10(power)), 1) if power else SILENCE_DB)
    return tuple(levels)
