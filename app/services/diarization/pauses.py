"""Speakers by pauses alone: the last resort, which listens to nobody's voice."""

from __future__ import annotations

from app.core.config import Settings
from app.schemas.audio import ChannelLayout
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Turn
from app.services.diarization.base import DiarizationRequest

TURN_GAP_S = 0.5
"""Shortest pause between two words that counts as a change of speaker."""
DEFAULT_SPEAKERS = 2
_ROUNDING_S = 1e-6


class PausesEngine:
    """Speakers (two unless told) who take turns: at every gap of at least 0.5 s the next one speaks.

    It is right where people answer each other in single breaths and wrong whenever one of them pauses to
    think, two speak at once, or a third joins in. It needs no model, and only the words' times.
    """

    name = "pauses"
    label = "pauses"
    capabilities = Capabilities(lesser="guesses speakers from pauses, without listening to their voices")

    def __init__(self, settings: Settings) -> None:
        """``settings`` is not needed; all engines are made alike."""

    def availability(self) -> Availability:
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch."""

    def load(self) -> None:
        """Nothing to load."""

    def unfit(self, layout: ChannelLayout) -> str | None:  # noqa: ARG002
        """Words are all it needs."""
        return None

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        turns: list[Turn] = []
        speakers = request.num_speakers or DEFAULT_SPEAKERS
        for word in request.transcript.words:
            if not turns:
                turns.append(Turn(0, word.start_s, word.end_s))
                continue
            last = turns[-1]
            if word.start_s - last.end_s >= TURN_GAP_S - _ROUNDING_S:
                turns.append(Turn((last.speaker + 1) % speakers, word.start_s, word.end_s))
            else:
                turns[-1] = Turn(last.speaker, last.start_s, max(last.end_s, word.end_s))
        return tuple(turns)
