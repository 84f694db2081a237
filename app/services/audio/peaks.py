"""The loudest sample of each stretch of a recording, by channel, for drawings of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.schemas.audio import SAMPLE_RATE, Audio
from app.schemas.waveform import FULL_SCALE, Peaks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_STEPS = 4000
SHORTEST_STEP_S = 0.02
BLOCK_SAMPLES = 20 * SAMPLE_RATE
_LOUDEST = 32768


def peaks_of(audio: Audio) -> Peaks:
    """At most ``MOST_STEPS`` steps of equal length; reads the file once, in bounded memory."""
    import numpy as np

    step = max(round(SHORTEST_STEP_S * SAMPLE_RATE), -(-audio.sample_count // MOST_STEPS))
    at_once = step * max(1, BLOCK_SAMPLES // step)
    blocks = [
        _loudest(audio.read_frames(first, at_once), step) for first in range(0, audio.sample_count, at_once)
    ]
    levels = np.concatenate(blocks) if blocks else np.zeros((0, audio.channel_count), np.uint8)
    return Peaks(step / SAMPLE_RATE, tuple(channel.tobytes() for channel in levels.T))


def _loudest(frames: NDArray[np.int16], step: int) -> NDArray[np.uint8]:
    """One row a step, shape (steps, channels); what is not silent is at least 1."""
    import numpy as np

    starts = np.arange(0, len(frames), step)
    high = np.maximum.reduceat(frames, starts, axis=0).astype(np.int32)
    low = np.minimum.reduceat(frames, starts, axis=0).astype(np.int32)
    return np.ceil(np.maximum(high, -low) * (FULL_SCALE / _LOUDEST)).astype(np.uint8)
