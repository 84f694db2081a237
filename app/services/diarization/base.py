"""The port that every engine which tells speakers apart implements."""

from __future__ import annotations

from typing import Protocol

from app.schemas.audio import Audio
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Turn


class DiarizationEngine(Protocol):
    """Who speaks when. Made cheaply; reads ``audio`` and changes nothing; same input, same turns."""

    name: str
    capabilities: Capabilities

    @property
    def label(self) -> str: ...

    def availability(self) -> Availability: ...

    def fetch(self) -> None: ...

    def load(self) -> None: ...

    def diarize(self, audio: Audio, transcript: Transcript) -> tuple[Turn, ...]:
        """Turns in order of time that cover every word; speakers numbered from 0 as they appear."""
        ...
