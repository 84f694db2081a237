"""The HTTP vocabulary: what clients get, as OpenAPI shows it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.analysis import AnalysedSegment, Analysis, CallStatus
from app.schemas.call import CallRecord
from app.schemas.correction import CorrectText
from app.schemas.metrics import Metrics
from app.schemas.moment_models import MomentModel
from app.schemas.review import MomentReview
from app.schemas.review_models import ReviewModel
from app.schemas.speaker import Role, RoleSource, Speaker


class WordModel(BaseModel):
    """One word with its time; ``confidence`` is null where the engine gives none.

    ``estimated``: the engine gave it no times, so they were spread over what it did time.
    """

    text: str
    start_time: float
    end_time: float
    confidence: float | None
    estimated: bool = False


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


class SegmentModel(BaseModel):
    """Consecutive words of one speaker; ``corrected``: a reviewer put right what they are."""

    index: int
    speaker: str
    role: Role
    role_confidence: float = Field(ge=0, le=1)
    start_time: float = Field(description="Seconds from the start of the recording.")
    end_time: float
    text: str
    sentiment: Literal["POSITIVE", "NEGATIVE", "NEUTRAL"] | None
    sentiment_score: float | None = Field(
        ge=0,
        le=1,
        description="Confidence in the label; null beside NEUTRAL in a language that no engine here judges.",
    )
    is_coachable: bool
    coachable_type: str | None
    moments: list[MomentModel]
    words: list[WordModel]
    corrected: bool = False

    @classmethod
    def of(cls, analysed: AnalysedSegment, role_confidence: float) -> SegmentModel:
        segment, sentiment = analysed.segment, analysed.sentiment
        return cls(
            index=segment.index,
            speaker=segment.speaker,
            role=Role(segment.role),
            role_confidence=round(role_confidence, 4),
            start_time=round(segment.start_s, 3),
            end_time=round(segment.end_s, 3),
            text=segment.text,
            sentiment=sentiment.label.value if sentiment else None,
            sentiment_score=_rounded(sentiment.score) if sentiment else None,
            is_coachable=analysed.is_coachable,
            coachable_type=analysed.coachable_type,
            moments=[MomentModel.of(moment) for moment in analysed.moments],
            words=[
                WordModel(
                    text=word.text,
                    start_time=round(word.start_s, 3),
                    end_time=round(word.end_s, 3),
                    confidence=_rounded(word.confidence),
                    estimated=word.estimated,
                )
                for word in segment.words
            ],
        )


class SpeakerModel(BaseModel):
    """A voice of the call, its role, how sure that is, and what it rests on."""

    id: str
    role: Role
    role_confidence: float = Field(ge=0, le=1)
    role_source: RoleSource
    name: str | None
    channel: int | None = Field(description="The channel in which it was heard; null where there was one.")

    @classmethod
    def of(cls, speaker: Speaker) -> SpeakerModel:
        return cls(
            id=speaker.id,
            role=speaker.role,
            role_confidence=round(speaker.role_confidence, 4),
            role_source=speaker.role_source,
            name=speaker.name,
            channel=speaker.channel,
        )


class NoticeModel(BaseModel):
    """Something that a reader of the result should know; ``code`` is stable."""

    stage: str
    code: str
    message: str


AUDIO_MISSING = NoticeModel(
    stage="storage", code="audio_missing", message="the recording is not in the storage any more"
)


class FailureModel(BaseModel):
    """Why a call failed."""

    code: str
    stage: str | None
    detail: str


class PlaybookModel(BaseModel):
    """The rules that found the moments."""

    name: str
    revision: str


class CallResult(BaseModel):
    """A call with everything that was found in it. Times are seconds from the start of the recording."""

    call_id: str
    status: CallStatus
    transcript: str
    speakers: list[SpeakerModel] = []
    segments: list[SegmentModel]
    moments: list[MomentModel] = Field(
        [], description="All moments in order of time: those of the segments and those of the call."
    )
    metrics: Metrics | None = None
    separate_channels: bool = Field(False, description="Each party was recorded in a channel of its own.")
    duration_seconds: float | None
    language: str | None
    language_confidence: float | None = None
    no_speech: bool = False
    degraded: bool
    warnings: list[NoticeModel]
    engines: dict[str, str]
    playbook: PlaybookModel | None = None
    agent_id: str | None = None
    team_id: str | None = None
    customer_id: str | None = None
    started_at: datetime | None = None
    direction: str | None = None
    metadata: dict[str, str] = {}
    created_at: datetime | None = None
    completed_at: datetime | None = None
    stage: str | None = Field(None, description="The stage in work, or in which the call failed.")
    error: FailureModel | None = Field(None, description="Why the call, or its latest rerun, failed.")
    percent: float = Field(100.0, description="How much of the work is done; 100 only with a result.")
    queue_position: int | None = Field(None, description="Place in the queue, 1 is next, while it waits.")
    attempts: int = Field(0, description="How often the work was begun.")
    priority: int = 0
    duplicate_of: str | None = Field(None, description="The first call with the same recording.")
    legal_hold: bool = Field(False, description="Nothing of the call is removed.")
    audio_deleted_at: datetime | None = Field(
        None, description="When the recording was removed, as `AUDIO_RETENTION_DAYS` says."
    )
    text_deleted_at: datetime | None = Field(
        None,
        description="When the words went, as `TEXT_RETENTION_DAYS` says: numbers and times stay.",
    )

    @classmethod
    def of(
        cls, record: CallRecord, analysis: Analysis | None, queue_position: int | None = None
    ) -> CallResult:
        failure = record.failure
        fields = analysis_fields(analysis)
        if record.audio_missing_at is not None:
            fields["warnings"] = [*fields["warnings"], AUDIO_MISSING]
        if record.text_deleted_at is not None and analysis is not None:
            fields["no_speech"] = not analysis.speakers  # whoever spoke is still known
        return cls(
            call_id=record.call_id,
            status=record.status,
            duration_seconds=_seconds(analysis.duration_s if analysis else record.duration_s),
            agent_id=record.agent_id,
            team_id=record.team_id,
            customer_id=record.customer_id,
            started_at=record.started_at,
            direction=record.direction,
            metadata=record.metadata,
            created_at=record.created_at,
            completed_at=record.completed_at,
            stage=failure.stage if failure else record.stage,
            error=FailureModel(code=failure.code, stage=failure.stage, detail=failure.detail)
            if failure
            else None,
            percent=record.percent,
            queue_position=queue_position,
            attempts=record.attempts,
            priority=record.priority,
            duplicate_of=record.duplicate_of,
            legal_hold=record.legal_hold,
            audio_deleted_at=record.audio_deleted_at,
            text_deleted_at=record.text_deleted_at,
            **fields,
        )

    def with_reviews(self, reviews: Iterable[MomentReview]) -> CallResult:
        """The same call, each moment with the verdict on it."""
        verdicts = {review.moment_id: ReviewModel.of(review) for review in reviews}
        in_segments = (moment for segment in self.segments for moment in segment.moments)
        for moment in (*self.moments, *in_segments):
            moment.review = verdicts.get(moment.id)
        return self

    def with_corrections(self, corrections: Iterable[CorrectText]) -> CallResult:
        """The same call, with a mark at each segment whose text was corrected."""
        corrected = {correction.segment for correction in corrections}
        for segment in self.segments:
            segment.corrected = segment.index in corrected
        return self

    @classmethod
    def of_file(cls, call_id: str, analysis: Analysis) -> CallResult:
        """The same document for a recording that was analysed without being stored."""
        return cls(
            call_id=call_id,
            status=analysis.status,
            duration_seconds=_seconds(analysis.duration_s),
            **analysis_fields(analysis),
        )


def analysis_fields(analysis: Analysis | None) -> dict[str, Any]:
    """The fields of CallResult that come from an analysis, or their empty values."""
    if analysis is None:
        return {
            "transcript": "",
            "segments": [],
            "language": None,
            "degraded": False,
            "warnings": [],
            "engines": {},
        }
    confidence = analysis.language_confidence
    sureness = {speaker.id: speaker.role_confidence for speaker in analysis.speakers}
    return {
        "transcript": analysis.transcript,
        "speakers": [SpeakerModel.of(speaker) for speaker in analysis.speakers],
        "segments": [
            SegmentModel.of(analysed, sureness.get(analysed.segment.speaker, 0.0))
            for analysed in analysis.segments
        ],
        "moments": [MomentModel.of(moment) for moment in analysis.moments],
        "metrics": analysis.metrics,
        "separate_channels": analysis.separate_channels,
        "language": analysis.language,
        "language_confidence": None if confidence is None else round(confidence, 4),
        "no_speech": analysis.no_speech,
        "degraded": analysis.degraded,
        "warnings": [
            NoticeModel(stage=notice.stage, code=notice.code, message=notice.message)
            for notice in analysis.warnings
        ],
        "engines": analysis.engines,
        "playbook": PlaybookModel(name=analysis.playbook, revision=analysis.playbook_revision),
    }


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


class Problem(BaseModel):
    """RFC 9457: the shape of every error. ``code`` is stable; ``detail`` is for people."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:darwix:problem:call_not_found",
                "title": "There is no such call",
                "status": 404,
                "detail": "there is no call CALL-001",
                "instance": "/calls/CALL-001",
                "code": "call_not_found",
                "request_id": "5f6d8f4889874a78bf40e73051232a49",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: list[dict[str, str]] | None = None
