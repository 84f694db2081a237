"""The HTTP vocabulary of lists of calls."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from app.schemas.analysis import CallStatus
from app.schemas.call import CallSummary
from app.schemas.models import FailureModel
from app.schemas.overview import Overview
from app.schemas.search import TextMatch
from app.schemas.speaker import Role


class SentimentSummary(BaseModel):
    """The feeling of a call, from -5 to 5; null where nothing was judged."""

    score: float | None
    shift: float | None = Field(description="Fourth quarter of the call minus the first.")
    quarters: list[float | None]
    curve: list[float | None] = Field(description="Equal parts of the call, 24 at most.")


class TextMatchModel(BaseModel):
    """Where the words that were searched for were said: the segment that holds most of them.

    ``marks``: start and end of each of them in ``text``, counted in characters (Unicode code points).
    """

    segment: int
    start_time: float
    speaker: str
    role: Role
    text: str = Field(description="Cut to what surrounds the first mark, with … where it was cut.")
    marks: list[tuple[int, int]]

    @classmethod
    def of(cls, match: TextMatch) -> TextMatchModel:
        return cls(
            segment=match.segment,
            start_time=round(match.start_s, 3),
            speaker=match.speaker,
            role=Role(match.role),
            text=match.text,
            marks=list(match.marks),
        )


class CallListItem(BaseModel):
    """One line of the list of calls; ``moments`` counts them by type."""

    call_id: str
    status: CallStatus
    agent_id: str | None
    team_id: str | None
    customer_id: str | None
    started_at: datetime | None
    direction: str | None
    created_at: datetime
    completed_at: datetime | None
    duration_seconds: float | None
    language: str | None
    degraded: bool
    moments: dict[str, int]
    error: FailureModel | None
    legal_hold: bool = False
    audio_deleted_at: datetime | None = None
    text_deleted_at: datetime | None = None
    stage: str | None = Field(None, description="The stage in work, or in which the call failed.")
    percent: float = Field(100.0, description="How much of the work is done; 100 only with a result.")
    queue_position: int | None = Field(None, description="Place in the queue, 1 is next, while it waits.")
    share_of_speech: float | None = Field(None, description="The agent's part of all speech.")
    sentiment: SentimentSummary | None = None
    match: TextMatchModel | None = Field(None, description="Only with `q`.")

    @classmethod
    def of(cls, summary: CallSummary) -> CallListItem:
        call, overview, match = summary.call, summary.overview, summary.match
        failure = call.failure
        return cls(
            call_id=call.call_id,
            status=call.status,
            agent_id=call.agent_id,
            team_id=call.team_id,
            customer_id=call.customer_id,
            started_at=call.started_at,
            direction=call.direction,
            created_at=call.created_at,
            completed_at=call.completed_at,
            duration_seconds=None if call.duration_s is None else round(call.duration_s, 3),
            language=summary.language,
            degraded=summary.degraded,
            moments=summary.moments,
            error=FailureModel(code=failure.code, stage=failure.stage, detail=failure.detail)
            if failure
            else None,
            legal_hold=call.legal_hold,
            audio_deleted_at=call.audio_deleted_at,
            text_deleted_at=call.text_deleted_at,
            stage=failure.stage if failure else call.stage,
            percent=round(call.percent, 1),
            queue_position=summary.queue_position,
            share_of_speech=round(overview.share_of_speech, 4)
            if overview and overview.share_of_speech is not None
            else None,
            sentiment=_sentiment(overview) if overview else None,
            match=TextMatchModel.of(match) if match else None,
        )


def _sentiment(overview: Overview) -> SentimentSummary | None:
    if not overview.curve:
        return None
    return SentimentSummary(
        score=overview.sentiment_score,
        shift=overview.sentiment_shift,
        quarters=list(overview.quarters),
        curve=list(overview.curve),
    )


class CallPage(BaseModel):
    """A page of calls, newest first; ``next_cursor`` is null on the last."""

    items: list[CallListItem]
    next_cursor: str | None
