"""The voice of a reel: it says line after line, and a line that no voice can be had for is left out."""

from __future__ import annotations

import logging
from pathlib import Path

from app.core.exceptions import AppError, EngineUnavailable, StageFailed, UnsupportedLanguage
from app.services.reel.scenes import Line
from app.services.tts_service import TtsService

log = logging.getLogger(__name__)

MOST_FAILURES = 3
"""In a row; each may take all of TTS_TIMEOUT_S. Then no more is tried: the voice is broken, not the line."""


class Narrator:
    """For one reel. Each line is spoken in a process that is ended when its time is over.

    Words of a stored call go to an engine off this machine only where ``external`` allows it.
    """

    def __init__(self, tts: TtsService, folder: Path, *, external: bool) -> None:
        self._tts = tts
        self._folder = folder
        self._external = external
        self._engines: dict[str, None] = {}
        self._spoken = 0
        self._failed_in_a_row = 0
        self.error: AppError | None = None
        """Why the last line that was left out was."""

    @property
    def engines(self) -> str:
        """The engines that spoke, in the order of their first lines."""
        return ", ".join(self._engines)

    def say(self, line: Line, scope: str) -> Path | None:
        """The line as a WAV file, kept under ``scope`` for the next time; None where no voice says it.

        Raises InsufficientStorage.
        """
        if self._failed_in_a_row >= MOST_FAILURES:
            return None
        self._spoken += 1
        part = self._folder / f"line-{self._spoken}"
        part.mkdir()
        try:
            spoken = self._tts.speak(
                line.text, line.language, "wav", part, external=self._external, scope=scope
            )
        except (StageFailed, EngineUnavailable, UnsupportedLanguage) as error:
            log.warning("reel.line_unspoken", extra={"code": error.code, "detail": error.detail})
            self._failed_in_a_row += 1
            self.error = error
            return None
        self._failed_in_a_row = 0
        self._engines[spoken.engine_label] = None
        return spoken.path
