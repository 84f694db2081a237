"""What a list shows of a result: small numbers, so that no list reads metrics or segments."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from app.schemas.analysis import Analysis

CURVE_PARTS = 24


@dataclass(frozen=True)
class Overview:
    """Sentiment is in [-5, 5]; ``quarters`` (four, or none without metrics) and ``curve`` are in order of
    time, None where nothing was judged. ``curve``: equal parts of the call, at most ``CURVE_PARTS``.
    ``share_of_speech`` is the agent's, in [0, 1].
    """

    share_of_speech: float | None = None
    sentiment_score: float | None = None
    sentiment_shift: float | None = None
    quarters: tuple[float | None, ...] = ()
    curve: tuple[float | None, ...] = ()

    @classmethod
    def of(cls, analysis: Analysis) -> Overview:
        metrics = analysis.metrics
        judged = [
            (part.segment.start_s, part.segment.end_s, feeling.balance)
            for part in analysis.segments
            if (feeling := part.sentiment) is not None and feeling.is_judged
        ]
        curve = curve_of(analysis.duration_s, judged)
        if metrics is None:
            return cls(curve=curve)
        return cls(
            share_of_speech=metrics.share_of_speech,
            sentiment_score=metrics.sentiment.score,
            sentiment_shift=metrics.sentiment.shift,
            quarters=tuple(quarter.score for quarter in metrics.sentiment.quarters),
            curve=curve,
        )


def curve_of(duration_s: float, judged: Iterable[tuple[float, float, float]]) -> tuple[float | None, ...]:
    """Mean score of each part of the call, weighted by time; ``judged``: start, end and score of a segment.

    There are no more parts than judged segments.
    """
    stretches = list(judged)
    parts = min(CURVE_PARTS, len(stretches))
    step_s = duration_s / parts if parts else 0.0
    if not 0 < step_s < math.inf:
        return ()
    totals, weights = [0.0] * parts, [0.0] * parts
    for start_s, end_s, score in stretches:
        first, last = (int(min(parts - 1.0, max(0.0, at_s / step_s))) for at_s in (start_s, end_s))
        for part in range(first, max(first, last) + 1):
            within_s = min(end_s, (part + 1) * step_s) - max(start_s, part * step_s)
            weight = max(within_s, 1e-6)
            totals[part] += score * weight
            weights[part] += weight
    pairs = zip(totals, weights, strict=True)
    return tuple(round(total / weight, 2) if weight else None for total, weight in pairs)
