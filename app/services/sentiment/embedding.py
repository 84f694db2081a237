"""Sentiment by the trained reader, which judges it in the same pass in which it reads for moments."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.config import Settings
from app.core.exceptions import EngineUnavailable
from app.schemas.engine import Availability, Capabilities
from app.schemas.utterance import Utterance
from app.services.reading.artefact import ArtefactError, folder_of
from app.services.reading.network import network_in
from app.services.reading.presence import availability_in, revision_in
from app.services.sentiment.base import SentimentScores

_NOTHING_SAID = (0.0, 1.0, 0.0)


class EmbeddingEngine:
    """The network of COACHABLE_MODEL_DIR, one for a process: what it has just read it does not read again.

    Reads an utterance with its role and the turn before it, of whatever length (its windows are its own
    affair: their mean, weighted by their word pieces).
    """

    name = "embedding"
    capabilities = Capabilities(languages=frozenset({"en"}), as_good=True)

    def __init__(self, settings: Settings) -> None:
        self._folder = folder_of(settings)
        self._network = network_in(self._folder, settings.threads)

    @property
    def label(self) -> str:
        return f"{self.name}:{revision_in(self._folder)}"

    def availability(self) -> Availability:
        return availability_in(self._folder, self.name)

    def fetch(self) -> None:
        """Nothing to fetch: the files come with the service."""

    def load(self) -> None:
        """Raises EngineUnavailable where the files are missing or are not the ones that were trained."""
        try:
            self._network.load()
        except ArtefactError as error:
            raise EngineUnavailable("sentiment", f"{self.label}: {error}") from error

    def window(self, text: str) -> list[str]:
        return [text.strip()] if text.strip() else []

    def score(self, utterances: Sequence[Utterance]) -> list[SentimentScores]:
        self.load()
        readings = self._network.read(utterances)
        feelings = (reading.sentiment if reading else None for reading in readings)
        return [SentimentScores(*(feeling or _NOTHING_SAID)) for feeling in feelings]
