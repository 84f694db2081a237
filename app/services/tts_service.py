"""Turns text into a sound file with the first usable engine of the chain."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast
from uuid import uuid4

from app.core.config import Settings
from app.core.exceptions import (
    AppError,
    EngineUnavailable,
    StageFailed,
    UnsupportedLanguage,
    ValidationFailed,
)
from app.schemas.engine import EngineState
from app.services.engine_chain import EngineChain
from app.services.tts.base import TtsEngine
from app.services.tts.cache import SpeechCache, SpeechKey
from app.services.tts.registry import TTS_ENGINES

log = logging.getLogger(__name__)

Media = Literal["mp3", "wav"]
Convert = Callable[[Path, Path, Media], None]
"""Writes the sound of the first file to the second one, in the medium named."""


@dataclass(frozen=True)
class SpokenFile:
    """A finished sound file and the engine that spoke it."""

    path: Path
    media: Media
    engine_label: str


class TtsService:
    """Thread-safe. The engine that was chosen gets one substitute when it fails."""

    def __init__(
        self,
        settings: Settings,
        chain: EngineChain | None = None,
        *,
        convert: Convert,
        cache: SpeechCache | None = None,
    ) -> None:
        self._chain = chain or EngineChain(
            "tts",
            [TTS_ENGINES.create(name, settings) for name in settings.tts_provider],
            interval_s=settings.engine_probe_interval_s,
        )
        self._convert = convert
        self._cache = cache
        for name in self._chain.engines:
            self._chain.mark_loaded(name)  # nothing stays in memory: each text is a process or a request

    def speak(
        self,
        text: str,
        language: str,
        media: Media,
        target_folder: Path,
        *,
        external: bool,
        scope: str | None = None,
    ) -> SpokenFile:
        """Speak ``text`` into a new file in ``target_folder``.

        ``language``: ISO 639-1. ``external=False`` keeps to engines on this machine. ``scope`` names what the
        text belongs to: the sound is kept under it, and given again to who asks for the same under the same
        scope, until it is forgotten or too old; None keeps nothing. Raises ValidationFailed for a text
        without anything to say, UnsupportedLanguage, EngineUnavailable, StageFailed or InsufficientStorage,
        and leaves no file behind then.
        """
        words = spoken_text(text)
        if not words:
            message = "must hold something to say"
            raise ValidationFailed.of("text", message)
        chosen = self._chain.choose(language, external=external).name
        try:
            return self._speak_with(chosen, words, language, media, target_folder, scope)
        except StageFailed as error:
            substitute = self._usable_after(chosen, language, external)
            log.warning(
                "tts.engine_failed",
                extra={"engine": chosen, "code": error.code, "detail": error.detail, "next": substitute},
            )
            if substitute is None:
                raise
        return self._speak_with(substitute, words, language, media, target_folder, scope)

    def voice(self, language: str, *, external: bool) -> str:
        """Names what would speak ``language`` now, so that a change of voices shows; empty where nothing."""
        try:
            chosen = self._chain.choose(language, external=external).name
        except (EngineUnavailable, UnsupportedLanguage):
            return ""
        engine = cast("TtsEngine", self._chain.engines[chosen])
        return f"{engine.label} {engine.voice(language)}"

    def forget(self, scope: str) -> None:
        """Remove every sound that is kept under ``scope``."""
        if self._cache is not None:
            self._cache.forget(scope)

    def sweep(self) -> int:
        """Remove kept sounds that are too old; returns how many files went."""
        return self._cache.sweep() if self._cache is not None else 0

    def _speak_with(
        self, name: str, text: str, language: str, media: Media, folder: Path, scope: str | None
    ) -> SpokenFile:
        engine = cast("TtsEngine", self._chain.engines[name])
        try:
            spoken = self._spoken(engine, text, language, folder, scope)
        except AppError:
            raise
        except Exception as error:
            log.exception("tts.engine_raised", extra={"engine": name})
            raise StageFailed("tts", f"{engine.label} failed") from error
        if spoken.suffix == f".{media}":
            return SpokenFile(spoken, media, engine.label)
        target = folder / f"{uuid4().hex}.{media}"
        try:
            self._convert(spoken, target, media)
        finally:
            spoken.unlink(missing_ok=True)
        return SpokenFile(target, media, engine.label)

    def _spoken(self, engine: TtsEngine, text: str, language: str, folder: Path, scope: str | None) -> Path:
        if self._cache is None or scope is None:
            return engine.synthesize(text, language, folder)
        key = SpeechKey(engine.name, engine.voice(language), language, text)
        return self._cache.spoken(scope, key, folder, lambda: engine.synthesize(text, language, folder))

    def _usable_after(self, name: str, language: str, external: bool) -> str | None:
        """The next engine of the chain that could answer instead of ``name``."""
        views = self._chain.views()
        position = next(index for index, view in enumerate(views) if view.name == name)
        for view in views[position + 1 :]:
            abilities = self._chain.engines[view.name].capabilities
            is_allowed = external or not abilities.sends_data_out
            if view.state is EngineState.READY and is_allowed and abilities.speaks(language):
                return view.name
        return None


def spoken_text(text: str) -> str:
    """``text`` in composed form, less control characters and lone surrogates; line breaks stay (a pause)."""
    kept = "".join(
        " " if character != "\n" and unicodedata.category(character) in ("Cc", "Cs") else character
        for character in unicodedata.normalize("NFC", text)
    )
    return "\n".join(line for line in (" ".join(part.split()) for part in kept.split("\n")) if line)
