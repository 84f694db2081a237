"""Recordings for the tests of audio: the real ones, and small ones made on the spot."""

from __future__ import annotations

import json
import subprocess
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.services.audio.decoder import DecodeLimits, Decoder
from app.services.audio.ffmpeg import Ffmpeg, find_ffmpeg

SHARED = Path(__file__).resolve().parents[4] / "shared" / "audio"
HEADERLESS = "goforward_16k_s16le.raw"

needs_recordings = pytest.mark.skipif(
    not (SHARED / "manifest.json").is_file(), reason="the real recordings are not beside the repository"
)


@dataclass(frozen=True)
class Recording:
    file: str
    seconds: float
    channels: int
    kind: str
    segments: tuple[tuple[float, float, str], ...]

    @property
    def path(self) -> Path:
        return SHARED / self.file


@cache
def real_recordings() -> tuple[Recording, ...]:
    """All that have a container, or nothing where they are absent."""
    if not (SHARED / "manifest.json").is_file():
        return ()
    entries: list[dict[str, Any]] = json.loads((SHARED / "manifest.json").read_text("utf-8"))
    return tuple(
        Recording(
            entry["file"],
            entry["seconds"],
            entry["channels"],
            entry["kind"],
            tuple((part["start"], part["end"], part["speaker"]) for part in entry.get("segments", ())),
        )
        for entry in entries
        if entry["file"] != HEADERLESS
    )


@cache
def ffmpeg() -> Ffmpeg:
    return Ffmpeg(find_ffmpeg(None))


@cache
def encoders() -> frozenset[str]:
    said = subprocess.run(
        [ffmpeg().program, "-hide_banner", "-encoders"], capture_output=True, text=True, check=True
    ).stdout
    return frozenset(line.split()[1] for line in said.splitlines() if line.startswith(" A"))


def make_limits(**changes: Any) -> DecodeLimits:
    values: dict[str, Any] = {
        "longest_s": 600.0,
        "wall_s": 60.0,
        "cpu_s": 60,
        "memory_bytes": 768 * 1024 * 1024,
        "output_bytes": 64 * 1024 * 1024,
    }
    return DecodeLimits(**{**values, **changes})


def make_decoder(**changes: Any) -> Decoder:
    return Decoder(ffmpeg(), make_limits(**changes))


def sweep(seconds: float, rate: int) -> np.ndarray[Any, Any]:
    """A tone that rises from 200 to 1,500 Hz, in [-0.5, 0.5]."""
    time = np.arange(round(seconds * rate)) / rate
    return 0.5 * np.sin(2 * np.pi * (200 * time + 650 * time**2 / seconds))


def write_wav(path: Path, samples: np.ndarray[Any, Any], rate: int, channels: int = 1) -> Path:
    """The same samples, shape (n,), in each of the channels."""
    return write_channels(path, np.repeat(samples[:, None], channels, axis=1), rate)


def write_channels(path: Path, samples: np.ndarray[Any, Any], rate: int) -> Path:
    """Samples in [-1, 1] of shape (n, channels)."""
    with wave.open(str(path), "wb") as target:
        target.setnchannels(samples.shape[1])
        target.setsampwidth(2)
        target.setframerate(rate)
        target.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
    return path


def convert(source: Path, target: Path, *options: str) -> Path:
    """Make ``target`` with plain ffmpeg: these are the tests' own files."""
    subprocess.run(
        [ffmpeg().program, "-nostdin", "-v", "error", "-i", source, *options, "-y", target],
        check=True, capture_output=True,
    )  # fmt: skip
    return target
