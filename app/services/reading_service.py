"""What a trained reader makes of each utterance of a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.core.config import Settings
from app.core.registry import Instances
from app.schemas.reading import Reading
from app.schemas.utterance import Utterance
from app.services.engine_failures import told_as_failure_of
from app.services.reading.base import ReadingEngine
from app.services.reading.registry import READING_ENGINES


class ReadingService:
    """Thread-safe. Engines are made on first use, or given (``engines``, by registry name)."""

    def __init__(self, settings: Settings, engines: Mapping[str, ReadingEngine] | None = None) -> None:
        self._engines = Instances(READING_ENGINES, settings, engines)

    def load(self, name: str) -> None:
        """Bring the engine's model into memory. Raises EngineUnavailable or StageFailed."""
        with told_as_failure_of("reading", name):
            self._engines.get(name).load()

    def read(self, name: str, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        """One Reading for each utterance, in order; None for one without words. Raises EngineUnavailable, or
        StageFailed when the engine fails."""
        with told_as_failure_of("reading", name):
            readings = self._engines.get(name).read(utterances, language)
            if len(readings) != len(utterances):
                raise ValueError(f"{len(readings)} answers for {len(utterances)} utterances")
        return readings
