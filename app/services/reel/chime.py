"""The chime between what a voice says and what was said: two struck bars, made here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LENGTH_S = 0.7
NOTES = ((0.0, 659.26), (0.16, 880.0))
"""When each is struck, in seconds, and its pitch, in Hz: e'' and a''."""
PARTIALS = ((1.0, 1.0, 5.0), (2.76, 0.28, 9.0), (5.4, 0.1, 14.0))
"""Of a struck bar: multiple of the pitch, strength, and how fast it dies away, in 1/s."""
ATTACK_S, RELEASE_S = 0.004, 0.05
LOUDNESS_LUFS = -22.0
"""Below the voices around it: it marks a place, and startles nobody."""


def chime(rate: int) -> NDArray[np.float32]:
    """Samples in [-1, 1] at ``rate`` Hz, shape (n,); the same ones each time."""
    import numpy as np

    time = np.arange(round(LENGTH_S * rate)) / rate
    sound = np.zeros(time.size)
    for struck_s, pitch in NOTES:
        since = np.maximum(time - struck_s, 0.0)
        for multiple, strength, decay in PARTIALS:
            tone = strength * np.sin(2 * math.pi * pitch * multiple * since)
            sound += tone * np.exp(-decay * since) * np.minimum(1.0, since / ATTACK_S)
    sound *= np.minimum(1.0, (LENGTH_S - time) / RELEASE_S)
    samples: NDArray[np.float32] = (0.5 * sound / np.abs(sound).max()).astype(np.float32)
    return samples
