"""Clips of calls that are kept to be learned from: each with its own copy of the sound."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.schemas.audio import Span
from app.schemas.comment import Keep


class ConsentState(StrEnum):
    """Whether those who are heard agreed that a clip is kept.

    ``unknown``: the clip goes when the time of its call is over. ``recorded``: it stays until it or its call
    is deleted. ``declined``: it is not made, and removed if it is there.
    """

    UNKNOWN = "unknown"
    RECORDED = "recorded"
    DECLINED = "declined"


@dataclass(frozen=True)
class Consent:
    """``recorded_by`` and ``recorded_at``: who took down that consent was given, and when, if told."""

    state: ConsentState = ConsentState.UNKNOWN
    recorded_by: str | None = None
    recorded_at: datetime | None = None


@dataclass(frozen=True)
class NewClip:
    """What is to be kept: a moment, with what was said around it, or the stretch ``span`` (seconds of the
    recording); exactly one of the two is given."""

    call_id: str
    moment_id: str | None = None
    span: Span | None = None
    folder: str | None = None
    title: str | None = None
    note: str | None = None
    consent: Consent = Consent()


@dataclass(frozen=True)
class ExcerptLine:
    """What one speaker says in a clip."""

    speaker: str
    role: str
    text: str


@dataclass(frozen=True)
class KeptClip:
    """A clip. ``start_s`` and ``end_s`` are seconds of the call's recording; its own file begins at 0.

    ``moment_id``, ``type`` and ``subtype`` tell the moment as it was found then, None for a free stretch.
    ``agent_id`` and ``team_id`` are the call's. ``audio_key`` names its own MP3 file in the storage, of
    ``audio_bytes`` bytes.
    """

    id: str
    call_id: str
    moment_id: str | None
    folder: str | None
    title: str
    note: str | None
    start_s: float
    end_s: float
    type: str | None
    subtype: str | None
    excerpt: tuple[ExcerptLine, ...]
    consent: Consent
    audio_key: str
    audio_bytes: int
    audio_sha256: str
    created_at: datetime
    agent_id: str | None = None
    team_id: str | None = None


@dataclass(frozen=True)
class ClipFilter:
    """What a list of clips is narrowed to; an empty ``folder``: those that lie in none."""

    folder: str | None = None
    type: str | None = None
    agent_id: str | None = None
    team_id: str | None = None
    call_id: str | None = None
    consent: ConsentState | None = None


@dataclass(frozen=True)
class ClipChange:
    """What is to be another about a clip; None as ``folder`` or ``note`` takes it away."""

    folder: str | Keep | None = Keep.KEEP
    title: str | None = None
    note: str | Keep | None = Keep.KEEP
    consent: Consent | None = None


@dataclass(frozen=True)
class ClipFolder:
    """A folder of clips and how many lie in it; None: in no folder."""

    folder: str | None
    clips: int
