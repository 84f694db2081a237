"""The port that every text-to-speech engine implements."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from app.schemas.engine import Availability, Capabilities


class TtsEngine(Protocol):
    """Text to speech. Made cheaply; safe to call from several threads at once."""

    name: str
    capabilities: Capabilities

    @property
    def label(self) -> str: ...

    def availability(self) -> Availability: ...

    def fetch(self) -> None: ...

    def load(self) -> None: ...

    def voice(self, language: str) -> str:
        """Names what would speak ``language``: two voices that sound different have different names."""
        ...

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        """Speak ``text`` into a new audio file in ``folder`` (WAV or MP3) and return its path.

        ``language`` is an ISO 639-1 code. Raises StageFailed("tts", …) when it cannot, within the timeout.
        """
        ...
