"""What runs in the engine process: loads models, answers one request at a time, ends with its parent."""

from __future__ import annotations

import logging
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from app.core.config import Settings
from app.core.exceptions import AppError, ResourceLimit, StageFailed
from app.core.logging import configure_logging
from app.schemas.audio import Audio, ChannelLayout, Span
from app.schemas.reading import Reading
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Transcript, Turn
from app.schemas.utterance import Utterance
from app.services.audio.channels import look_at_channels, without_bleed, without_unused
from app.services.audio.vad import VoiceActivity
from app.services.audio.windows import SpeechWindow
from app.services.diarization.base import DiarizationRequest
from app.services.diarization_service import DiarizationService
from app.services.reading_service import ReadingService
from app.services.sentiment_service import SentimentService
from app.services.stt.base import SttRequest
from app.services.stt_service import SttService
from app.workers.engine_process import OUT_OF_MEMORY, OVERFULL, in_mb

log = logging.getLogger(__name__)

_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "allocate memory",
    "bad allocation",
    "bad_alloc",
    "can't start new thread",
)
"""What libraries say in a RuntimeError of theirs."""


class EngineRoom:
    """The operations that the parent may ask for, by name. One thread uses it."""

    def __init__(self, settings: Settings) -> None:
        self._voice_activity = VoiceActivity(settings.threads)
        self._stt = SttService(settings)
        self._reading = ReadingService(settings)
        self._sentiment = SentimentService(settings)
        self._diarization = DiarizationService(settings)

    def load(self, stage: str, name: str) -> None:
        if stage == "stt":
            self._voice_activity.load()
            self._stt.load(name)
        elif stage == "reading":
            self._reading.load(name)
        elif stage == "sentiment":
            self._sentiment.load(name)
        elif stage == "diarization":
            self._diarization.load(name)

    def listen(self, audio: Audio) -> tuple[ChannelLayout, tuple[tuple[Span, ...], ...]]:
        layout = look_at_channels(audio)
        speech = tuple(self.detect_speech(voice) for voice in layout.voices)
        return without_unused(layout, without_bleed(layout, speech))

    def detect_speech(self, audio: Audio) -> tuple[Span, ...]:
        return self._voice_activity.detect(audio)

    def transcribe(
        self,
        name: str,
        work: Sequence[tuple[Audio, SpeechWindow]],
        language: str | None,
        vocabulary: tuple[str, ...],
    ) -> tuple[Transcript, ...]:
        requests = [SttRequest(window.samples(audio), language, window, vocabulary) for audio, window in work]
        return self._stt.transcribe(name, requests)

    def diarize(self, name: str, request: DiarizationRequest) -> tuple[Turn, ...]:
        return self._diarization.diarize(name, request)

    def read(self, name: str, utterances: Sequence[Utterance], language: str | None) -> list[Reading | None]:
        return self._reading.read(name, utterances, language)

    def analyse_sentiment(self, name: str, utterances: Sequence[Utterance]) -> list[Sentiment]:
        return self._sentiment.analyse(name, utterances)


def serve(connection: Connection) -> None:
    """Answer until the parent is gone."""
    connection.send(("born", in_mb(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)))
    _, settings = connection.recv()
    configure_logging(settings.log_level)
    limit_memory(settings.engine_memory_mb)
    room = EngineRoom(settings)
    requests: queue.Queue[tuple[Any, ...]] = queue.Queue()
    skipped: set[int] = set()
    threading.Thread(target=_receive, args=(connection, requests, skipped), daemon=True).start()
    while True:
        _, request_id, stage, operation, arguments = requests.get()
        if request_id in skipped:
            skipped.discard(request_id)
            continue
        connection.send(("started", request_id))
        try:
            value = getattr(room, operation)(*arguments)
        except Exception as error:
            if is_out_of_memory(error):
                _leave_full(connection, request_id, stage, operation)
            connection.send(("failed", request_id, _as_told(error, stage, operation)))
        else:
            connection.send(("done", request_id, value))


def _as_told(error: Exception, stage: str, operation: str) -> AppError:
    if isinstance(error, AppError):
        return error
    log.exception("engine.request_failed", extra={"stage": stage, "operation": operation})
    return StageFailed(stage, f"{type(error).__name__} in {stage}")


def _leave_full(connection: Connection, request_id: int, stage: str, operation: str) -> None:
    """Say why, and end: what filled the memory may stay there, and the next request is not to suffer."""
    try:
        log.warning("engine.out_of_memory", extra={"stage": stage, "operation": operation})
        connection.send(("failed", request_id, ResourceLimit(stage, f"stage {stage} ran out of memory")))
    finally:
        os._exit(OUT_OF_MEMORY)


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether this error, or one behind it, says that there was no memory left."""
    if error is None:
        return False
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _OUT_OF_MEMORY):
        return True
    return is_out_of_memory(error.__cause__ or error.__context__)


def limit_memory(megabytes: int) -> None:
    """Let allocations beyond it fail, where the system can do that (Linux); files that are mapped, such as
    libraries and weights, do not count. 0: no limit."""
    if megabytes and sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 2**20, megabytes * 2**20))


def _receive(connection: Connection, requests: queue.Queue[tuple[Any, ...]], skipped: set[int]) -> None:
    """Take messages as they come, also in the middle of a request; leave when the parent has."""
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
        except MemoryError:
            os._exit(OVERFULL)
        if message[0] == "skip":
            skipped.add(message[1])
        else:
            requests.put(message)


def main() -> None:
    # It ends with its parent, which lets calls in work end first, also where all processes are told to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve(Connection(int(sys.argv[1])))


if __name__ == "__main__":
    main()
