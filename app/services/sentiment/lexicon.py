"""Sentiment by a word list (VADER), for machines that have no trained model."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Sequence
from typing import Any

from app.core.config import Settings
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities
from app.schemas.utterance import Utterance
from app.services.sentiment.base import SentimentScores
from app.services.sentiment.sales_phrases import PHRASES
from app.services.sentiment.sales_words import NOT_FEELINGS, WORDS
from app.services.sentiment.windows import cut, sentences

WINDOW_WORDS = 60
"""Longest window: about what is said in one breath, so that one feeling is not thinned by a long story."""
NEUTRAL_BORDER = 0.2
SPREAD = 0.15
_BEFORE_CONTRAST = 0.5
_AFTER_CONTRAST = 1.5
_QUESTION = 0.25
_SATURATION = 15.0
"""VADER's own constant in compound = sum / sqrt(sum^2 + 15)."""

_CONTRAST = re.compile(r"\b(?:but|however|although|though|unfortunately)\b")
_ASKS = re.compile(
    r"^(?:(?:and|so|okay|ok|well|right|yes|sure|great|um|uh)[,\s]+)*"
    r"(?:(?:can|could|would|will|do|does|did|is|are|was|were|have|has|may|shall|should) "
    r"(?:you|we|i|it|they|he|she|that|this|there|the|your|our|my|anyone|somebody)\b|"
    r"(?:what|which|when|where|who|whose)\b(?! (?:a|an)\b)|what's|"
    r"how (?:about|are|do|does|did|can|could|would|will|much|many|long|soon|often|is|was|have|has|big|far)\b)"
)


class LexiconEngine:
    """VADER's valences with a small vocabulary of sales talk. Pure after ``load``; needs no lock to score.

    The valences of a window's clauses are added up: what stands before "but" counts half, what follows counts
    one and a half times (VADER's own weights, here also across sentences), and a question a quarter, for
    to ask is not yet to feel. The sum s is squashed as VADER does, c = s / sqrt(s^2 + 15), and read as an
    ordered logit with borders at -0.2 and 0.2 and a spread of 0.15:
    P(positive) = 1 / (1 + exp((0.2 - c) / 0.15)), P(negative) = 1 / (1 + exp((0.2 + c) / 0.15)),
    P(neutral) = the rest.
    """

    name = "lexicon"
    capabilities = Capabilities(
        languages=frozenset({"en"}), lesser="a word list, weaker than a trained model"
    )
    label = "lexicon:vader"

    def __init__(self, settings: Settings) -> None:  # noqa: ARG002 (engines are all made alike)
        self._lock = threading.Lock()
        self._analyzer: Any = None

    def availability(self) -> Availability:
        if missing_module("vaderSentiment"):
            return Availability.unavailable("vaderSentiment is not installed", install_hint(self.name))
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch: the word list comes with the library."""

    def load(self) -> None:
        with self._lock:
            if self._analyzer is None:
                self._analyzer = _build_analyzer()

    def window(self, text: str) -> list[str]:
        return cut(text, lambda piece: len(piece.split()) <= WINDOW_WORDS)

    def score(self, utterances: Sequence[Utterance]) -> list[SentimentScores]:
        self.load()
        return [self._score(utterance.text) for utterance in utterances]

    def _score(self, text: str) -> SentimentScores:
        total = 0.0
        for sentence in sentences(text.lower().replace("’", "'")):
            factor = _QUESTION if sentence.endswith("?") or _ASKS.match(sentence) else 1.0
            clauses = _CONTRAST.split(sentence)
            for position, clause in enumerate(clauses):
                if position:
                    total *= _BEFORE_CONTRAST
                total += factor * (_AFTER_CONTRAST if position else 1.0) * self._valence(clause)
        return _probabilities(total / math.sqrt(total * total + _SATURATION))

    def _valence(self, clause: str) -> float:
        for phrase in PHRASES:
            clause = phrase.mark(clause)
        compound = self._analyzer.polarity_scores(clause)["compound"]
        bounded = min(max(compound, -0.999), 0.999)
        return float(bounded * math.sqrt(_SATURATION / (1 - bounded * bounded)))


def _build_analyzer() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    for word in NOT_FEELINGS:
        analyzer.lexicon.pop(word, None)
    analyzer.lexicon.update(WORDS)
    analyzer.lexicon.update({phrase.name: phrase.valence for phrase in PHRASES})
    return analyzer


def _probabilities(compound: float) -> SentimentScores:
    positive = _logistic((compound - NEUTRAL_BORDER) / SPREAD)
    negative = _logistic((-compound - NEUTRAL_BORDER) / SPREAD)
    return SentimentScores(positive, 1 - positive - negative, negative)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value))
