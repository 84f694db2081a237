"""Programme loudness after ITU-R BS.1770-4 / EBU R128, and levelling to it under a limit for true peaks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32 | np.float64]

TARGET_LUFS = -16.0
CEILING_DBTP = -4.0
"""R128 allows -1 in the end; MP3 adds up to 2.5 dB to the peaks of voices (measured, at 64 to 128 kbit/s)."""
MOST_GAIN_DB = 30.0
"""A recording that is fainter still is noise, mostly."""

STEP_S = 0.1
BLOCK_STEPS = 4
"""Blocks of 0.4 s, each 0.1 s after the one before."""
OFFSET_LUFS = -0.691
ABSOLUTE_GATE_LUFS, RELATIVE_GATE_LU = -70.0, -10.0
SETTLE_S = 1.0
"""After so long nothing is left of what the filters were given."""
CHUNK_S = 30.0

HEAD_HZ, HEAD_GAIN_DB, HEAD_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
LOW_CUT_HZ, LOW_CUT_Q = 38.13547087602444, 0.5003270373238773
"""The two filters of K-weighting, as the analogue ones that BS.1770's coefficients at 48 kHz come from."""

PHASES = (0.25, 0.5, 0.75)
TAPS = 12
"""Peaks between samples are looked for at four times the rate."""
LIMIT_STEP_S = 0.001
LIMIT_REACH = 5
TRIES = 3
NEAR_LU = 0.2


def integrated_lufs(parts: Iterator[Floats] | Sequence[Floats], rate: int) -> float | None:
    """Integrated loudness of one channel at ``rate`` Hz that comes in ``parts``; None: silence.

    What is shorter than a block (0.4 s) counts as if it went on so.
    """
    import numpy as np

    powers = np.concatenate(list(_step_powers(parts, rate)) or [np.zeros(0)])
    if not powers.size:
        return None
    while powers.size < BLOCK_STEPS:
        powers = np.tile(powers, 2)
    sums = np.cumsum(np.concatenate([[0.0], powers]))
    blocks = (sums[BLOCK_STEPS:] - sums[:-BLOCK_STEPS]) / BLOCK_STEPS
    loud = blocks[blocks > _power(ABSOLUTE_GATE_LUFS)]
    if not loud.size:
        return None
    relative = float(loud.mean()) * 10 ** (RELATIVE_GATE_LU / 10)
    return OFFSET_LUFS + 10 * math.log10(float(loud[loud > relative].mean()))


def levelled(samples: Floats, rate: int, target_lufs: float = TARGET_LUFS) -> Floats:
    """``samples`` (in [-1, 1]) at the target loudness, true peaks below -4 dBTP; silence as it is.

    The gain is one for all of it and 30 dB at most. Where peaks had to be limited, more of it is given.
    """
    import numpy as np

    found = integrated_lufs([samples], rate)
    if found is None:
        return samples
    step = max(1, round(LIMIT_STEP_S * rate))
    peaks = _step_peaks(samples, step)
    gain_db, out = 0.0, samples
    for _ in range(TRIES):
        gain_db = min(gain_db + target_lufs - found, MOST_GAIN_DB)
        gain = 10 ** (gain_db / 20)
        out = (samples * (gain * _limiting(peaks * gain, step, samples.size))).astype(np.float32)
        found = integrated_lufs([out], rate)
        if found is None or abs(target_lufs - found) < NEAR_LU or gain_db >= MOST_GAIN_DB:
            break
    return out


def _limiting(peaks: Floats, step: int, count: int) -> Floats:
    """What each of ``count`` samples is multiplied by, so that ``peaks`` (by steps) stay below the ceiling;
    it changes over milliseconds."""
    import numpy as np

    needed = np.minimum(1.0, 10 ** (CEILING_DBTP / 20) / np.maximum(peaks, 1e-9))
    if needed.min() >= 1.0:
        return np.ones(count, dtype=np.float32)
    reach = np.pad(needed, 2 * LIMIT_REACH, constant_values=1.0)
    lowest = np.lib.stride_tricks.sliding_window_view(reach, 2 * LIMIT_REACH + 1).min(axis=1)
    # The mean of minima, each of which looks farther than the mean does, is low enough at every peak.
    smooth = np.convolve(lowest, np.ones(2 * LIMIT_REACH - 1) / (2 * LIMIT_REACH - 1), "same")
    gains = smooth[LIMIT_REACH:-LIMIT_REACH]
    centres = (np.arange(gains.size) + 0.5) * step
    return np.interp(np.arange(count), centres, gains).astype(np.float32)


def true_peak_dbtp(samples: Floats) -> float:
    """The highest peak, between samples too; -inf of silence."""
    peak = float(_step_peaks(samples, max(1, samples.size)).max(initial=0.0))
    return 20 * math.log10(peak) if peak > 0 else -math.inf


def _step_powers(parts: Iterator[Floats] | Sequence[Floats], rate: int) -> Iterator[Floats]:
    """Mean squares of the weighted signal by whole steps of 0.1 s; a rest that is all there is counts too."""
    import numpy as np

    step, settle, chunk = round(STEP_S * rate), round(SETTLE_S * rate), round(CHUNK_S * rate)
    before = np.zeros(0, dtype=np.float32)
    rest = np.zeros(0, dtype=np.float32)
    any_step = False
    for part in parts:
        rest = np.concatenate([rest, part])
        while rest.size >= step:
            count = min(rest.size, chunk) // step * step
            weighted = _weighted(np.concatenate([before, rest[:count]]), rate)[before.size :]
            yield np.mean(np.square(weighted).reshape(-1, step), axis=1)
            any_step = True
            before = np.concatenate([before, rest[:count]])[-settle:]
            rest = rest[count:]
    if rest.size and not any_step:
        yield np.array([np.mean(np.square(_weighted(rest, rate)))])


def _weighted(samples: Floats, rate: int) -> Floats:
    """K-weighted, by the filters' response to each frequency."""
    import numpy as np

    length = 1 << (samples.size + round(SETTLE_S * rate) - 1).bit_length()
    spectrum = np.fft.rfft(samples, length) * _response(length, rate)
    weighted: Floats = np.fft.irfft(spectrum, length)[: samples.size]
    return weighted


def _response(length: int, rate: int) -> NDArray[np.complex128]:
    import numpy as np

    z = np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length)
    head = math.tan(math.pi * HEAD_HZ / rate)
    gain = 10 ** (HEAD_GAIN_DB / 20)
    middle = gain**0.4996667741545416
    over = 1 + head / HEAD_Q + head**2
    shelf = (
        (gain + middle * head / HEAD_Q + head**2)
        + 2 * (head**2 - gain) * z
        + (gain - middle * head / HEAD_Q + head**2) * z**2
    ) / (over + 2 * (head**2 - 1) * z + (1 - head / HEAD_Q + head**2) * z**2)
    low = math.tan(math.pi * LOW_CUT_HZ / rate)
    under = 1 + low / LOW_CUT_Q + low**2
    cut = (1 - 2 * z + z**2) / (1 + (2 * (low**2 - 1) * z + (1 - low / LOW_CUT_Q + low**2) * z**2) / under)
    response: NDArray[np.complex128] = shelf * cut
    return response


def _step_peaks(samples: Floats, step: int) -> Floats:
    """The highest absolute value in each step, also between samples."""
    import numpy as np

    samples = samples.astype(np.float32, copy=False)
    highest = np.abs(samples)
    places = np.arange(TAPS) - TAPS // 2 + 1
    for phase in PHASES:
        distance = places - phase
        taps = (np.sinc(distance) * np.cos(np.pi * distance / (TAPS + 2)) ** 2).astype(np.float32)
        between = np.abs(np.convolve(samples, taps[::-1], "full"))[TAPS // 2 : TAPS // 2 + samples.size]
        highest = np.maximum(highest, between)
    padded = np.pad(highest, (0, -highest.size % step))
    return padded.reshape(-1, step).max(axis=1) if padded.size else padded


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET_LUFS) / 10))
