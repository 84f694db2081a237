"""Calls of any length for measurements of speed: real speech in turns, and pauses in which nobody speaks."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.schemas.audio import SAMPLE_RATE, Audio
from app.services.audio.vad import VoiceActivity
from tests.process.service import ROOT
from tests.services.audio.recordings import SHARED, convert, make_decoder, write_channels

Samples = NDArray[np.float32]

AGENT, CALLER = "aws_auto_repairs_49_agent_8k.wav", "aws_auto_repairs_49_caller_8k.wav"
DEMO_CALL = ROOT / "samples" / "demo_call.mp3"
LEAST_TURN_S, LONGEST_TURN_S = 1.0, 12.0
LINE_NOISE = 10 ** (-65 / 20)
SEED = 20261123
ENCODING = ("-ar", "16000", "-c:a", "libmp3lame", "-b:a", "48k")
"""Two hours of it are under the largest upload that the service takes by default."""


class SpeechCalls:
    """Writes MP3 files under ``folder``. What is said comes from a real call, or from the demo call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        files = [SHARED / AGENT, SHARED / CALLER]
        if not all(file.is_file() for file in files):
            files = [DEMO_CALL, DEMO_CALL]
        self._said = [_stretches(file, folder) for file in files]

    def two_channel(self, name: str, length_s: float, silent_share: float) -> Path:
        """Two parties take turns, each in a channel; for ``silent_share`` of the call nobody speaks."""
        signal = _line_noise(length_s, 2)
        for channel, at, turn in self._turns(length_s, silent_share):
            signal[at : at + len(turn), channel] += turn[: len(signal) - at]
        return self._write(name, signal)

    def mixed(self, name: str, length_s: float, silent_share: float) -> Path:
        """The same in one channel."""
        signal = _line_noise(length_s, 1)
        for _, at, turn in self._turns(length_s, silent_share):
            signal[at : at + len(turn), 0] += turn[: len(signal) - at]
        return self._write(name, signal)

    def _turns(self, length_s: float, silent_share: float) -> Iterator[tuple[int, int, Samples]]:
        """Channel, first sample and samples of each turn."""
        at, end = 0, round(length_s * SAMPLE_RATE)
        said = [cycle(stretches) for stretches in self._said]
        for channel in cycle(range(len(said))):
            turn = next(said[channel])
            yield channel, at, turn
            at += round(len(turn) / (1 - silent_share))
            if at >= end:
                return

    def _write(self, name: str, signal: Samples) -> Path:
        plain = write_channels(self._folder / "call.wav", np.clip(signal, -1, 1), SAMPLE_RATE)
        written = convert(plain, self._folder / f"{name}.mp3", *ENCODING)
        plain.unlink()
        return written


def channels_of(recording: Path, folder: Path, length_s: float) -> list[Samples]:
    """Each channel as the service decodes it, at 16 kHz, cut to ``length_s``."""
    audio = make_decoder(longest_s=length_s).decode(recording, folder)
    count = round(length_s * SAMPLE_RATE)
    return [audio.of_channel(channel).read()[:count] for channel in range(audio.channel_count)]


def _stretches(recording: Path, folder: Path) -> list[Samples]:
    scratch = folder / "decoded"
    scratch.mkdir(exist_ok=True)
    audio: Audio = make_decoder().decode(recording, scratch).of_channel(None)
    found = []
    for span in VoiceActivity().detect(audio):
        longest = round(LONGEST_TURN_S * SAMPLE_RATE)
        if span.length_s >= LEAST_TURN_S:
            found.append(audio.read(span)[:longest])
    return found


def _line_noise(length_s: float, channels: int) -> Samples:
    chance = np.random.default_rng(SEED)
    noise = chance.standard_normal((round(length_s * SAMPLE_RATE), channels), dtype=np.float32)
    return noise * np.float32(LINE_NOISE)
