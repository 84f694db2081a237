"""Local speech: eSpeak NG through pyttsx3, each text in a process of its own that can be ended."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import wave
from contextlib import suppress
from ctypes.util import find_library
from math import ceil
from pathlib import Path
from uuid import uuid4

from app.core.config import Settings
from app.core.exceptions import InsufficientStorage, StageFailed
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities

log = logging.getLogger(__name__)

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
GRACE_S = 5
"""How much longer than its timeout a process lives at most, when nobody is left to end it."""
FULL_DISK = tuple(f"[Errno {number}]" for number in (errno.ENOSPC, errno.EDQUOT))


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

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        if not self.capabilities.speaks(language):
            raise StageFailed("tts", f"eSpeak NG does not speak {language!r}")
        target = folder.absolute() / f"{uuid4().hex}.wav"
        life_s = ceil(self._timeout_s) + GRACE_S
        arguments = (VOICES.get(language, language), str(WORDS_PER_MINUTE), str(life_s), str(target))
        try:
            self._run((*self.command, *arguments), text)
            if not _is_whole(target):
                raise StageFailed("tts", "eSpeak NG gave no sound")
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target

    def _run(self, command: tuple[str, ...], text: str) -> None:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        ) as process:
            try:
                said = process.communicate(_encoded(text), timeout=self._timeout_s)[1]
            except subprocess.TimeoutExpired:
                raise StageFailed("tts", f"eSpeak NG took longer than {self._timeout_s:g} s") from None
            finally:
                if process.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
        if process.returncode != 0:
            last = "".join(said.decode("utf-8", "replace").strip().splitlines()[-1:])
            log.warning("tts.process_failed", extra={"returncode": process.returncode, "said": last})
            if any(sign in last for sign in FULL_DISK):
                raise InsufficientStorage
            raise StageFailed("tts", f"eSpeak NG ended with code {process.returncode}")


def _encoded(text: str) -> bytes:
    """UTF-8 for a library that takes a zero byte for the end of the text."""
    return text.replace("\0", " ").encode("utf-8", "replace")


def _is_whole(path: Path) -> bool:
    """Whether ``path`` is a WAV file with sound in it, none of which is missing (a full disk cuts it)."""
    try:
        with wave.open(str(path), "rb") as file:
            length = file.getnframes() * file.getsampwidth() * file.getnchannels()
    except (OSError, EOFError, wave.Error):
        return False
    return 0 < length <= path.stat().st_size
