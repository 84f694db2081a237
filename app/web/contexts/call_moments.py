"""Moments of a call with their verdicts, as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.calls import MomentCount
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class VerdictShown:
    """``verdict``: right, wrong or other; with ``other`` what it is instead."""

    verdict: str
    kind: str | None
    subtype: str | None
    note: str | None


@dataclass(frozen=True)
class MomentShown:
    """``source`` in words; ``rule`` of ``playbook`` found it, None where the classifier did alone.

    ``segment`` is None for a moment of the whole call. ``evidence`` is empty where no words lie in it.
    """

    id: str
    number: int
    kind: str
    subtype: str | None
    is_timed: bool
    confidence: float
    role: str
    speaker: str | None
    label: str | None
    segment: int | None
    start_s: float
    end_s: float
    start_cs: int
    end_cs: int
    evidence: str
    why: str
    tip: str
    source: str
    rule: str | None
    playbook: str
    revision: str
    verdict: VerdictShown | None


@dataclass(frozen=True)
class MomentList:
    """``count``, ``kinds`` and ``judged`` are of the whole call. ``may_judge``: verdicts need the words."""

    moments: tuple[MomentShown, ...]
    count: int
    kinds: tuple[MomentCount, ...]
    judged: int
    may_judge: bool
    has_audio: bool


@dataclass(frozen=True)
class MomentOnly:
    """One moment after a verdict."""

    template: ClassVar[str] = "call_moment.html"

    frame: Frame
    call_id: str
    moment: MomentShown
    may_judge: bool
    has_audio: bool


@dataclass(frozen=True)
class ReviewForm:
    """A verdict with all that may be said. ``kinds``, ``subtypes``: what the moment may be instead."""

    moment: MomentShown
    kinds: tuple[Choice, ...]
    subtypes: tuple[Choice, ...]
    verdicts: tuple[Choice, ...]
    longest_note: int


@dataclass(frozen=True)
class ReviewMoment:
    template: ClassVar[str] = "review_moment.html"
    dialog: ClassVar[str] = "review_moment_question.html"

    frame: Frame
    call_id: str
    form: ReviewForm


@dataclass(frozen=True)
class KeepClipForm:
    """A moment to be kept in the library of clips. ``folders``: those that there are."""

    moment: MomentShown
    folders: tuple[str, ...]


@dataclass(frozen=True)
class KeepClip:
    template: ClassVar[str] = "keep_clip.html"
    dialog: ClassVar[str] = "keep_clip_question.html"

    frame: Frame
    call_id: str
    form: KeepClipForm


@dataclass(frozen=True)
class ClipKept:
    """Says on the page that a clip lies in the library now."""

    template: ClassVar[str] = "clip_kept.html"

    title: str
    folder: str | None
