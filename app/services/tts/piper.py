"""Local speech: a Piper voice from a file, each text in a process of its own that can be ended."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from app.core.config import Settings
from app.core.exceptions import StageFailed
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities
from app.schemas.languages import ISO_639_1
from app.services.tts.child_process import spoken_by_process

PHONEMES = frozenset({"espeak", "text"})
"""Ways from letters to sounds that the wheel carries whole; for others Piper fetches packages and weights."""
OTHER_NAMES = {"cmn": ("zh",), "nb": ("nb", "no"), "no": ("nb", "no")}
"""Languages that voices and clients name differently."""
PROCESS = Path(__file__).with_name("piper_process.py")
LARGEST_CONFIG_BYTES = 1024 * 1024
HOW_TO_GET_ONE = (
    "bring one with `python -m piper.download_voices en_US-lessac-medium` and set PIPER_VOICE to the path of "
    "its .onnx file, with its .onnx.json beside it"
)


@dataclass(frozen=True)
class VoiceFile:
    """What is known of a voice without loading it. ``print`` changes when either of its files does."""

    languages: frozenset[str]
    print: str


class VoiceUnusable(Exception):
    """The voice file is missing or is none; the message says which."""


class PiperEngine:
    """Speaks the one language of its voice. Piper is under the GPL: it runs in a process of its own."""

    name = "piper"
    # -P: the folder of the script holds this very file, which must not be taken for the library.
    command: tuple[str, ...] = (sys.executable, "-P", str(PROCESS))

    def __init__(self, settings: Settings) -> None:
        self._path = settings.piper_voice.expanduser().absolute() if settings.piper_voice else None
        self._timeout_s = settings.tts_timeout_s
        self.capabilities = Capabilities(languages=frozenset())
        self.availability()

    @property
    def label(self) -> str:
        return f"piper:{self._path.stem if self._path else 'none'}"

    def availability(self) -> Availability:
        """Looks at the voice anew: files may be put in place while the service runs."""
        try:
            languages = self._voice_file().languages
        except VoiceUnusable as problem:
            self.capabilities = Capabilities(languages=frozenset())
            return self._not_installed() or Availability.unavailable(str(problem), HOW_TO_GET_ONE)
        self.capabilities = Capabilities(languages=languages)
        return self._not_installed() or Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch: the voice is a file that somebody chose."""

    def load(self) -> None:
        """Nothing to load: each text has a process of its own."""

    def voice(self, language: str) -> str:  # noqa: ARG002
        try:
            return self._voice_file().print
        except VoiceUnusable:
            return "none"

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        try:
            speaks = language in self._voice_file().languages
        except VoiceUnusable as problem:
            raise StageFailed("tts", f"Piper: {problem}") from None
        if not speaks:
            raise StageFailed("tts", f"{self.label} does not speak {language!r}")
        return spoken_by_process(
            self.command, (str(self._path),), text, folder, timeout_s=self._timeout_s, voice="Piper"
        )

    def _not_installed(self) -> Availability | None:
        if missing_module("piper") is None:
            return None
        return Availability.not_installed("Piper is not installed", install_hint("piper"))

    def _voice_file(self) -> VoiceFile:
        if self._path is None:
            raise VoiceUnusable("PIPER_VOICE names no voice")
        return voice_file(self._path)


def voice_file(model: Path) -> VoiceFile:
    """Look at the voice whose weights are ``model``. Raises VoiceUnusable."""
    described = model.with_name(f"{model.name}.json")
    for path in (model, described):
        if not path.is_file():
            raise VoiceUnusable(f"the voice's file {path.name} is missing")
    try:
        with described.open("rb") as file:
            config = json.loads(file.read(LARGEST_CONFIG_BYTES))
        espeak_voice = str(config["espeak"]["voice"])
        phonemes = str(config.get("phoneme_type") or "espeak")
        family = str((config.get("language") or {}).get("family") or espeak_voice.partition("-")[0]).lower()
        state = [(part.stat().st_size, part.stat().st_mtime_ns) for part in (model, described)]
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise VoiceUnusable(f"{described.name} does not describe a Piper voice") from error
    if phonemes not in PHONEMES:
        raise VoiceUnusable(f"{model.name} needs {phonemes!r} phonemes, which are not supported here")
    languages = frozenset(OTHER_NAMES.get(family, (family,))) & ISO_639_1
    if not languages:
        raise VoiceUnusable(f"{described.name} does not tell the voice's language")
    return VoiceFile(languages, f"{model.name} {state}")
