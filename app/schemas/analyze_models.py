"""A finished transcript to be analysed, as clients send it, and what was found in it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.metrics import Metrics
from app.schemas.models import (
    NoticeModel,
    PlaybookModel,
    SegmentModel,
    SpeakerModel,
    WordModel,
    analysis_fields,
)
from app.schemas.moment_models import MomentModel
from app.schemas.playbook import PLAYBOOK_PATTERN
from app.schemas.requests import Id, Language, SpeakerId
from app.schemas.sentiment import Sentiment
from app.schemas.speaker import Role

MOST_SEGMENTS = 5000
LONGEST_TEXT = 10_000
MOST_SPEAKERS = 20
LONGEST_S = 24 * 3600

_UNTIMED_SEGMENT: dict[str, Any] = {"start_time": None, "end_time": None, "words": []}
Seconds = Annotated[float, Field(ge=0, le=LONGEST_S, allow_inf_nan=False)]


class GivenSegmentModel(BaseModel):
    """What one party says."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=LONGEST_TEXT)
    speaker: SpeakerId | None = Field(None, description="Without it, the role tells the speakers apart.")
    role: Role = Field(
        Role.UNKNOWN, description="Found out, as for recordings, where no segment has a role but `unknown`."
    )
    start_time: Seconds | None = Field(None, description="Seconds from the start of the recording.")
    end_time: Seconds | None = None

    @field_validator("text")
    @classmethod
    def _something(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("must hold something that was said")
        return value

    @field_validator("role", mode="before")
    @classmethod
    def _null_is_unknown(cls, value: object) -> object:
        return Role.UNKNOWN if value is None else value


class AnalyzeRequest(BaseModel):
    """A finished transcript. Times are in all of its segments or in none."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "language": "en",
                "segments": [
                    {"speaker": "Dana", "role": "agent", "text": "It comes to nine hundred a month."},
                    {"speaker": "Sam", "role": "customer", "text": "That is too expensive for us."},
                ],
            }
        },
    )

    segments: list[GivenSegmentModel] = Field(min_length=1, max_length=MOST_SEGMENTS)
    language: Annotated[Language, BeforeValidator(lambda value: value or "en")] = "en"
    playbook: str | None = Field(
        None, pattern=PLAYBOOK_PATTERN, description="Name of the one whose rules find moments."
    )
    call_id: Id | None = Field(
        None,
        description="An existing call, whose result this becomes. Without it nothing is stored.",
    )

    @field_validator("segments")
    @classmethod
    def _few_speakers(cls, value: list[GivenSegmentModel]) -> list[GivenSegmentModel]:
        if len({part.speaker for part in value}) > MOST_SPEAKERS:
            raise ValueError(f"must have at most {MOST_SPEAKERS} speakers")
        return value


class ProbabilitiesModel(BaseModel):
    """How probable each label is; they sum to 1."""

    positive: float = Field(ge=0, le=1)
    neutral: float = Field(ge=0, le=1)
    negative: float = Field(ge=0, le=1)

    @classmethod
    def of(cls, sentiment: Sentiment | None) -> ProbabilitiesModel | None:
        """None where nobody judged."""
        if sentiment is None or sentiment.score is None:
            return None
        return cls(
            positive=round(sentiment.positive, 4),
            neutral=round(sentiment.neutral, 4),
            negative=round(sentiment.negative, 4),
        )


class TextSegmentModel(BaseModel):
    """A segment as it was given, with what was found in it; `words` where there are times, estimated ones."""

    speaker: str
    role: Role
    role_confidence: float = Field(ge=0, le=1)
    start_time: float | None
    end_time: float | None
    text: str = Field(description="As it was given, with single spaces.")
    sentiment: Literal["POSITIVE", "NEGATIVE", "NEUTRAL"] | None
    sentiment_score: float | None = Field(ge=0, le=1, description="Confidence in the label.")
    sentiment_probabilities: ProbabilitiesModel | None
    is_coachable: bool
    coachable_type: str | None
    moments: list[MomentModel]
    words: list[WordModel]

    @classmethod
    def of(cls, shown: SegmentModel, analysed: AnalysedSegment, *, is_timed: bool) -> TextSegmentModel:
        fields = dict(shown) if is_timed else {**dict(shown), **_UNTIMED_SEGMENT}
        return cls(**fields, sentiment_probabilities=ProbabilitiesModel.of(analysed.sentiment))


class AnalyzeResult(BaseModel):
    """What was found in a transcript. Without times in it there are none in the answer, and no metrics."""

    call_id: str | None
    language: str | None
    duration_seconds: float | None
    speakers: list[SpeakerModel]
    segments: list[TextSegmentModel]
    moments: list[MomentModel] = Field(description="All moments in order, whatever their confidence.")
    metrics: Metrics | None
    playbook: PlaybookModel
    engines: dict[str, str]
    degraded: bool
    warnings: list[NoticeModel]

    @classmethod
    def of(cls, analysis: Analysis, call_id: str | None, *, is_timed: bool) -> AnalyzeResult:
        fields = analysis_fields(analysis)
        result = cls(
            call_id=call_id,
            duration_seconds=round(analysis.duration_s, 3) if is_timed else None,
            segments=[
                TextSegmentModel.of(shown, analysed, is_timed=is_timed)
                for shown, analysed in zip(fields.pop("segments"), analysis.segments, strict=True)
            ],
            **{name: value for name, value in fields.items() if name in cls.model_fields},
        )
        return result if is_timed else result._without_times()

    def _without_times(self) -> AnalyzeResult:
        in_segments = (moment for segment in self.segments for moment in segment.moments)
        for moment in (*self.moments, *in_segments):
            moment.evidence.start_time = moment.evidence.end_time = None
        return self
