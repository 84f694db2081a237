"""Reads what a classifier calls its classes, and turns its probabilities into the three labels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from app.schemas.sentiment import SentimentLabel
from app.services.sentiment.base import SentimentScores
from app.services.sentiment.neutral_band import NeutralBand

_NAMES = {
    "positive": SentimentLabel.POSITIVE,
    "pos": SentimentLabel.POSITIVE,
    "very positive": SentimentLabel.POSITIVE,
    "negative": SentimentLabel.NEGATIVE,
    "neg": SentimentLabel.NEGATIVE,
    "very negative": SentimentLabel.NEGATIVE,
    "neutral": SentimentLabel.NEUTRAL,
    "neu": SentimentLabel.NEUTRAL,
    "mixed": SentimentLabel.NEUTRAL,
}
_NUMBERED = re.compile(r"label \d+|\d+ stars?")


def read_labels(id2label: Mapping[int, str]) -> dict[str, SentimentLabel]:
    """Map a model's own class names to ours. Raises ValueError where they do not speak of sentiment.

    Known: positive / negative / neutral and their short forms in any case, ``LABEL_0`` … and ``1 star`` ….
    Numbered classes run from the worst to the best; the one in the middle, if any, is neutral.
    """
    labels: dict[str, SentimentLabel] = {}
    for index, name in id2label.items():
        plain = name.strip().lower().replace("_", " ")
        if plain in _NAMES:
            labels[name] = _NAMES[plain]
        elif _NUMBERED.fullmatch(plain):
            labels[name] = _by_rank(index, len(id2label))
        else:
            raise ValueError(f"the class {name!r} is not about sentiment")
    if not {SentimentLabel.POSITIVE, SentimentLabel.NEGATIVE} <= set(labels.values()):
        raise ValueError("the model tells no positive from negative")
    return labels


def combine(
    probabilities: Mapping[str, float], labels: Mapping[str, SentimentLabel], band: NeutralBand | None = None
) -> SentimentScores:
    """Sum the probabilities of each label; a model without a neutral class gets a band of doubt.

    Where no ``band`` was fitted, for probabilities p and n = 1 - p of such a model: neutral = 4 p n,
    positive = p (p - n)^2, negative = n (p - n)^2. They sum to 1, since 4 p n = 1 - (p - n)^2; neutral is 1
    where the model cannot decide, 0 where it is certain, and wins while the surer side has less than about
    0.865.
    """
    sums = dict.fromkeys(SentimentLabel, 0.0)
    for name, probability in probabilities.items():
        sums[labels[name]] += probability
    total = sum(sums.values())
    positive = sums[SentimentLabel.POSITIVE] / total
    negative = sums[SentimentLabel.NEGATIVE] / total
    if SentimentLabel.NEUTRAL in labels.values():
        return SentimentScores(positive, sums[SentimentLabel.NEUTRAL] / total, negative)
    if band is not None:
        return band.scores(positive, negative)
    decided = (positive - negative) ** 2
    return SentimentScores(positive * decided, 1 - decided, negative * decided)


def _by_rank(index: int, count: int) -> SentimentLabel:
    middle = (count - 1) / 2
    if index == middle:
        return SentimentLabel.NEUTRAL
    return SentimentLabel.POSITIVE if index > middle else SentimentLabel.NEGATIVE
