"""Google Translate's voices through gTTS: they need the internet and are sent the text."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from app.core.config import Settings
from app.core.exceptions import InsufficientStorage, StageFailed
from app.core.reach import is_reachable
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities

if TYPE_CHECKING:
    from gtts import gTTS

SPOKEN = """
af am ar bg bn bs ca cs cy da de el en es et eu fi fr gl gu ha he hi hr hu id is it ja jv km kn ko la lt lv ml
mr ms my ne nl no pa pl pt ro ru si sk sq sr su sv sw ta te th tl tr uk ur vi zh
"""
TAGS = {"he": "iw", "jv": "jw"}
"""Languages that gTTS knows under another name than ISO 639-1's."""


class GttsEngine:
    """A hundred characters a request, one after another. gTTS itself does not check certificates."""

    name = "gtts"
    capabilities = Capabilities(sends_data_out=True, languages=frozenset(SPOKEN.split()))
    address = ("translate.google.com", 443)
    look_timeout_s = 2.0

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.tts_timeout_s

    @property
    def label(self) -> str:
        return "gtts"

    def availability(self) -> Availability:
        if missing_module("gtts") is not None:
            return Availability.unavailable("gTTS is not installed", install_hint("gtts"))
        if not is_reachable(*self.address, self.look_timeout_s):
            return Availability.unavailable(
                f"needs the internet: {self.address[0]} cannot be reached",
                "connect this machine to the internet, or name a local engine in TTS_PROVIDER",
            )
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch: the voices stay where they are."""

    def load(self) -> None:
        """Nothing to load."""

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        from gtts import gTTS, gTTSError

        deadline = time.monotonic() + self._timeout_s
        try:
            speech = gTTS(text, lang=TAGS.get(language, language), timeout=self._timeout_s)
            audio = self._collect(speech, deadline)
        except gTTSError as error:
            raise StageFailed("tts", f"gTTS: {error}") from error
        except (ValueError, AssertionError) as error:
            raise StageFailed("tts", f"gTTS cannot speak this text in {language!r}") from error
        except OSError as error:
            raise StageFailed("tts", "gTTS: the connection failed") from error
        if not audio:
            raise StageFailed("tts", "gTTS gave no sound")
        return _written(audio, folder / f"{uuid4().hex}.mp3")

    def _collect(self, speech: gTTS, deadline: float) -> bytes:
        """Every part of the MP3 file; each request gets the time that the ones before it left over."""
        audio = bytearray()
        for part in speech.stream():
            audio += part
            speech.timeout = deadline - time.monotonic()
            if speech.timeout <= 0:
                raise StageFailed("tts", f"gTTS took longer than {self._timeout_s:g} s")
        return bytes(audio)


def _written(audio: bytes, target: Path) -> Path:
    try:
        target.write_bytes(audio)
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InsufficientStorage from error
        raise StageFailed("tts", "gTTS: the sound could not be kept") from error
    return target
