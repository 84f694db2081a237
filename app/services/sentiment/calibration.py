"""Fits the neutral band of the configured sentiment model to labelled talk, and says what it gains."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.exceptions import ConfigurationError
from app.schemas.sentiment import SentimentLabel
from app.schemas.utterance import Utterance
from app.services.sentiment.base import SentimentScores
from app.services.sentiment.labels import combine
from app.services.sentiment.neutral_band import NeutralBand, fit_band
from app.services.sentiment.transformer import TransformerEngine

FOLDS = 5


@dataclass(frozen=True)
class LabelledLine:
    text: str
    sentiment: SentimentLabel


@dataclass(frozen=True)
class BandReport:
    """``before``: by the standard band; ``after``: each fifth of the lines by a band fitted to the rest. Both
    as accuracy and macro-F1.
    """

    band: NeutralBand
    lines: int
    before: tuple[float, float]
    after: tuple[float, float]


def read_lines(files: Sequence[Path]) -> list[LabelledLine]:
    """JSON lines with ``text`` and ``sentiment``; lines of other languages than English are passed over.

    Raises ConfigurationError with file and line.
    """
    found = []
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                data = json.loads(line)
                if data.get("language", "en") == "en":
                    found.append(LabelledLine(str(data["text"]), SentimentLabel(data["sentiment"])))
            except (ValueError, KeyError, AttributeError) as error:
                raise ConfigurationError(f"{file}:{number}: {error!r}") from error
    return found


def calibrate(engine: TransformerEngine, lines: Sequence[LabelledLine]) -> BandReport:
    """Fit the band, keep it with the model and report. Raises EngineUnavailable, or ConfigurationError for a
    model that knows a neutral of its own and for lines that do not show all three labels."""
    labels = [line.sentiment for line in lines]
    odds = engine.log_odds([Utterance(line.text) for line in lines])
    before = [_label(_by_standard_band(value)) for value in odds]
    after: list[SentimentLabel] = list(labels)
    try:
        band = fit_band(odds, labels)
        for fold in range(FOLDS):
            rest = [place for place in range(len(lines)) if place % FOLDS != fold]
            fitted = fit_band([odds[place] for place in rest], [labels[place] for place in rest])
            for place in range(fold, len(lines), FOLDS):
                after[place] = _label(fitted.of_log_odds(odds[place]))
    except ValueError as error:
        raise ConfigurationError(f"the band cannot be fitted: {error}") from error
    engine.keep_band(band, len(lines))
    return BandReport(band, len(lines), figures(before, labels), figures(after, labels))


def _by_standard_band(odds: float) -> SentimentScores:
    positive = 1 / (1 + math.exp(-odds))
    names = {"p": SentimentLabel.POSITIVE, "n": SentimentLabel.NEGATIVE}
    return combine({"p": positive, "n": 1 - positive}, names)


def figures(found: Sequence[SentimentLabel], labels: Sequence[SentimentLabel]) -> tuple[float, float]:
    """Accuracy, and the mean of the labels' F1."""
    pairs = Counter(zip(found, labels, strict=True))
    said, true = Counter(found), Counter(labels)
    shares = [2 * pairs[label, label] / ((said[label] + true[label]) or 1) for label in SentimentLabel]
    return sum(pairs[label, label] for label in SentimentLabel) / len(labels), sum(shares) / len(shares)


def _label(scores: SentimentScores) -> SentimentLabel:
    return max(
        (scores.neutral, SentimentLabel.NEUTRAL),
        (scores.negative, SentimentLabel.NEGATIVE),
        (scores.positive, SentimentLabel.POSITIVE),
        key=lambda each: each[0],
    )[1]
