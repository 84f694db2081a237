"""What runs in the engine process: loads models, answers one request at a time, ends with its parent."""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from app.core.config import Settings
from app.core.exceptions import AppError, StageFailed
from app.core.logging import configure_logging
from app.schemas.audio import Audio, ChannelLayout, Span
from app.schemas.sentiment import Sentiment
from app.schemas.transcript import Transcript, Turn
from app.services.audio.channels import look_at_channels, without_bleed, without_unused
from app.services.audio.vad import VoiceActivity
from app.services.audio.windows import SpeechWindow
from app.services.diarization.base import DiarizationRequest
from app.services.diarization_service import DiarizationService
from app.services.sentiment_service import SentimentService
from app.services.stt.base import SttRequest
from app.services.stt_service import SttService

log = logging.getLogger(__name__)


class EngineRoom:
    """The operations that the parent may ask for, by name. One thread uses it."""

    def __init__(self, settings: Settings) -> None:
        self._voice_activity = VoiceActivity(settings.threads)
        self._stt = SttService(settings)
        self._sentiment = SentimentService(settings)
        self._diarization = DiarizationService(settings)

    def load(self, stage: str, name: str) -> None:
        if stage == "stt":
            self._voice_activity.load()
            self._stt.load(name)
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

    def analyse_sentiment(self, name: str, texts: list[str]) -> list[Sentiment]:
        return self._sentiment.analyse(name, texts)


def serve(connection: Connection) -> None:
    """Answer until the parent is gone."""
    _, settings = connection.recv()
    configure_logging(settings.log_level)
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
        except AppError as error:
            connection.send(("failed", request_id, error))
        except Exception as error:
            log.exception("engine.request_failed", extra={"stage": stage, "operation": operation})
            connection.send(("failed", request_id, StageFailed(stage, f"{type(error).__name__} in {stage}")))
        else:
            connection.send(("done", request_id, value))


def _receive(connection: Connection, requests: queue.Queue[tuple[Any, ...]], skipped: set[int]) -> None:
    """Take messages as they come, also in the middle of a request; leave when the parent has."""
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            os._exit(0)
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
