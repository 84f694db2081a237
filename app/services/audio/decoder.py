"""The one decoder of the service: an ffmpeg child process with narrow limits turns an upload into samples."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.exceptions import AudioTooLong, UndecodableAudio, UnsupportedRate
from app.schemas.audio import SAMPLE_RATE, Audio
from app.services.audio.disk import disk_full_translated, refuse_full_disk
from app.services.audio.ffmpeg import Ffmpeg, guarded_input, only_first_audio
from app.services.audio.guarded_process import Finished, RunLimits
from app.services.audio.probe import PROBE_WALL_S, Probe, read_probe

log = logging.getLogger(__name__)

LOWEST_RATE, HIGHEST_RATE = 4_000, 192_000
SAMPLE_BYTES = 2
BYTES_PER_SECOND = SAMPLE_BYTES * SAMPLE_RATE
SOURCE, PCM = "source", "audio.pcm"

BY_COUNT = "asetpts=N/SR/TB,asetnsamples=n=16384:p=0"
"""Time is counted in samples, whatever the file says of it; large frames spare a third of the work."""

SHORTFALL_S = 0.5
"""A recording this much shorter than its container states has lost its end."""
LEAST_AFTER_ERROR_S = 0.1
"""With errors, less sound than this is no recording but a lucky guess."""

UNREADABLE = re.compile(r"\[(?:error|fatal|panic)\]")
CUT_OFF = re.compile(r"corrupt|partial file|prematurely|[Tt]runcat")
"""Of a file that ends too soon ffmpeg often only warns, so its words count too."""
UNSTATED_WAV_SIZE = 0x7FFF_0000
"""Programs that write a WAV into a pipe state 2 or 4 GB, or nothing, and never come back to correct it."""


@dataclass(frozen=True)
class DecodeLimits:
    """``longest_s``: longest recording taken. The rest bounds one run of ffmpeg.

    ``output_bytes`` is for one channel; a recording with two may write twice as much.
    """

    longest_s: float
    wall_s: float
    cpu_s: int
    memory_bytes: int
    output_bytes: int

    @classmethod
    def of(cls, longest_s: float, timeout_s: float, memory_mb: int) -> DecodeLimits:
        # Two seconds more than the longest recording: one that ffmpeg may write, one that it may overshoot.
        output_bytes = math.ceil((longest_s + 2) * BYTES_PER_SECOND)
        return cls(longest_s, timeout_s, math.ceil(timeout_s), memory_mb * 1024 * 1024, output_bytes)

    def run(self, channels: int = 1) -> RunLimits:
        return RunLimits(self.wall_s, self.cpu_s, self.memory_bytes, self.output_bytes * channels)


class Decoder:
    """Thread-safe; each call needs a folder of its own."""

    def __init__(self, ffmpeg: Ffmpeg, limits: DecodeLimits) -> None:
        self._ffmpeg = ffmpeg
        self._limits = limits

    def decode(self, source: Path, folder: Path, stopped: Callable[[], bool] = lambda: False) -> Audio:
        """Decode ``source`` to PCM in ``folder``, which must be private to this recording.

        Two channels are kept apart; more, or an untold number, are mixed to one. ``stopped`` ends it early.
        Raises UndecodableAudio, UnsupportedRate, AudioTooLong or InsufficientStorage, and then leaves nothing
        behind. A file that can be read in part gives that part, with ``damaged`` set.
        """
        link, pcm = folder / SOURCE, folder / PCM
        try:
            with disk_full_translated():
                # A name without an ending: ffmpeg would let the ending help to decide what the file is.
                link.symlink_to(source.resolve(strict=True))
            probe = self._probe(folder, stopped)
            channels = 2 if probe.channels == 2 else 1
            limits = replace(self._limits.run(channels), stopped=stopped)
            finished = self._ffmpeg.run(self._arguments(channels), folder, limits)
            return self._judge(finished, probe, pcm, channels, open_ended=_is_open_ended(source))
        except BaseException:
            pcm.unlink(missing_ok=True)
            raise
        finally:
            link.unlink(missing_ok=True)

    def _arguments(self, channels: int) -> list[str]:
        return [
            "-v", "level+warning", "-filter_threads", "1",
            *guarded_input(SOURCE), *only_first_audio(),
            "-t", f"{self._limits.longest_s + 1:.3f}", "-af", BY_COUNT,
            "-ac", str(channels), "-ar", str(SAMPLE_RATE), "-threads", "1",
            "-f", "s16le", "-y", f"file:{PCM}",
        ]  # fmt: skip

    def _probe(self, folder: Path, stopped: Callable[[], bool]) -> Probe:
        limits = self._limits.run()
        limits = replace(limits, wall_s=min(limits.wall_s, PROBE_WALL_S), stopped=stopped)
        finished = self._ffmpeg.run(["-v", "info", *guarded_input(SOURCE)], folder, limits)
        _refuse_tripped(finished)
        probe = read_probe(finished.messages)
        if not probe.has_audio:
            raise UndecodableAudio("no audio that can be decoded was found in the file")
        if probe.doubtful:
            raise UndecodableAudio("the file is not recognised as a recording")
        if probe.sample_rate is None:
            raise UndecodableAudio("the recording states no sample rate")
        if not LOWEST_RATE <= probe.sample_rate <= HIGHEST_RATE:
            raise UnsupportedRate(
                f"the sample rate is {probe.sample_rate} Hz; "
                f"{LOWEST_RATE} to {HIGHEST_RATE} Hz can be transcribed"
            )
        return probe

    def _judge(
        self, finished: Finished, probe: Probe, pcm: Path, channels: int, *, open_ended: bool
    ) -> Audio:
        """The exit code is not trusted: what counts is what was written, and what was said about it."""
        refuse_full_disk(finished.messages)
        sample_count = pcm.stat().st_size // (SAMPLE_BYTES * channels) if pcm.exists() else 0
        if sample_count > self._limits.longest_s * SAMPLE_RATE:
            raise AudioTooLong(f"the recording is longer than {self._limits.longest_s / 60:g} minutes")
        _refuse_tripped(finished)
        if sample_count == 0:
            raise UndecodableAudio("nothing in the file could be decoded")
        failed = finished.returncode != 0 or UNREADABLE.search(finished.messages) is not None
        if failed and sample_count < LEAST_AFTER_ERROR_S * SAMPLE_RATE:
            raise UndecodableAudio("hardly anything in the file could be decoded")
        audio = Audio(pcm, sample_count, channel_count=channels)
        short = CUT_OFF.search(finished.messages) is not None or (
            probe.stated_s is not None and probe.stated_s - audio.duration_s > SHORTFALL_S
        )
        if not failed and (open_ended or not short):
            return audio
        log.info("audio.damaged", extra={"duration_s": audio.duration_s, "stated_s": probe.stated_s})
        return replace(audio, damaged=True)


def _is_open_ended(source: Path) -> bool:
    """Whether this is a WAV that does not state how long it is, and so cannot be too short."""
    with source.open("rb") as stream:
        head = stream.read(8)
    if head[:4] != b"RIFF" or len(head) < 8:
        return False
    size = int.from_bytes(head[4:], "little")
    return size == 0 or size >= UNSTATED_WAV_SIZE


def _refuse_tripped(finished: Finished) -> None:
    if finished.tripped is not None:
        raise UndecodableAudio(f"decoding was stopped by its {finished.tripped} limit")
