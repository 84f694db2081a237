"""The doubt in which a model that knows no neutral is neutral: its width, fitted to labelled talk."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

from app.schemas.sentiment import SentimentLabel
from app.services.sentiment.base import SentimentScores

SURE = 20.0
"""Log odds beyond which there is nothing to tell apart."""
_LEAST = 1e-9
_STEPS = 24
_ROUNDS = 4
_READ = ("*.json", "*.safetensors")


@dataclass(frozen=True)
class NeutralBand:
    """An ordered logit over the log odds l = ln(p / n) of such a model:

    P(positive) = 1 / (1 + exp((border - l) / spread)), P(negative) = 1 / (1 + exp((border + l) / spread)),
    P(neutral) = the rest. ``border`` and ``spread`` are positive, in log odds.
    """

    border: float
    spread: float

    def scores(self, positive: float, negative: float) -> SentimentScores:
        """Of a model's own two probabilities, which sum to 1."""
        return self.of_log_odds(log_odds(positive, negative))

    def of_log_odds(self, odds: float) -> SentimentScores:
        good = _logistic((odds - self.border) / self.spread)
        bad = _logistic((-odds - self.border) / self.spread)
        return SentimentScores(good, 1 - good - bad, bad)


def log_odds(positive: float, negative: float) -> float:
    return min(max(math.log(max(positive, _LEAST) / max(negative, _LEAST)), -SURE), SURE)


def fit_band(odds: Sequence[float], labels: Sequence[SentimentLabel]) -> NeutralBand:
    """The likeliest band for texts with these log odds and these labels; the same for the same input.

    Found on a grid that closes in, over logarithms of border and spread. Raises ValueError where one of the
    three labels is missing.
    """
    if missing := set(SentimentLabel) - set(labels):
        raise ValueError(f"no line is {', '.join(sorted(missing))}")
    borders, spreads = (math.log(0.05), math.log(SURE)), (math.log(0.1), math.log(SURE))
    of_label = {label: [each for each, own in zip(odds, labels, strict=True) if own is label]
                for label in SentimentLabel}  # fmt: skip
    best = NeutralBand(1.0, 1.0)
    for _ in range(_ROUNDS):
        grid = product(_steps(*borders), _steps(*spreads))
        bands = [NeutralBand(math.exp(border), math.exp(spread)) for border, spread in grid]
        best = max(bands, key=lambda band: _likelihood(band, of_label))
        borders, spreads = _around(math.log(best.border), *borders), _around(math.log(best.spread), *spreads)
    return NeutralBand(round(best.border, 4), round(best.spread, 4))


def band_file(checkpoint: Path, kept_in: Path, name: str) -> Path:
    """Where the band of ``checkpoint`` belongs; the name changes with the model's weights."""
    digest = hashlib.sha256()
    for file in sorted(path for pattern in _READ for path in checkpoint.glob(pattern)):
        with file.open("rb") as stream:
            digest.update(f"{file.name} ".encode() + hashlib.file_digest(stream, "sha256").digest())
    return kept_in / f"{name.replace('/', '--')}-band-{digest.hexdigest()[:16]}.json"


def read_band(file: Path) -> NeutralBand | None:
    """None where nobody has fitted one. Raises ValueError for a file that holds none."""
    if not file.is_file():
        return None
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        band = NeutralBand(float(data["border"]), float(data["spread"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} holds no band: {error!r}") from error
    if not (0 < band.border <= SURE and 0 < band.spread <= SURE):
        raise ValueError(f"{file}: border and spread must be within 0 and {SURE:.0f}")
    return band


def write_band(file: Path, band: NeutralBand, lines: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**asdict(band), "fitted_to_lines": lines}) + "\n", encoding="utf-8")


def _likelihood(band: NeutralBand, of_label: Mapping[SentimentLabel, Sequence[float]]) -> float:
    import numpy as np

    total = 0.0
    for label, values in of_label.items():
        odds = np.asarray(values)
        good = 1 / (1 + np.exp((band.border - odds) / band.spread))
        bad = 1 / (1 + np.exp((band.border + odds) / band.spread))
        chances = {SentimentLabel.POSITIVE: good, SentimentLabel.NEGATIVE: bad}.get(label, 1 - good - bad)
        total += float(np.log(np.maximum(chances, _LEAST)).sum())
    return total


def _steps(low: float, high: float) -> list[float]:
    return [low + (high - low) * step / (_STEPS - 1) for step in range(_STEPS)]


def _around(value: float, low: float, high: float) -> tuple[float, float]:
    reach = 1.5 * (high - low) / (_STEPS - 1)
    return value - reach, min(value + reach, math.log(SURE))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-min(max(value, -500.0), 500.0)))
