"""Returns the transcript that a sidecar file names, and fails on command: the fault injector of the tests.

The sidecar is JSON and is read again on every request:

    {"language": "en",
     "words": [{"text": "Hello", "start": 0.0, "end": 0.4, "confidence": 0.9, "ends_segment": true}],
     "faults": [{"do": "sleep", "seconds": 2, "times": 1}]}

Word times are seconds of the recording; a word belongs to the piece that holds its middle, and with a
``channel`` only to windows of that channel. With ``text`` in
place of ``words``, its words are spread evenly over each request. ``faults`` happen in order before the
answer, each on the first ``times`` requests of the process, or on all, and with ``over_s`` only on those for
more seconds of recording: ``sleep`` (``seconds``), ``leak`` (``megabytes``, kept for ever), ``print`` and
``raise`` (``message``), ``crash`` (exit code 70).
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.core.exceptions import ConfigurationError
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Transcript, Word

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Settings
    from app.schemas.audio import Span
    from app.services.audio.windows import SpeechWindow
    from app.services.stt.base import SttRequest

CRASH_EXIT_CODE = 70


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _SidecarWord(_Part):
    text: str
    start: float
    end: float
    confidence: float | None = None
    space_before: bool = True
    ends_segment: bool = False
    channel: int | None = None


class _Fault(_Part):
    do: Literal["sleep", "crash", "leak", "raise", "print"]
    seconds: float = Field(1.0, ge=0)
    megabytes: int = Field(64, ge=0)
    message: str = "scripted fault"
    times: int | None = Field(None, ge=0)
    over_s: float = Field(0.0, ge=0)


class _Sidecar(_Part):
    language: str | None = "en"
    words: tuple[_SidecarWord, ...] = ()
    text: str = ""
    faults: tuple[_Fault, ...] = ()


class ScriptedEngine:
    """Speech to text without listening."""

    name = "scripted"
    label = "scripted"
    capabilities = Capabilities(voice_activity=False)

    def __init__(self, settings: Settings) -> None:
        self._path = settings.scripted_transcript
        self._requests = 0
        self._leaked: list[bytes] = []

    def availability(self) -> Availability:
        if self._path is None:
            return Availability.unavailable("no sidecar is named", "set SCRIPTED_TRANSCRIPT to a JSON file")
        if not self._path.is_file():
            return Availability.unavailable(
                "the sidecar that SCRIPTED_TRANSCRIPT names is not there", "write the file"
            )
        return Availability.ready()

    def fetch(self) -> None:
        """There is nothing to fetch."""

    def load(self) -> None:
        """Raises ConfigurationError that names the sidecar and what is wrong with it."""
        _read(self._path)

    def transcribe(self, request: SttRequest) -> Transcript:
        sidecar = _read(self._path)
        self._requests += 1
        for fault in sidecar.faults:
            is_due = fault.times is None or self._requests <= fault.times
            if is_due and request.window.length_s > fault.over_s:
                self._commit(fault)
        words = _timed(sidecar, request.window) if sidecar.words else _spread(sidecar.text, request.window)
        return Transcript(tuple(words), request.language or sidecar.language)

    def _commit(self, fault: _Fault) -> None:
        match fault.do:
            case "sleep":
                time.sleep(fault.seconds)
            case "leak":
                self._leaked.append(b"\x01" * (fault.megabytes * 1024 * 1024))
            case "print":
                print(fault.message, flush=True)
            case "raise":
                raise RuntimeError(fault.message)
            case "crash":
                os._exit(CRASH_EXIT_CODE)


def _read(path: Path | None) -> _Sidecar:
    if path is None:
        raise ConfigurationError("SCRIPTED_TRANSCRIPT names no sidecar")
    try:
        return _Sidecar.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"sidecar {path.name}: cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(
            f"sidecar {path.name}: {where + ': ' if where else ''}{first['msg']}"
        ) from error


def _pieces(window: SpeechWindow) -> Iterator[tuple[Span, float]]:
    """Each piece of the recording with the window time at which it begins."""
    begins_s = 0.0
    for piece in window.pieces:
        yield piece, begins_s
        begins_s += piece.length_s


def _timed(sidecar: _Sidecar, window: SpeechWindow) -> Iterator[Word]:
    for piece, begins_s in _pieces(window):
        for word in sidecar.words:
            is_heard = word.channel is None or window.channel in (None, word.channel)
            if is_heard and piece.start_s <= (word.start + word.end) / 2 < piece.end_s:
                shift_s = begins_s - piece.start_s
                yield Word(
                    word.text,
                    word.start + shift_s,
                    word.end + shift_s,
                    word.confidence,
                    word.space_before,
                    word.ends_segment,
                )


def _spread(text: str, window: SpeechWindow) -> Iterator[Word]:
    texts = text.split()
    each_s = window.length_s / max(1, len(texts))
    for index, word in enumerate(texts):
        last = index == len(texts) - 1
        yield Word(word, index * each_s, (index + 1) * each_s, ends_segment=last)
