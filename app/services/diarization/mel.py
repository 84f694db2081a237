"""Mel spectra as the voice encoder was trained on: 40 Slaney bands of power, 25 ms windows every 10 ms."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from app.schemas.audio import SAMPLE_RATE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.schemas.audio import Audio

    Floats = NDArray[np.float32]

BANDS = 40
WINDOW = 400
HOP = 160
FRAMES_PER_S = SAMPLE_RATE // HOP
BLOCK_FRAMES = 60 * FRAMES_PER_S
"""Frames worked on at once, so that hours of audio need no more memory than a minute."""
QUIETEST = 1e-7
"""Added to power before its logarithm is taken."""
_AT_ONCE = 1000

_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_LOG_FROM_HZ = 1000.0
_LOG_STEPS = 27.0
"""Slaney's scale is linear up to 1 kHz; from there 27 mel make a factor of 6.4."""


def mel_power(samples: Floats) -> Floats:
    """Power in each band, shape (1 + n // 160, 40), of ``samples`` at 16 kHz, shape (n,).

    What ``librosa.feature.melspectrogram(y, sr=16000, n_fft=400, hop_length=160, n_mels=40)`` gives: frames
    centred on each hop with silence beyond both ends, a periodic Hann window, no logarithm.
    """
    import numpy as np

    padded = np.pad(samples, WINDOW // 2)
    return _power(padded, 1 + samples.size // HOP)


def mel_of_frames(audio: Audio, first: int, count: int) -> Floats:
    """Rows ``first`` to ``first + count`` of what ``mel_power`` gives for the whole recording."""
    import numpy as np

    count = max(0, min(count, frame_count(audio) - first))
    bands = np.zeros((count, BANDS), dtype=np.float32)
    for done in range(0, count, BLOCK_FRAMES):
        rows = min(BLOCK_FRAMES, count - done)
        start = (first + done) * HOP - WINDOW // 2
        wanted = (rows - 1) * HOP + WINDOW
        samples = audio.read_samples(max(0, start), wanted + min(0, start))
        padded = np.zeros(wanted, dtype=np.float32)
        offset = max(0, -start)
        padded[offset : offset + samples.size] = samples
        bands[done : done + rows] = _power(padded, rows)
    return bands


def frame_count(audio: Audio) -> int:
    return 1 + audio.sample_count // HOP


def _power(padded: Floats, rows: int) -> Floats:
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:rows]
    bands = np.zeros((rows, BANDS), dtype=np.float32)
    for start in range(0, rows, _AT_ONCE):
        spectra = np.fft.rfft(windows[start : start + _AT_ONCE] * _hann(), axis=1)
        power = np.square(spectra.real) + np.square(spectra.imag)
        bands[start : start + _AT_ONCE] = power @ filters()
    return bands


@cache
def _hann() -> Floats:
    import numpy as np

    turns = np.arange(WINDOW) / WINDOW
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * turns)).astype(np.float32)


@cache
def filters() -> Floats:
    """Triangular bands of equal area, shape (201, 40): M. Slaney, Auditory Toolbox, 1998."""
    import numpy as np

    edges_hz = _edges_hz()
    bins_hz = np.linspace(0.0, SAMPLE_RATE / 2.0, WINDOW // 2 + 1)
    widths = np.diff(edges_hz)
    slopes = edges_hz[:, None] - bins_hz[None, :]
    rising, falling = -slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    triangles *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    return np.ascontiguousarray(triangles.T, dtype=np.float32)


def band_floors_hz() -> NDArray[np.float64]:
    """The lowest frequency of each band, shape (40,)."""
    return _edges_hz()[:-2]


def _edges_hz() -> NDArray[np.float64]:
    import numpy as np

    return _hertz(np.linspace(0.0, _mel(SAMPLE_RATE / 2.0), BANDS + 2))


def _mel(hertz: float) -> float:
    import numpy as np

    linear = hertz / _LINEAR_HZ_PER_MEL
    if hertz < _LOG_FROM_HZ:
        return linear
    return float(_LOG_FROM_HZ / _LINEAR_HZ_PER_MEL + _LOG_STEPS * np.log(hertz / _LOG_FROM_HZ) / np.log(6.4))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    knee = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
    above = _LOG_FROM_HZ * np.power(6.4, (mel - knee) / _LOG_STEPS)
    return np.where(mel < knee, mel * _LINEAR_HZ_PER_MEL, above)
