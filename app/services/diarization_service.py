"""Who speaks when, by a named engine."""

from __future__ import annotations

import math
from collections.abc import Mapping

from app.core.config import Settings
from app.core.registry import Instances
from app.schemas.transcript import Turn
from app.services.diarization.base import DiarizationEngine, DiarizationRequest
from app.services.diarization.registry import DIARIZATION_ENGINES
from app.services.engine_failures import told_as_failure_of


class DiarizationService:
    """Thread-safe. Engines are made on first use, or given (``engines``, by registry name)."""

    def __init__(self, settings: Settings, engines: Mapping[str, DiarizationEngine] | None = None) -> None:
        self._engines = Instances(DIARIZATION_ENGINES, settings, engines)

    def load(self, name: str) -> None:
        """Bring the engine's model into memory. Raises EngineUnavailable or StageFailed."""
        with told_as_failure_of("diarization", name):
            self._engines.get(name).load()

    def diarize(self, name: str, request: DiarizationRequest) -> tuple[Turn, ...]:
        """Turns in order of time; none where nothing was said. Raises StageFailed when the engine fails."""
        engine = self._engines.get(name)
        if not request.transcript.words:
            return ()
        with told_as_failure_of("diarization", name):
            turns = engine.diarize(request)
            _check(turns)
        return tuple(sorted(turns, key=lambda turn: (turn.start_s, turn.end_s, turn.speaker)))


def _check(turns: tuple[Turn, ...]) -> None:
    if not turns:
        raise ValueError("no turn for a transcript with words")
    for turn in turns:
        if not (math.isfinite(turn.start_s) and math.isfinite(turn.end_s) and turn.start_s <= turn.end_s):
            raise ValueError("a turn ends before it starts")
