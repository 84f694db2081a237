"""A reviewer's verdict on a moment, with what it was passed on: it outlives the analysis that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.schemas.utterance import Before


class Verdict(StrEnum):
    """Whether the moment is what it was found to be; ``other``: it is a moment, but of another type."""

    RIGHT = "right"
    WRONG = "wrong"
    OTHER = "other"


@dataclass(frozen=True)
class Opinion:
    """What the reviewer says. ``correct_type`` and ``correct_subtype`` are given with ``other`` alone."""

    verdict: Verdict
    correct_type: str | None = None
    correct_subtype: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class FoundMoment:
    """The moment as it was found. ``start_s`` and ``end_s``: its span, in seconds from the call's start.

    ``start_char`` and ``end_char`` are the place of ``evidence`` in its segment's text.
    """

    type: str
    subtype: str | None
    confidence: float
    source: str
    rule: str
    playbook: str
    revision: str
    role: str
    evidence: str
    start_char: int
    end_char: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class SegmentReviewed:
    """The segment that holds the moment, as it was then.

    ``labels``: every type found in its words (``objection/price``), the moment's own among them.
    ``before``: the turn of another speaker just before it.
    """

    text: str
    role: str
    labels: tuple[str, ...]
    before: Before | None


@dataclass(frozen=True)
class MomentReview:
    """One verdict. ``segment`` is None for a moment of the whole call, and once the words were deleted."""

    call_id: str
    moment_id: str
    opinion: Opinion
    moment: FoundMoment
    language: str | None
    segment: SegmentReviewed | None
    reviewed_at: datetime


def label_of(type_: str, subtype: str | None) -> str:
    """A type with its subtype, as one word: ``objection/price``, ``hesitation``."""
    return type_ if subtype is None else f"{type_}/{subtype}"
