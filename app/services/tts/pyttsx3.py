"""Local speech: eSpeak NG through pyttsx3, each text in a process of its own that can be ended."""

from __future__ import annotations

import sys
from ctypes.util import find_library
from pathlib import Path

from app.core.config import Settings
from app.core.exceptions import StageFailed
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities
from app.services.tts.child_process import spoken_by_process

SPOKEN = """
af am an ar as az ba be bg bn bs ca cs cv cy da de el en eo es et eu fa fi fr ga gd gn gu he hi hr ht hu hy ia
id io is it ja ka kk kl kn ko ku ky la lb lt lv mi mk ml mr ms mt my nb ne nl no om or pa pl pt qu ro ru sd si
sk sl sq sr sv sw ta te th ti tk tn tr tt ug uk ur uz vi zh
"""
"""What eSpeak NG 1.52 speaks, less Faroese (`fo`), whose dictionary espeakng-loader lacks."""
VOICES = {"en": "en-us", "no": "nb", "zh": "cmn"}
"""Languages whose voice is not named as the language."""
WORDS_PER_MINUTE = 165
PROCESS = Path(__file__).with_name("espeak_process.py")


class Pyttsx3Engine:
    """Needs nothing but its wheels. pyttsx3 hangs when used twice in one process, so it never is."""

    name = "pyttsx3"
    capabilities = Capabilities(languages=frozenset(SPOKEN.split()))
    # -P: the folder of the script holds this very file, which must not be taken for the library.
    command: tuple[str, ...] = (sys.executable, "-P", str(PROCESS))

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.tts_timeout_s

    @property
    def label(self) -> str:
        return "pyttsx3:espeak-ng"

    def availability(self) -> Availability:
        if missing_module("pyttsx3") is not None:
            return Availability.unavailable("pyttsx3 is not installed", install_hint("pyttsx3"))
        if missing_module("espeakng_loader") is not None and find_library("espeak-ng") is None:
            return Availability.unavailable("there is no eSpeak NG", install_hint("pyttsx3"))
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch: the espeakng-loader wheel carries library and voices."""

    def load(self) -> None:
        """Nothing to load: each text has a process of its own."""

    def voice(self, language: str) -> str:
        return f"{VOICES.get(language, language)} at {WORDS_PER_MINUTE}"

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        if not self.capabilities.speaks(language):
            raise StageFailed("tts", f"eSpeak NG does not speak {language!r}")
        return spoken_by_process(
            self.command,
            (VOICES.get(language, language), str(WORDS_PER_MINUTE)),
            text,
            folder,
            timeout_s=self._timeout_s,
            voice="eSpeak NG",
        )
