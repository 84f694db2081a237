"""The port that every sentiment engine implements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.schemas.engine import Availability, Capabilities
from app.schemas.utterance import Utterance


@dataclass(frozen=True)
class SentimentScores:
    """Probabilities of the three labels; they sum to 1."""

    positive: float
    neutral: float
    negative: float


class SentimentEngine(Protocol):
    """Feeling of texts. Made cheaply: no heavy import before ``load``; see SttEngine for the life cycle.

    ``window`` cuts a text into the pieces that the model reads whole, in order and with nothing lost;
    ``score`` takes such pieces (any number), each with the role and the turn before it, which an engine may
    leave aside, and returns one SentimentScores for each, in order. It is safe to call from several threads,
    and the scores of a piece do not depend on its neighbours in the batch.
    """

    name: str
    capabilities: Capabilities

    @property
    def label(self) -> str: ...

    def availability(self) -> Availability: ...

    def fetch(self) -> None: ...

    def load(self) -> None: ...

    def window(self, text: str) -> list[str]: ...

    def score(self, utterances: Sequence[Utterance]) -> list[SentimentScores]: ...
