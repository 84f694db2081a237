"""What a reviewer put right about the words of a call, and what is to be judged anew for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.schemas.analysis import Analysis, Notice
from app.schemas.conversation import Conversation
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment
from app.schemas.speaker import SpeakerEdit


@dataclass(frozen=True)
class CorrectText:
    """What one segment says. ``segment`` is its index; None where what was heard of late has no such segment.

    ``heard`` is what it said before, from ``start_s`` to ``end_s`` in ``channel`` (None: there was one
    signal): by these it is found again in another hearing of the recording.
    """

    id: str
    segment: int | None
    text: str
    heard: str
    start_s: float
    end_s: float
    channel: int | None
    corrected_at: datetime

    @property
    def place(self) -> tuple[float, float, str]:
        """Sorts corrections by time."""
        return (self.start_s, self.end_s, self.id)


Edit = SpeakerEdit | CorrectText
"""One correction by a reviewer."""


@dataclass(frozen=True)
class Corrected:
    """What corrections make of an analysis."""

    edits: tuple[Edit, ...]
    analysis: Analysis


@dataclass(frozen=True)
class Draft:
    """A corrected conversation whose segments at ``unjudged`` (places in it) lack sentiment and reading.

    ``engines``: the labels of those who judged the others, by stage.
    """

    conversation: Conversation
    unjudged: tuple[int, ...]
    engines: dict[str, str]


@dataclass(frozen=True)
class Judged:
    """Sentiments and readings of a draft, one a segment. ``engines``: who judged; ``notices`` and
    ``failed_stages``: as in ``Analysis``, of this judging."""

    sentiments: tuple[Sentiment | None, ...]
    readings: tuple[Reading | None, ...]
    engines: dict[str, str]
    notices: tuple[Notice, ...] = ()
    failed_stages: tuple[str, ...] = ()


Judge = Callable[[Draft], Judged]
"""Judges what is unjudged. May raise EngineUnavailable, StageFailed, DeadlineExceeded or Busy."""
