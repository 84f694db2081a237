"""Sounds put one after the other, each at the same loudness, to become one MP3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from app.schemas.audio import Span
from app.services.audio.disk import disk_full_translated
from app.services.audio.encoder import RATE, SAMPLE_BYTES, Encoder
from app.services.audio.loudness import CHUNK_S, TARGET_LUFS, integrated_lufs, levelled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32 | np.float64]

MOST_CORRECTION_DB = 1.0
"""Of the whole: each part is at the target already, and its peaks leave no more room."""
LAME_LOSS_DB = 0.446
"""LAME multiplies all that it is given by 0.95, at every rate that is used here (measured)."""


class Tape:
    """Grows in a file in ``folder``, which the caller owns; one part at a time is in memory.

    Not thread-safe.
    """

    def __init__(self, encoder: Encoder, folder: Path) -> None:
        self._encoder = encoder
        self._folder = folder
        self._pcm = folder / "tape.pcm"
        self._pcm.touch(mode=0o600)
        self._count = 0

    @property
    def length_s(self) -> float:
        return self._count / RATE

    def add(self, sound: Path, target_lufs: float = TARGET_LUFS) -> Span:
        """Append an audio file of the service's own, levelled; returns where it lies on the tape."""
        return self.add_samples(self._encoder.samples(sound, self._folder), target_lufs)

    def add_samples(self, samples: Floats, target_lufs: float = TARGET_LUFS) -> Span:
        """Append samples in [-1, 1] at 24 kHz, levelled; returns where they lie on the tape."""
        import numpy as np

        start_s = self.length_s
        self._append(np.rint(levelled(samples, RATE, target_lufs) * 32767).astype("<i2").tobytes())
        return Span(start_s, self.length_s)

    def pause(self, seconds: float) -> None:
        self._append(bytes(round(seconds * RATE) * SAMPLE_BYTES))

    def write_mp3(self, target: Path) -> None:
        """All of it as an MP3 without tags, as a whole at the target loudness.

        Raises StageFailed or InsufficientStorage.
        """
        found = integrated_lufs(self._chunks(), RATE)
        correction = 0.0 if found is None else TARGET_LUFS - found
        correction = max(-MOST_CORRECTION_DB, min(MOST_CORRECTION_DB, correction))
        self._encoder.encode_pcm(self._pcm, target, correction + LAME_LOSS_DB)

    def _append(self, pcm: bytes) -> None:
        with disk_full_translated(), self._pcm.open("ab") as file:
            file.write(pcm)
        self._count += len(pcm) // SAMPLE_BYTES

    def _chunks(self) -> Iterator[Floats]:
        import numpy as np

        with self._pcm.open("rb") as file:
            while pcm := file.read(round(CHUNK_S * RATE) * SAMPLE_BYTES):
                yield np.frombuffer(pcm, dtype="<i2").astype(np.float32) / np.float32(32768)
