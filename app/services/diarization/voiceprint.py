"""Speakers by their voices: the embedded engine for recordings that hold several parties in one channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.registry import missing_module
from app.schemas.audio import ChannelLayout, Span
from app.schemas.engine import Availability, Capabilities
from app.schemas.transcript import Turn, Word
from app.services.diarization.activity import LINE_PAUSE, ROOM_PAUSE, is_line, voiced
from app.services.diarization.base import MOST_SPEAKERS, DiarizationRequest
from app.services.diarization.clustering import find_speakers, spread
from app.services.diarization.embedding import WEIGHTS, VoiceEncoder
from app.services.diarization.listening import listen
from app.services.diarization.mel import FRAMES_PER_S
from app.services.diarization.resegmentation import resegment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.core.config import Settings
    from app.schemas.audio import Audio
    from app.services.diarization.listening import Speech

_ENOUGH_LONG_WINDOWS = 8


class VoiceprintEngine:
    """GE2E voice embeddings of windows of speech, clustered; then each 10 ms by models of the voices found.

    Listens to the first of the layout's voices alone, as one signal. Finds up to six speakers, or as many as
    it is told while there are as many windows of 1.6 s, every 0.2 s. Thread-safe; the weights are part of
    the package.
    """

    name = "voiceprint"
    label = "voiceprint:ge2e"
    capabilities = Capabilities()

    def __init__(self, settings: Settings) -> None:
        self._encoder = VoiceEncoder(settings.threads)

    def availability(self) -> Availability:
        if missing_module("onnxruntime"):
            return Availability.not_installed(
                "onnxruntime is not installed", 'pip install "silero-vad[onnx-cpu]"'
            )
        if not WEIGHTS.is_file():
            return Availability.unavailable("its weights are missing from the package", "install it again")
        return Availability.ready()

    def fetch(self) -> None:
        """Nothing to fetch: the weights come with the package."""

    def load(self) -> None:
        """Raises EngineUnavailable where the weights or onnxruntime are missing."""
        self._encoder.load()

    def unfit(self, layout: ChannelLayout) -> str | None:  # noqa: ARG002
        """Any recording has a first voice."""
        return None

    def diarize(self, request: DiarizationRequest) -> tuple[Turn, ...]:
        spans = request.speech[0] if request.speech else ()
        turns = self._speakers_of(request.layout.voices[0], spans, request.num_speakers)
        return numbered([*turns, *_turns_of_unheard(request.transcript.words, turns)])

    def _speakers_of(self, audio: Audio, spans: tuple[Span, ...], count: int | None) -> list[Turn]:
        speech = listen(audio, spans, self._encoder)
        if not len(speech.frames):
            return []
        centroids = find_speakers(_voices_to_cluster(speech), speech.seconds, MOST_SPEAKERS, count)
        path = resegment(speech, centroids)
        pause = LINE_PAUSE if is_line(speech.log_mel) else ROOM_PAUSE
        return [
            Turn(speaker, start / FRAMES_PER_S, end / FRAMES_PER_S)
            for speaker in range(len(centroids))
            for start, end in voiced(
                speech.frames, speech.levels, path.speaks(speaker), path.speaks_alone(speaker), pause
            )
        ]


def numbered(turns: list[Turn]) -> tuple[Turn, ...]:
    """The turns in order of time, their speakers numbered from 0 as they appear."""
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s, turn.speaker))
    numbers: dict[int, int] = {}
    return tuple(
        Turn(numbers.setdefault(turn.speaker, len(numbers)), turn.start_s, turn.end_s) for turn in ordered
    )


def _voices_to_cluster(speech: Speech) -> NDArray[np.float32]:
    """Whole windows that lie in one stretch of speech; halves of windows where there are few of those."""
    import numpy as np

    for length, least in ((1, _ENOUGH_LONG_WINDOWS), (0, 1)):
        inside = np.flatnonzero(speech.fits[:, length])
        if len(inside) >= least:
            break
    else:
        inside, length = np.arange(len(speech.starts)), 0
    chosen: NDArray[np.float32] = speech.voices[length, inside[spread(len(inside))]]
    return chosen


def _turns_of_unheard(words: tuple[Word, ...], turns: list[Turn]) -> list[Turn]:
    """Turns for words that no turn touches: each goes to whoever speaks nearest to it."""
    found = []
    for word in words:
        nearest = min(turns, key=lambda turn: _distance_s(turn, word), default=Turn(0, 0.0, 0.0))
        if not turns or _distance_s(nearest, word) > 0.0:
            found.append(Turn(nearest.speaker, word.start_s, word.end_s))
    return found


def _distance_s(turn: Turn, word: Word) -> float:
    return max(0.0, turn.start_s - word.end_s, word.start_s - turn.end_s)
