"""Decoded audio, its channels, and the stretches of it that hold speech."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_RATE = 16_000
"""Samples per second of all decoded audio."""
_SAMPLE_BYTES = 2
SILENCE_DB = -100.0


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
    """A recording decoded to signed 16-bit PCM at ``SAMPLE_RATE``, in a private file, seen as one signal.

    The file holds ``channel_count`` interleaved channels of ``sample_count`` samples each. ``channel`` says
    which of them this is; None is the mean of all. ``gain`` multiplies what is read. ``damaged`` says that
    the decoder could not read the whole input (its tail is missing, say).
    """

    pcm_path: Path
    sample_count: int
    damaged: bool = False
    channel_count: int = 1
    channel: int | None = None
    gain: float = 1.0

    @property
    def duration_s(self) -> float:
        return self.sample_count / SAMPLE_RATE

    def of_channel(self, channel: int | None, gain: float = 1.0) -> Audio:
        """The same recording, seen as one of its channels or (None) as their mean."""
        return replace(self, channel=channel, gain=gain)

    def read(self, span: Span | None = None) -> NDArray[np.float32]:
        """Samples in [-1, 1], shape (n,), of ``span`` (cut to the recording) or of everything."""
        span = span or Span(0.0, self.duration_s)
        first = max(0, round(span.start_s * SAMPLE_RATE))
        last = min(self.sample_count, round(span.end_s * SAMPLE_RATE))
        return self.read_samples(first, max(0, last - first))

    def read_samples(self, first: int, count: int) -> NDArray[np.float32]:
        """``count`` samples from the sample ``first`` on, in [-1, 1]; fewer at the end, shape (n,)."""
        import numpy as np

        frames = self.read_frames(first, count)
        signal = frames.mean(axis=1, dtype=np.float32) if self.channel is None else frames[:, self.channel]
        samples: NDArray[np.float32] = signal.astype(np.float32) * np.float32(self.gain / 32768.0)
        return samples if self.gain <= 1.0 else np.clip(samples, -1.0, 1.0)

    def read_frames(self, first: int, count: int) -> NDArray[np.int16]:
        """The same of all channels, as stored, shape (n, channel_count)."""
        import numpy as np

        # Read, not mapped: pages of a map stay counted as the process's own.
        count = max(0, min(count, self.sample_count - first))
        with self.pcm_path.open("rb") as stream:
            stream.seek(first * self.channel_count * _SAMPLE_BYTES)
            stored = np.fromfile(stream, dtype="<i2", count=count * self.channel_count)
        return stored[: stored.size - stored.size % self.channel_count].reshape(-1, self.channel_count)


class ChannelKind(StrEnum):
    """What the channels of a recording hold.

    ``mono``: there is one. ``dual_mono``: the same signal in all. ``one_sided``: all but one are silent.
    ``separate``: a party of its own in each.
    """

    MONO = "mono"
    DUAL_MONO = "dual_mono"
    ONE_SIDED = "one_sided"
    SEPARATE = "separate"


@dataclass(frozen=True)
class ChannelLayout:
    """How the channels of a recording were found to be used.

    ``voices``: the signals to work on, one for each party when ``kind`` is ``separate`` (each levelled by its
    ``gain``), else a single one. ``loudness``: level of each of ``voices`` before any gain, in dB of full
    scale, by whole seconds of the recording; ``SILENCE_DB`` where there is nothing.
    """

    kind: ChannelKind
    voices: tuple[Audio, ...]
    loudness: tuple[tuple[float, ...], ...]

    def mixed(self, audio: Audio) -> ChannelLayout:
        """The same recording as one signal, the mean of its channels."""
        if len(self.voices) == 1:
            return self
        powers = [[10 ** (level / 10) for level in levels] for levels in self.loudness]
        share = len(powers) ** 2  # halved amplitude is a quarter of the power
        mean = [max(10 * math.log10(sum(here) / share), SILENCE_DB) for here in zip(*powers, strict=True)]
        return replace(self, voices=(audio,), loudness=(tuple(round(level, 1) for level in mean),))
