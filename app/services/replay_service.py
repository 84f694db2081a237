"""The replay of a call: its coachable moments read out in order, as one MP3."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.core.exceptions import CallNotReady, NoCoachableMoments
from app.schemas.analysis import Analysis
from app.schemas.moment import Moment
from app.services.audio_service import AudioService
from app.services.call_service import CallService
from app.services.tts_service import TtsService

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

        Raises CallNotFound, CallNotReady, NoCoachableMoments, EngineUnavailable, StageFailed.
        """
        stored = self._calls.read(call_id)
        if not stored.record.status.is_complete or stored.analysis is None:
            raise CallNotReady(f"call {call_id} is {stored.record.status}")
        lines = narration(stored.analysis)
        if not lines:
            raise NoCoachableMoments(f"call {call_id} has no coachable moments")
        language = stored.analysis.language or "en"
        spoken = []
        for number, line in enumerate(lines):
            part = folder / f"part-{number}"
            part.mkdir()
            spoken.append(self._tts.speak(line, language, "wav", part, external=self._allow_external))
        target = folder / "replay.mp3"
        self._audio.join([part.path for part in spoken], target, PAUSE_S)
        engines = dict.fromkeys(part.engine_label for part in spoken)
        return Replay(target, ", ".join(engines), len(lines))


def narration(analysis: Analysis) -> tuple[str, ...]:
    """What is read out for each moment: number, time, speaker, kind, the words, the coaching tip."""
    moments = sorted(
        (moment for analysed in analysis.segments if analysed.is_coachable for moment in analysed.moments),
        key=lambda moment: (moment.evidence.start_s, -moment.confidence),
    )
    words = {analysed.segment.index: analysed.segment.text for analysed in analysis.segments}
    return tuple(
        _line(number, moment, words[moment.segment]) for number, moment in enumerate(moments, start=1)
    )


def _line(number: int, moment: Moment, words: str) -> str:
    speaker = moment.role if moment.role != "unknown" else moment.speaker.replace("_", " ")
    kind = moment.type.replace("_", " ")
    if moment.subtype:
        kind += f", {moment.subtype.replace('_', ' ')}"
    said = words if words.endswith((".", "?", "!")) else f"{words}."
    time = _spoken_time(moment.evidence.start_s)
    return f"Moment {number}, at {time}. {speaker}. {kind}. {said} Tip: {moment.tip}"


def _spoken_time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    parts = []
    if minutes:
        parts.append(f"{minutes} minute{'s' if minutes != 1 else ''}")
    if rest or not minutes:
        parts.append(f"{rest} second{'s' if rest != 1 else ''}")
    return " ".join(parts)
