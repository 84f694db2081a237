"""What is measured of a recording's speech, in one pass of blocks: levels, spectra, voices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.services.diarization.embedding import LONG, SHORT, VOICE_SIZE, level_gain
from app.services.diarization.mel import BANDS, BLOCK_FRAMES, FRAMES_PER_S, HOP, QUIETEST, mel_of_frames

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from app.schemas.audio import Audio, Span
    from app.services.diarization.embedding import VoiceEncoder

    Floats = NDArray[np.float32]
    Frames = NDArray[np.int64]

WINDOW_EVERY = 20
"""Frames between the starts of two windows (0.2 s)."""
_FITS_WITHIN = 20
"""Frames by which a window may reach beyond its stretch and still count as lying in it."""


@dataclass(frozen=True)
class Speech:
    """The speech of one recording, by frames of 10 ms and by windows of voice.

    ``frames``: numbers of the n frames that hold speech, rising. ``levels``: their RMS, shape (n,).
    ``log_mel``: natural logarithm of their power in bands, shape (n, 40), in half precision to spare memory.
    ``starts``: first frame of each of the w windows. ``voices``: shape (2, w, 256), of each window's first
    0.8 s and of all its 1.6 s; ``fits``: shape (w, 2), whether these lie in one stretch of speech.
    """

    frames: Frames
    levels: Floats
    log_mel: NDArray[np.float16]
    starts: Frames
    voices: Floats
    fits: NDArray[np.bool_]

    @property
    def seconds(self) -> float:
        return len(self.frames) / FRAMES_PER_S


def listen(audio: Audio, spans: Iterable[Span], encoder: VoiceEncoder) -> Speech:
    """Measure the speech in ``spans``. Memory grows with the speech by some 350 bytes for each 10 ms."""
    import numpy as np

    loudness = levels(audio)
    stretches = _stretches(spans, len(loudness))
    frames = np.concatenate(
        [np.zeros(0, dtype=np.int64), *(np.arange(*stretch, dtype=np.int64) for stretch in stretches)]
    )
    starts, ends = _windows(stretches)
    spoken = loudness[frames]
    gain = level_gain(float(np.mean(np.square(spoken, dtype=np.float64)))) if len(spoken) else 1.0
    log_mel = np.zeros((len(frames), BANDS), dtype=np.float16)
    voices = np.zeros((2, len(starts), VOICE_SIZE), dtype=np.float32)
    for first in range(0, len(loudness), BLOCK_FRAMES):
        own = _within(frames, first, first + BLOCK_FRAMES)
        windows = _within(starts, first, first + BLOCK_FRAMES)
        if own.start == own.stop:
            continue
        mel = mel_of_frames(audio, first, BLOCK_FRAMES + LONG) * np.float32(gain)
        log_mel[own] = np.log(mel[frames[own] - first] + QUIETEST)
        voices[:, windows] = encoder.voices(mel, starts[windows] - first)
    fits = starts[:, None] + np.array([SHORT, LONG]) <= ends[:, None] + _FITS_WITHIN
    return Speech(frames, spoken, log_mel, starts, voices, fits)


def levels(audio: Audio) -> Floats:
    """RMS of each whole frame of 10 ms, shape (samples // 160,)."""
    import numpy as np

    count = audio.sample_count // HOP
    found = np.zeros(count, dtype=np.float32)
    for first in range(0, count, BLOCK_FRAMES):
        rows = min(BLOCK_FRAMES, count - first)
        samples = audio.read_samples(first * HOP, rows * HOP).reshape(-1, HOP)
        found[first : first + len(samples)] = np.sqrt(np.mean(np.square(samples), axis=1))
    return found


def _stretches(spans: Iterable[Span], count: int) -> list[tuple[int, int]]:
    """First and past-the-last frame; stretches that touch become one."""
    found: list[tuple[int, int]] = []
    for span in spans:
        start = max(0, round(span.start_s * FRAMES_PER_S))
        end = min(count, round(span.end_s * FRAMES_PER_S))
        if found and start <= found[-1][1]:
            start = found.pop()[0]
        if end > start:
            found.append((start, end))
    return found


def _windows(stretches: list[tuple[int, int]]) -> tuple[Frames, Frames]:
    """Starts of the windows, at least one for each stretch, and the ends of the stretches they lie in."""
    import numpy as np

    pairs = list(_window_pairs(stretches))
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _window_pairs(stretches: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in stretches:
        for at in range(start, max(start + 1, end - SHORT // 2), WINDOW_EVERY):
            yield at, end


def _within(ascending: Frames, first: int, end: int) -> slice:
    import numpy as np

    low, high = np.searchsorted(ascending, [first, end])
    return slice(int(low), int(high))
