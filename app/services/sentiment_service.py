"""Sentiment of texts by a named engine: windows, one batch a call, one answer a text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.core.config import Settings
from app.core.registry import Instances
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.utterance import Utterance
from app.services.engine_failures import told_as_failure_of
from app.services.sentiment.base import SentimentEngine, SentimentScores
from app.services.sentiment.registry import SENTIMENT_ENGINES

NOTHING_SAID = Sentiment(SentimentLabel.NEUTRAL, score=1.0, positive=0.0, neutral=1.0, negative=0.0)
_SLACK = 1e-3
"""How far the three probabilities of an engine may be from summing to 1."""


class SentimentService:
    """Thread-safe. Engines are made on first use, or given (``engines``, by registry name)."""

    def __init__(self, settings: Settings, engines: Mapping[str, SentimentEngine] | None = None) -> None:
        self._engines = Instances(SENTIMENT_ENGINES, settings, engines)

    def load(self, name: str) -> None:
        """Bring the engine's model into memory. Raises EngineUnavailable or StageFailed."""
        with told_as_failure_of("sentiment", name):
            self._engines.get(name).load()

    def analyse(self, name: str, utterances: Sequence[Utterance]) -> list[Sentiment]:
        """One Sentiment for each utterance, in order; blank texts are NEUTRAL.

        A text longer than the model reads is judged in pieces; its probabilities are the mean of theirs,
        weighted by their length in characters. All pieces of the call go to the engine in one batch.
        Raises StageFailed when the engine fails.
        """
        engine = self._engines.get(name)
        with told_as_failure_of("sentiment", name):
            pieces = [
                [replace(utterance, text=part) for part in engine.window(utterance.text)]
                if utterance.text.strip()
                else []
                for utterance in utterances
            ]
            flat = [piece for parts in pieces for piece in parts]
            scores = engine.score(flat) if flat else []
            _check(scores, len(flat))
        rest = iter(scores)
        return [_judge([(len(part.text), next(rest)) for part in parts]) for parts in pieces]


def _judge(pieces: Sequence[tuple[int, SentimentScores]]) -> Sentiment:
    total = sum(length for length, _ in pieces)
    if not total:
        return NOTHING_SAID
    positive = sum(length / total * scores.positive for length, scores in pieces)
    negative = sum(length / total * scores.negative for length, scores in pieces)
    neutral = sum(length / total * scores.neutral for length, scores in pieces)
    label, score = max(
        (SentimentLabel.NEUTRAL, neutral),
        (SentimentLabel.NEGATIVE, negative),
        (SentimentLabel.POSITIVE, positive),
        key=lambda each: each[1],
    )
    return Sentiment(label, min(max(score, 0.0), 1.0), positive, neutral, negative)


def _check(scores: Sequence[SentimentScores], expected: int) -> None:
    if len(scores) != expected:
        raise ValueError(f"{len(scores)} answers for {expected} texts")
    for each in scores:
        total = each.positive + each.neutral + each.negative
        if not math.isclose(total, 1.0, abs_tol=_SLACK):
            raise ValueError(f"probabilities sum to {total}")
