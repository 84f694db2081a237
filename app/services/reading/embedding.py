"""The trained reader: a small transformer for English, character n-grams for other languages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from app.core.config import Settings
from app.core.exceptions import EngineUnavailable
from app.schemas.engine import Availability, Capabilities
from app.schemas.reading import Reading
from app.schemas.utterance import Utterance
from app.services.reading.artefact import ArtefactError, OthersManifest, folder_of
from app.services.reading.network import network_in
from app.services.reading.others import OtherLanguages
from app.services.reading.presence import availability_in, revision_in

ENGLISH = "en"


class EmbeddingReader:
    """The files of COACHABLE_MODEL_DIR, which come with the service. Thread-safe."""

    name = "embedding"

    def __init__(self, settings: Settings) -> None:
        self._folder = folder_of(settings)
        self._network = network_in(self._folder, settings.threads)
        self._others = OtherLanguages(self._folder)

    @cached_property
    def capabilities(self) -> Capabilities:
        try:
            others = OthersManifest.read(self._folder).languages
        except ArtefactError:
            others = ()
        return Capabilities(languages=frozenset({ENGLISH, *others}))

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
            if self.capabilities.languages != frozenset({ENGLISH}):
                self._others.load()
        except ArtefactError as error:
            raise EngineUnavailable("reading", f"{self.label}: {error}") from error

    def read(self, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        self.load()
        if language is None or language == ENGLISH:
            return self._network.read(utterances)
        return self._others.read(utterances, language)
