"""The feeling that a segment's words carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SentimentLabel(StrEnum):
    POSITIVE = "POSITIVE"
    NEGATIVE = "NEGATIVE"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True)
class Sentiment:
    """Label, the confidence in it in [0, 1], and the three probabilities (they sum to 1)."""

    label: SentimentLabel
    score: float
    positive: float
    neutral: float
    negative: float
