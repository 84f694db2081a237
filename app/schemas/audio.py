"""Decoded audio and the stretches of it that hold speech."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples per second of all decoded audio."""


@dataclass(frozen=True)
class Span:
    """A stretch of the recording, in seconds from its start."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Audio:
    """A recording decoded to mono signed 16-bit PCM at ``SAMPLE_RATE``, in a private file.

    ``damaged`` says that the decoder could not read the whole input (its tail is missing, say).
    """

    pcm_path: Path
    sample_count: int
    damaged: bool = False

    @property
    def duration_s(self) -> float:
        return self.sample_count / SAMPLE_RATE

    def read(self, span: Span | None = None) -> NDArray[np.float32]:
        """Samples in [-1, 1], shape (n,), of ``span`` (cut to the recording) or of everything."""
        import numpy as np

        span = span or Span(0.0, self.duration_s)
        first = max(0, round(span.start_s * SAMPLE_RATE))
        last = min(self.sample_count, round(span.end_s * SAMPLE_RATE))
        if last <= first:
            return np.zeros(0, dtype=np.float32)
        stored = np.memmap(self.pcm_path, dtype="<i2", mode="r", shape=(self.sample_count,))
        return stored[first:last].astype(np.float32) / 32768.0
