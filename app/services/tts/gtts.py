"""Google Translate's voices through gTTS: they need the internet and are sent the text."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from app.core.config import Settings
from app.core.exceptions import InsufficientStorage, StageFailed
from app.core.reach import is_reachable
from app.core.registry import install_hint, missing_module
from app.schemas.engine import Availability, Capabilities

if TYPE_CHECKING:
    from gtts import gTTS, gTTSError

log = logging.getLogger(__name__)

SPOKEN = """
af am ar bg bn bs ca cs cy da de el en es et eu fi fr gl gu ha he hi hr hu id is it ja jv km kn ko la lt lv ml
mr ms my ne nl no pa pl pt ro ru si sk sq sr su sv sw ta te th tl tr uk ur vi zh
"""
TAGS = {"he": "iw", "jv": "jw"}
"""Languages that gTTS knows under another name than ISO 639-1's."""
RETRIES = 3
"""For a whole text: who is told to slow down does not ask a hundred times more."""
TOO_MANY_REQUESTS = 429


class GttsEngine:
    """A hundred characters a request, one after another. gTTS itself does not check certificates."""

    name = "gtts"
    capabilities = Capabilities(sends_data_out=True, languages=frozenset(SPOKEN.split()))
    address = ("translate.google.com", 443)
    look_timeout_s = 2.0
    backoff_s = 0.5
    """Pause before the first retry; it doubles with each, unless Google names a longer one."""

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

    def voice(self, language: str) -> str:
        return TAGS.get(language, language)

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        from gtts import gTTS, gTTSError

        deadline = time.monotonic() + self._timeout_s
        try:
            speech = gTTS(text, lang=self.voice(language), timeout=self._timeout_s)
            audio = self._in_time(lambda: self._collect(speech, deadline))
        except gTTSError as error:
            raise StageFailed("tts", f"gTTS: {error}") from error
        except (ValueError, AssertionError) as error:
            raise StageFailed("tts", f"gTTS cannot speak this text in {language!r}") from error
        except OSError as error:
            raise StageFailed("tts", "gTTS: the connection failed") from error
        if not audio:
            raise StageFailed("tts", "gTTS gave no sound")
        return _written(audio, folder / f"{uuid4().hex}.mp3")

    def _in_time(self, collect: Callable[[], bytes]) -> bytes:
        """``collect`` in a thread of its own: a look-up or an answer in drips cannot be ended."""
        done: Future[bytes] = Future()

        def work() -> None:
            try:
                done.set_result(collect())
            except BaseException as error:
                done.set_exception(error)

        Thread(target=work, name="gtts", daemon=True).start()
        try:
            return done.result(self._timeout_s)
        except TimeoutError:
            raise self._too_late() from None

    def _collect(self, speech: gTTS, deadline: float) -> bytes:
        """Every part of the MP3 file, in order. All requests and pauses together end by ``deadline``."""
        from gtts import gTTSError

        audio = bytearray()
        failures = 0
        parts = speech._tokenize(speech.text)
        while parts:
            speech.text = parts[0]
            speech.timeout = self._left_s(deadline)
            try:
                audio += b"".join(speech.stream())
            except gTTSError as error:
                failures += 1
                if failures > RETRIES or not _may_pass(error):
                    raise
                self._pause(failures, error, deadline)
            else:
                parts.pop(0)
        return bytes(audio)

    def _pause(self, failures: int, error: gTTSError, deadline: float) -> None:
        """Wait before the next try; fail now where no time would be left for it."""
        pause_s = max(self.backoff_s * 2 ** (failures - 1), _asked_pause_s(error))
        if pause_s >= self._left_s(deadline):
            raise error
        log.info("tts.retry", extra={"engine": self.name, "failures": failures, "pause_s": pause_s})
        time.sleep(pause_s)

    def _left_s(self, deadline: float) -> float:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise self._too_late()
        return left_s

    def _too_late(self) -> StageFailed:
        return StageFailed("tts", f"gTTS took longer than {self._timeout_s:g} s")


def _may_pass(error: gTTSError) -> bool:
    """Whether the same request could succeed later: no connection, too many requests, an error of theirs."""
    return error.rsp is None or error.rsp.status_code == TOO_MANY_REQUESTS or error.rsp.status_code >= 500


def _asked_pause_s(error: gTTSError) -> float:
    """What `Retry-After` asks for, in seconds; 0 where it does not, or names a date."""
    asked = error.rsp.headers.get("Retry-After", "") if error.rsp is not None else ""
    return float(asked) if asked.isascii() and asked.isdigit() else 0.0


def _written(audio: bytes, target: Path) -> Path:
    try:
        target.write_bytes(audio)
    except OSError as error:
        target.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise InsufficientStorage from error
        raise StageFailed("tts", "gTTS: the sound could not be kept") from error
    return target
