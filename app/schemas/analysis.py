"""The whole result of one analysis of one recording."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from app.schemas.conversation import Conversation
from app.schemas.metrics import Metrics
from app.schemas.moment import Moment
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment
from app.schemas.speaker import Speaker
from app.schemas.transcript import Segment


class CallStatus(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    COMPLETED_WITH_WARNINGS = "completed_with_warnings"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (CallStatus.QUEUED, CallStatus.PROCESSING)

    @property
    def is_complete(self) -> bool:
        return self in (CallStatus.COMPLETED, CallStatus.COMPLETED_WITH_WARNINGS)


@dataclass(frozen=True)
class Notice:
    """Something that a reader of the result should know; ``code`` is stable, ``message`` is for people."""

    stage: str
    code: str
    message: str


@dataclass(frozen=True)
class AnalysedSegment:
    """A segment with what was found in it. ``sentiment`` and ``reading`` are None where their stages are off,
    failed or do not know the language."""

    segment: Segment
    sentiment: Sentiment | None
    moments: tuple[Moment, ...]
    is_coachable: bool
    coachable_type: str | None
    reading: Reading | None = None


@dataclass(frozen=True)
class Analysis:
    """Everything the pipeline found. Times in seconds from the start of the recording.

    ``loudness`` and ``separate_channels`` are those of ``Conversation``. ``metrics`` is None where that
    stage failed. ``call_moments`` belong to the call and to no segment.
    """

    duration_s: float
    language: str | None
    language_confidence: float | None
    segments: tuple[AnalysedSegment, ...]
    engines: dict[str, str]
    degraded: bool
    warnings: tuple[Notice, ...] = field(default=())
    playbook: str = ""
    playbook_revision: str = ""
    failed_stages: tuple[str, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    metrics: Metrics | None = None
    call_moments: tuple[Moment, ...] = ()
    loudness: tuple[tuple[float, ...], ...] = ()
    separate_channels: bool = False

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All moments in order of time, those of segments and those of the call."""
        found = [moment for analysed in self.segments for moment in analysed.moments]
        return tuple(sorted((*found, *self.call_moments), key=lambda moment: moment.place))

    @property
    def conversation(self) -> Conversation:
        """What metrics and moments are made from."""
        return Conversation(
            duration_s=self.duration_s,
            segments=tuple(analysed.segment for analysed in self.segments),
            sentiments=tuple(analysed.sentiment for analysed in self.segments),
            speakers=self.speakers,
            loudness=self.loudness,
            separate_channels=self.separate_channels,
            language=self.language,
            readings=tuple(analysed.reading for analysed in self.segments),
        )

    @property
    def no_speech(self) -> bool:
        return not self.segments

    @property
    def status(self) -> CallStatus:
        return CallStatus.COMPLETED_WITH_WARNINGS if self.failed_stages else CallStatus.COMPLETED

    @property
    def transcript(self) -> str:
        return " ".join(analysed.segment.text for analysed in self.segments)
