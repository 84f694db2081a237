"""The feeling that a segment's words carry."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

BALANCE_SCALE = 5


class SentimentLabel(StrEnum):
    POSITIVE = "POSITIVE"
    NEGATIVE = "NEGATIVE"
    NEUTRAL = "NEUTRAL"


@dataclass(frozen=True)
class Sentiment:
    """Label, the confidence in it in [0, 1], and the three probabilities (they sum to 1).

    ``score`` is None where nobody could judge: the label is NEUTRAL then, and says nothing.
    """

    label: SentimentLabel
    score: float | None
    positive: float
    neutral: float
    negative: float

    @property
    def is_judged(self) -> bool:
        return self.score is not None

    @property
    def balance(self) -> float:
        """5 × (P(positive) − P(negative)), in [-5, 5]: the scale of metrics, lists and curves."""
        return BALANCE_SCALE * (self.positive - self.negative)


UNJUDGED = Sentiment(SentimentLabel.NEUTRAL, None, positive=0.0, neutral=1.0, negative=0.0)
"""In a language that no engine at hand can judge."""
