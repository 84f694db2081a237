"""How the feeling of a conversation, and of each party, goes from quarter to quarter. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.schemas.conversation import Conversation
from app.schemas.metrics import QuarterSentiment, SentimentCourse
from app.services.metrics.voices import tokens_of

QUARTERS = 4


@dataclass(frozen=True)
class ScoredSegment:
    """A segment that was judged: its score in [-5, 5], its number of words and its quarter of the call."""

    index: int
    speaker: str
    score: float
    words: int
    quarter: int


def score_segments(conversation: Conversation) -> tuple[ScoredSegment, ...]:
    """5 × (P(positive) − P(negative)) of every judged segment, in the quarter that holds its midpoint."""
    scored = []
    for segment, sentiment in zip(conversation.segments, conversation.sentiments, strict=True):
        if sentiment is None or not sentiment.is_judged:
            continue
        middle_s = (segment.start_s + segment.end_s) / 2
        quarter = int(QUARTERS * middle_s / conversation.duration_s) if conversation.duration_s > 0 else 0
        scored.append(
            ScoredSegment(
                index=segment.index,
                speaker=segment.speaker,
                score=sentiment.balance,
                words=sum(bool(tokens_of(word.text)) for word in segment.words),
                quarter=min(max(quarter, 0), QUARTERS - 1),
            )
        )
    return tuple(scored)


def course_of(segments: Sequence[ScoredSegment]) -> SentimentCourse:
    quarters = tuple(
        _mean([segment for segment in segments if segment.quarter == quarter]) for quarter in range(QUARTERS)
    )
    first, last = quarters[0].score, quarters[-1].score
    shift = None if first is None or last is None else round(last - first, 4)
    return SentimentCourse(_mean(segments).score, shift, quarters)


def _mean(segments: Sequence[ScoredSegment]) -> QuarterSentiment:
    words = sum(segment.words for segment in segments)
    total = sum(segment.score * segment.words for segment in segments)
    score = round(total / words, 4) if words else None
    return QuarterSentiment(score, words, tuple(segment.index for segment in segments))
