"""Cuts stretches out of a recording at exact samples, whatever its format says of places in it."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.core.exceptions import StageFailed
from app.schemas.audio import Span
from app.services.audio.decoder import DecodeLimits
from app.services.audio.disk import disk_full_translated, refuse_full_disk
from app.services.audio.encoder import RATE, SAMPLE_BYTES, scratch_beside
from app.services.audio.ffmpeg import Ffmpeg, guarded_input

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

FADE_S = 0.02
"""Long enough that no edge clicks, too short to take a sound away."""
MOST_SPANS = 200
SOURCE, PCM = "source", "clips.pcm"


class ClipCutter:
    """Thread-safe. Reads stored recordings through the same guards as the decoder.

    Nothing is sought by bytes: the places that VBR files and their tables name can be seconds off. The
    recording is decoded up to the end of the last clip, once for all of them, and time is counted in samples
    as the decoder counts it, so that the times of words hold here too.
    """

    def __init__(self, ffmpeg: Ffmpeg, limits: DecodeLimits) -> None:
        self._ffmpeg = ffmpeg
        longest = math.ceil((limits.longest_s + 2) * RATE * SAMPLE_BYTES)
        self._limits = replace(limits.run(), output_bytes=longest)

    def cut(self, source: Path, spans: Sequence[Span], folder: Path) -> tuple[Path, ...]:
        """Write each of ``spans`` (1 to 200, seconds of the recording) to a WAV file in ``folder``.

        They are mono (the mean of the channels), 16 bit, 24 kHz, of exactly the asked length, faded over 20
        ms at both ends; what lies beyond the recording is silent. Raises StageFailed or InsufficientStorage,
        and leaves nothing behind then.
        """
        places = [_place(span) for span in spans]
        if not 1 <= len(places) <= MOST_SPANS:
            raise ValueError(f"1 to {MOST_SPANS} clips can be cut at once")
        with scratch_beside(folder) as scratch:
            pcm = self._decoded(source, places, scratch)
            written = []
            for number, samples in enumerate(_parts(pcm, places)):
                written.append(scratch / f"clip-{number}.wav")
                _write_wav(written[-1], _faded(samples))
            return tuple(path.replace(folder / path.name) for path in written)

    def _decoded(self, source: Path, places: Sequence[tuple[int, int]], folder: Path) -> Path:
        link, pcm = folder / SOURCE, folder / PCM
        link.symlink_to(source.resolve())
        finished = self._ffmpeg.run(
            [
                "-v", "error", "-filter_threads", "1", "-filter_complex_threads", "1",
                *guarded_input(SOURCE), "-filter_complex", _graph(places), "-map", "[clips]",
                "-map_metadata", "-1", "-threads", "1", "-f", "s16le", "-y", f"file:{PCM}",
            ],
            folder, self._limits,
        )  # fmt: skip
        refuse_full_disk(finished.messages)
        if finished.tripped is not None:
            raise StageFailed("audio", f"cutting was stopped by its {finished.tripped} limit")
        size = pcm.stat().st_size if pcm.exists() else 0
        if size != SAMPLE_BYTES * sum(end - start for start, end in places):
            raise StageFailed("audio", "the recording could not be cut")
        return pcm


def _place(span: Span) -> tuple[int, int]:
    """First and past-the-last sample at ``RATE``."""
    start = max(0, round(span.start_s * RATE))
    end = round(span.end_s * RATE)
    if end <= start:
        raise ValueError("a clip must have a length")
    return start, end


def _graph(places: Sequence[tuple[int, int]]) -> str:
    """One pass over the recording: what comes before the first clip is dropped before anything else is done
    with it, and reading ends with the last clip."""
    ahead_s = max(0, min(start for start, _ in places) // RATE - 1)
    head = (
        f"[0:a:0]asetpts=N/SR/TB,asetnsamples=n=16384:p=0,atrim=start={ahead_s},asetpts=N/SR/TB,"
        f"aresample={RATE}:ochl=mono:osf=s16,apad,asplit={len(places)}"
    )
    offset = ahead_s * RATE
    branches = "".join(
        f";[in{number}]atrim=start_sample={start - offset}:end_sample={end - offset},"
        f"asetpts=N/SR/TB[out{number}]"
        for number, (start, end) in enumerate(places)
    )
    taken = "".join(f"[in{number}]" for number in range(len(places)))
    joined = "".join(f"[out{number}]" for number in range(len(places)))
    return f"{head}{taken}{branches};{joined}concat=n={len(places)}:v=0:a=1[clips]"


def _parts(pcm: Path, places: Sequence[tuple[int, int]]) -> Iterator[Samples]:
    import numpy as np

    with pcm.open("rb") as stream:
        for start, end in places:
            yield np.fromfile(stream, dtype="<i2", count=end - start)


def _faded(samples: Samples) -> Samples:
    import numpy as np

    count = min(round(FADE_S * RATE), samples.size // 2)
    ramp = np.arange(count, dtype=np.float32) / max(count, 1)
    shape = np.ones(samples.size, dtype=np.float32)
    shape[:count] = ramp
    shape[samples.size - count :] = ramp[::-1]
    faded: Samples = np.rint(samples * shape).astype("<i2")
    return faded


def _write_wav(path: Path, samples: Samples) -> None:
    with disk_full_translated(), wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
