"""The replay of a call: its coachable moments read out in order, as one MP3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.core.exceptions import AppError, NoCoachableMoments
from app.schemas.analysis import Analysis
from app.schemas.guards import refuse_without_words
from app.schemas.moment import Moment, TimedMomentType
from app.schemas.speaker import Role
from app.services.audio_service import AudioService
from app.services.call_service import CallService
from app.services.tts_service import SpokenFile, TtsService

PAUSE_S = 0.7


@dataclass(frozen=True)
class Replay:
    """One MP3 file, the engine that spoke, and how many moments it holds."""

    path: Path
    engine: str
    moments: int


class ReplayService:
    """Speaks moments. Words of a stored call go to an engine off this machine only if a setting says so."""

    def __init__(
        self, calls: CallService, tts: TtsService, audio: AudioService, *, allow_external: bool
    ) -> None:
        self._calls = calls
        self._tts = tts
        self._audio = audio
        self._allow_external = allow_external

    def render(self, call_id: str, folder: Path) -> Replay:
        """Write the replay into ``folder``, which the caller owns.

        What is spoken is kept for the next replay until the words are deleted. Raises CallNotFound and
        TextDeleted (also where that happens meanwhile), CallNotReady, NoCoachableMoments, EngineUnavailable,
        StageFailed.
        """
        _, analysis = self._calls.finished(call_id)
        lines = narration(analysis)
        if not lines:
            raise NoCoachableMoments(f"call {call_id} has no coachable moments")
        try:
            spoken = self._spoken(call_id, lines, analysis.language or "en", folder)
        finally:
            self._forget_if_deleted(call_id)
        target = folder / "replay.mp3"
        self._audio.join([part.path for part in spoken], target, PAUSE_S)
        engines = dict.fromkeys(part.engine_label for part in spoken)
        return Replay(target, ", ".join(engines), len(lines))

    def _spoken(self, call_id: str, lines: Sequence[str], language: str, folder: Path) -> list[SpokenFile]:
        spoken = []
        for number, line in enumerate(lines):
            part = folder / f"part-{number}"
            part.mkdir()
            spoken.append(
                self._tts.speak(
                    line, language, "wav", part, external=self._allow_external, scope=scope_of(call_id)
                )
            )
        return spoken

    def _forget_if_deleted(self, call_id: str) -> None:
        """Words that were kept after those of the call had been deleted go too.

        Raises CallNotFound or TextDeleted then.
        """
        try:
            refuse_without_words(self._calls.record(call_id))
        except AppError:
            self._tts.forget(scope_of(call_id))
            raise


def scope_of(call_id: str) -> str:
    """What the spoken words of a call are kept under."""
    return f"call {call_id}"


def narration(analysis: Analysis) -> tuple[str, ...]:
    """What is read out for each moment: number, time, speaker, kind, the words, the coaching tip."""
    words: dict[int | None, str] = {
        analysed.segment.index: analysed.segment.text
        for analysed in analysis.segments
        if analysed.is_coachable
    }
    told = [moment for moment in analysis.moments if moment.segment is None or moment.segment in words]
    return tuple(
        _line(number, moment, words.get(moment.segment, "")) for number, moment in enumerate(told, start=1)
    )


def _line(number: int, moment: Moment, words: str) -> str:
    parts = [f"Moment {number}, at {_spoken_time(moment.evidence.start_s)}"]
    if moment.speaker is not None:
        parts.append(moment.role if moment.role != Role.UNKNOWN else moment.speaker.replace("_", " "))
    kind = moment.type.replace("_", " ")
    parts.append(kind if moment.subtype is None else f"{kind}, {moment.subtype.replace('_', ' ')}")
    if moment.type in tuple(TimedMomentType):
        parts.append(f"For {_spoken_time(moment.evidence.end_s - moment.evidence.start_s)}")
    else:
        parts.append(words.removesuffix("."))
    told = " ".join(part if part.endswith(("?", "!")) else f"{part}." for part in parts)
    return f"{told} Tip: {moment.tip}"


def _spoken_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    parts = []
    if minutes:
        parts.append(f"{minutes} minute{'s' if minutes != 1 else ''}")
    if rest or not minutes:
        parts.append(f"{rest} second{'s' if rest != 1 else ''}")
    return " ".join(parts)
