"""Reels: moments of one call or several, to be heard one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ReelSource(StrEnum):
    """What is heard of each moment: what happened told by a voice; the recording; or the recording between a
    spoken introduction and the spoken tip."""

    TTS = "tts"
    ORIGINAL = "original"
    NARRATED = "narrated"

    @property
    def needs_recording(self) -> bool:
        return self is not ReelSource.TTS


@dataclass(frozen=True)
class MomentFilter:
    """Which moments are wanted; empty and None: any.

    ``min_confidence`` is in [0, 1]; without one, those of a call that count as coachable are taken.
    """

    types: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    role: str | None = None
    min_confidence: float | None = None


@dataclass(frozen=True)
class ReelWish:
    """How moments become a reel. ``max_seconds`` keeps the strongest whose joint length fits."""

    source: ReelSource = ReelSource.TTS
    max_seconds: float | None = None


@dataclass(frozen=True)
class MomentRef:
    """A moment by its public id."""

    call_id: str
    moment_id: str


@dataclass(frozen=True)
class Cue:
    """One moment of a reel: where it lies in the reel, and what it shows of its call. Times in seconds.

    ``title`` and ``tip`` are words of ours, never of the call. ``call_start_s`` and ``call_end_s``: the
    stretch of the recording that is heard, or, where none is, that the moment is about. ``unspoken`` names
    what no voice could be had for: ``intro``, ``tip`` or ``moment``.
    """

    call_id: str
    moment_id: str
    type: str
    subtype: str | None
    title: str
    start_s: float
    end_s: float
    call_start_s: float
    call_end_s: float
    speaker: str | None
    role: str
    confidence: float
    tip: str
    unspoken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reel:
    """A rendered reel: an MP3 file in the storage, and its cues in order.

    ``reel_id`` is a digest of all that the rendering hangs on. ``engine`` names the voices that spoke, empty
    where none did.
    """

    reel_id: str
    audio_key: str
    audio_bytes: int
    duration_s: float
    source: ReelSource
    engine: str
    cues: tuple[Cue, ...]
    created_at: datetime

    @property
    def call_ids(self) -> tuple[str, ...]:
        """Its calls, in the order in which they are first heard."""
        return tuple(dict.fromkeys(cue.call_id for cue in self.cues))

    @property
    def unspoken(self) -> int:
        """How many of its moments lack speech that they should have."""
        return sum(bool(cue.unspoken) for cue in self.cues)
