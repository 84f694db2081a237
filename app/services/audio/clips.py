"""Cuts stretches out of a recording at exact samples, whatever its format says of places in it."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from app.core.exceptions import StageFailed
from app.schemas.audio import Span
from app.services.audio.decoder import DecodeLimits
from app.services.audio.disk import disk_full_translated, refuse_full_disk
from app.services.audio.encoder import RATE, SAMPLE_BYTES, scratch_beside
from app.services.audio.ffmpeg import Ffmpeg, guarded_input
from app.services.audio.guarded_process import RunLimits
from app.services.audio.landmarks import times_hold

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

FADE_S = 0.02
"""Long enough that no edge clicks, too short to take a sound away."""
MOST_SPANS = 200
AHEAD_S = 2
"""Decoding begins so long before a clip: what a decoder remembers of earlier sound is right by then."""
APART_S = 60
"""As long as it takes to begin anew, about as much can be decoded."""
MOST_RUNS = 24
"""With more stretches, one pass over the recording is about as quick."""
SOURCE, PCM = "source", "clips.pcm"


class ClipCutter:
    """Thread-safe. Reads stored recordings through the same guards as the decoder.

    Time is counted in samples as the decoder counts it, so that the times of words hold here too. Where a
    file's own times are the same (landmarks.py), decoding begins shortly before the clips; else at the start
    of the recording, once for all of them: places that VBR files and their tables name can be seconds off.
    """

    def __init__(self, ffmpeg: Ffmpeg, limits: DecodeLimits) -> None:
        self._ffmpeg = ffmpeg
        longest = math.ceil((limits.longest_s + 2) * RATE * SAMPLE_BYTES)
        self._limits = replace(limits.run(), output_bytes=longest)

    def cut(
        self, source: Path, spans: Sequence[Span], folder: Path, heard_s: float | None = None
    ) -> tuple[Path, ...]:
        """Write each of ``spans`` (1 to 200, seconds of the recording) to a WAV file in ``folder``.

        They are mono (the mean of the channels), 16 bit, 24 kHz, of exactly the asked length, faded over 20
        ms at both ends; what lies beyond the recording is silent. ``heard_s``: how much was decoded of the
        recording when it came in, None where nobody knows. Raises StageFailed or InsufficientStorage, and
        leaves nothing behind then.
        """
        places = [_place(span) for span in spans]
        if not 1 <= len(places) <= MOST_SPANS:
            raise ValueError(f"1 to {MOST_SPANS} clips can be cut at once")
        with scratch_beside(folder) as scratch:
            (scratch / SOURCE).symlink_to(source.resolve())
            written = {}
            ends_at = monotonic() + self._limits.wall_s
            for run in self._runs(places, scratch, heard_s):
                limits = replace(self._limits, wall_s=max(0.01, ends_at - monotonic()))
                pcm = self._decoded(run, scratch, limits)
                for number, samples in zip(run.numbers, _parts(pcm, run.places), strict=True):
                    written[number] = scratch / f"clip-{number}.wav"
                    _write_wav(written[number], _faded(samples))
            return tuple(written[number].replace(folder / written[number].name) for number in sorted(written))

    def _runs(self, places: Sequence[tuple[int, int]], folder: Path, heard_s: float | None) -> Sequence[Run]:
        runs = runs_of(places)
        worth_it = len(runs) <= MOST_RUNS and any(run.from_s for run in runs)
        if (
            worth_it
            and heard_s is not None
            and times_hold(self._ffmpeg, SOURCE, folder, self._limits, heard_s)
        ):
            return runs
        return [Run(0, tuple(range(len(places))), tuple(places))]

    def _decoded(self, run: Run, folder: Path, limits: RunLimits) -> Path:
        pcm = folder / PCM
        pcm.unlink(missing_ok=True)
        finished = self._ffmpeg.run(
            [
                "-v", "error", "-filter_threads", "1", "-filter_complex_threads", "1",
                *(["-ss", str(run.from_s)] if run.from_s else []), *guarded_input(SOURCE),
                "-filter_complex", _graph(run), "-map", "[clips]",
                "-map_metadata", "-1", "-threads", "1", "-f", "s16le", "-y", f"file:{PCM}",
            ],
            folder, limits,
        )  # fmt: skip
        refuse_full_disk(finished.messages)
        if finished.tripped is not None:
            raise StageFailed("audio", f"cutting was stopped by its {finished.tripped} limit")
        size = pcm.stat().st_size if pcm.exists() else 0
        if size != SAMPLE_BYTES * sum(end - start for start, end in run.places):
            raise StageFailed("audio", "the recording could not be cut")
        return pcm


@dataclass(frozen=True)
class Run:
    """Clips that lie close together, by their numbers and places; decoded at once, from ``from_s`` on."""

    from_s: int
    numbers: tuple[int, ...]
    places: tuple[tuple[int, int], ...]


def runs_of(places: Sequence[tuple[int, int]]) -> list[Run]:
    """``places`` in the order of time, parted where to begin anew is quicker than to go on."""
    groups: list[list[int]] = []
    reach = 0
    for number in sorted(range(len(places)), key=lambda number: places[number]):
        if not groups or places[number][0] - reach > APART_S * RATE:
            groups.append([])
        groups[-1].append(number)
        reach = max(reach, places[number][1])
    return [_run(group, places) for group in groups]


def _run(numbers: Sequence[int], places: Sequence[tuple[int, int]]) -> Run:
    from_s = places[numbers[0]][0] // RATE - AHEAD_S
    return Run(from_s if from_s > APART_S else 0, tuple(numbers), tuple(places[number] for number in numbers))


def _place(span: Span) -> tuple[int, int]:
    """First and past-the-last sample at ``RATE``."""
    start = max(0, round(span.start_s * RATE))
    end = round(span.end_s * RATE)
    if end <= start:
        raise ValueError("a clip must have a length")
    return start, end


def _graph(run: Run) -> str:
    """One pass over the recording: what comes before the first clip is dropped before anything else is done
    with it, and reading ends with the last clip."""
    places = run.places
    ahead_s = max(0, min(start for start, _ in places) // RATE - 1)
    # Some decoders give the first sound after a jump later than asked for; its time says how much.
    began = "STARTPTS+" if run.from_s else ""
    head = (
        f"[0:a:0]asetpts={began}N/SR/TB,asetnsamples=n=16384:p=0,atrim=start={ahead_s - run.from_s},"
        f"asetpts=N/SR/TB,aresample={RATE}:ochl=mono:osf=s16,apad,asplit={len(places)}"
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
