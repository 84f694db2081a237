"""Turns synthesised speech and cut clips into the files that clients get, MP3 or WAV, and into samples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from app.core.exceptions import StageFailed
from app.services.audio.decoder import DecodeLimits
from app.services.audio.disk import disk_full_translated, refuse_full_disk
from app.services.audio.ffmpeg import AUDIO_DEMUXERS, Ffmpeg, guarded_input, only_first_audio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Media = Literal["mp3", "wav"]

RATE = 24_000
"""Enough for every synthetic voice; in Hz, for PCM between the steps as well as for what is delivered."""
SAMPLE_BYTES = 2
PCM_DEMUXERS = ("s16le",)
RAW_PCM = ["-f", "s16le", "-ac", "1", "-ar", str(RATE)]
PLAIN = ["-ac", "1", "-ar", str(RATE), "-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1"]
OUTPUTS: dict[Media, list[str]] = {
    "mp3": [*PLAIN, "-c:a", "libmp3lame", "-b:a", "64k", "-f", "mp3"],
    "wav": [*PLAIN, "-c:a", "pcm_s16le", "-f", "wav"],
}
OUTPUT = "output"


class Encoder:
    """Thread-safe. Reads only what the service's own voices made, through the same guards as uploads."""

    def __init__(self, ffmpeg: Ffmpeg, limits: DecodeLimits) -> None:
        self._ffmpeg = ffmpeg
        self._longest_s = limits.longest_s
        self._limits = replace(
            limits.run(), output_bytes=math.ceil((limits.longest_s + 2) * RATE * SAMPLE_BYTES)
        )

    def encode(self, source: Path, target: Path, media: Media) -> None:
        """Write ``source`` (any audio) to ``target``: 64 kbit/s mono MP3 or 16-bit mono WAV at 24 kHz.

        ``target`` appears whole or not at all. Raises StageFailed, or InsufficientStorage.
        """
        with scratch_beside(target.parent) as folder:
            self._convert(source, folder, OUTPUTS[media])
            (folder / OUTPUT).replace(target)

    def encode_pcm(self, pcm: Path, target: Path, gain_db: float) -> None:
        """Write 16-bit mono PCM at 24 kHz, made louder by ``gain_db``, to ``target`` as MP3 without any tag.

        Raises as ``encode`` does.
        """
        output = ["-af", f"volume={gain_db:.3f}dB", "-id3v2_version", "0", *OUTPUTS["mp3"]]
        with scratch_beside(target.parent) as folder:
            self._convert(pcm, folder, output, raw=True)
            (folder / OUTPUT).replace(target)

    def samples(self, source: Path, folder: Path) -> NDArray[np.float32]:
        """All of ``source`` (any audio) as mono samples in [-1, 1] at 24 kHz. Raises as ``encode`` does."""
        import numpy as np

        with scratch_beside(folder) as scratch:
            self._convert(source, scratch, RAW_PCM)
            return np.fromfile(scratch / OUTPUT, dtype="<i2").astype(np.float32) / np.float32(32768)

    def duration_s(self, path: Path) -> float:
        """Length of an audio file, in seconds, by decoding it. Raises as ``encode`` does."""
        with disk_full_translated(), TemporaryDirectory(prefix="darwix-") as name:
            folder = Path(name)
            self._convert(path, folder, RAW_PCM)
            return (folder / OUTPUT).stat().st_size / SAMPLE_BYTES / RATE

    def _convert(self, source: Path, folder: Path, output: Sequence[str], *, raw: bool = False) -> None:
        link, result = folder / "source", folder / OUTPUT
        link.unlink(missing_ok=True)
        result.unlink(missing_ok=True)
        link.symlink_to(source.resolve())
        finished = self._ffmpeg.run(
            [
                "-v", "error", "-filter_threads", "1",
                *(RAW_PCM if raw else []), *guarded_input(link.name, PCM_DEMUXERS if raw else AUDIO_DEMUXERS),
                *only_first_audio(), "-t", f"{self._longest_s:.3f}", *output, "-y", f"file:{OUTPUT}",
            ],
            folder, self._limits,
        )  # fmt: skip
        refuse_full_disk(finished.messages)
        if finished.tripped is not None:
            raise StageFailed("audio", f"encoding was stopped by its {finished.tripped} limit")
        if finished.returncode != 0 or not result.exists() or result.stat().st_size == 0:
            raise StageFailed("audio", "the speech could not be encoded")


@contextmanager
def scratch_beside(parent: Path) -> Iterator[Path]:
    """A private folder on the target's own disk, so that the result can be moved into place in one step."""
    with disk_full_translated(), TemporaryDirectory(dir=parent, prefix=".encoding-") as name:
        yield Path(name)
