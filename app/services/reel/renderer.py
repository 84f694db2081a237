"""Makes a reel: chooses what fits, speaks, cuts, and puts it all on one tape."""

from __future__ import annotations

import wave
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from app.core.exceptions import NoMomentFits
from app.schemas.audio import Span
from app.schemas.call import CallRecord
from app.schemas.reel import Cue
from app.services.audio.encoder import RATE
from app.services.audio.tape import Tape
from app.services.audio_service import AudioService
from app.services.reel import chime
from app.services.reel.chapters import write_with_chapters
from app.services.reel.narrator import Narrator
from app.services.reel.scenes import Line, Scene

PAUSE_S = 0.7
"""Between two moments."""
BEFORE_CHIME_S, AFTER_CHIME_S, BEFORE_TIP_S = 0.25, 0.1, 0.45
MOST_MOMENTS = 100
FASTEST_VOICE = 30.0
"""Characters in a second that no voice exceeds: what would not even fit so is not spoken to find out."""

OpenRecording = Callable[[CallRecord], AbstractContextManager[Path]]


@dataclass(frozen=True)
class Rendered:
    """An MP3 file with chapters, its length, and the cues that tell what is where."""

    path: Path
    duration_s: float
    cues: tuple[Cue, ...]


@dataclass(frozen=True)
class _Take:
    """A scene whose lines are spoken, as far as they could be; ``clip`` is its stretch of the recording."""

    scene: Scene
    before: Path | None
    after: Path | None
    length_s: float
    clip: Path | None = None

    @property
    def has_chime(self) -> bool:
        """Ahead of a recording that was introduced, and in the place of words that no voice says."""
        return self.scene.before is not None and (self.scene.is_heard or self.before is None)

    @property
    def unspoken(self) -> tuple[str, ...]:
        missing = []
        if self.scene.before is not None and self.before is None:
            missing.append("intro" if self.scene.is_heard else "moment")
        if self.scene.after is not None and self.after is None:
            missing.append("tip")
        return tuple(missing)


class ReelRenderer:
    """Thread-safe; each rendering needs a narrator and a folder of its own."""

    def __init__(self, audio: AudioService, open_recording: OpenRecording) -> None:
        self._audio = audio
        self._open_recording = open_recording

    def render(
        self, scenes: Sequence[Scene], narrator: Narrator, room_s: float, title: str, folder: Path
    ) -> Rendered:
        """Write the reel into ``folder``: of ``scenes`` (at least one) the strongest that fit into ``room_s``
        together, at most 100, in their order.

        A line that cannot be spoken is left out, and named in the scene's cue. Raises NoMomentFits,
        StageFailed, InsufficientStorage, and what opening a recording does.
        """
        takes = self._with_clips(self._fitting(scenes, narrator, room_s), folder)
        tape = self._audio.tape(folder)
        cues = []
        for number, take in enumerate(takes):
            if number:
                tape.pause(PAUSE_S)
            cues.append(_cue(take, self._lay(take, tape)))
        plain, target = folder / "plain.mp3", folder / "reel.mp3"
        tape.write_mp3(plain)
        write_with_chapters(plain, target, title, cues)
        return Rendered(target, tape.length_s, tuple(cues))

    def _fitting(self, scenes: Sequence[Scene], narrator: Narrator, room_s: float) -> list[_Take]:
        """The surest first, as long as they fit; back in the order of the scenes."""
        chosen: dict[int, _Take] = {}
        filled_s, shortest_s = 0.0, float("inf")
        for place in sorted(range(len(scenes)), key=lambda at: (-scenes[at].moment.confidence, at)):
            if len(chosen) == MOST_MOMENTS:
                break
            pause_s = PAUSE_S if chosen else 0.0
            least_s = _least_s(scenes[place])
            if filled_s + pause_s + least_s > room_s:
                shortest_s = min(shortest_s, least_s)
                continue
            take = _spoken(scenes[place], narrator)
            if filled_s + pause_s + take.length_s > room_s:
                shortest_s = min(shortest_s, take.length_s)
                continue
            chosen[place] = take
            filled_s += pause_s + take.length_s
        if not chosen:
            raise NoMomentFits(
                f"no moment fits into {room_s:g} s; the shortest takes about {shortest_s:.0f} s"
            )
        return [chosen[place] for place in sorted(chosen)]

    def _with_clips(self, takes: Sequence[_Take], folder: Path) -> list[_Take]:
        """Each recording is opened once."""
        clips: dict[int, Path] = {}
        by_call: dict[str, list[int]] = {}
        for place, take in enumerate(takes):
            if take.scene.is_heard:
                by_call.setdefault(take.scene.call.call_id, []).append(place)
        for number, places in enumerate(by_call.values()):
            part = folder / f"clips-{number}"
            part.mkdir()
            call = takes[places[0]].scene.call
            with self._open_recording(call) as source:
                spans = [takes[place].scene.span for place in places]
                cut = self._audio.cut(source, spans, part, call.duration_s)
            clips.update(zip(places, cut, strict=True))
        return [replace(take, clip=clips.get(place)) for place, take in enumerate(takes)]

    def _lay(self, take: _Take, tape: Tape) -> Span:
        start_s = tape.length_s
        if take.before is not None:
            tape.add(take.before)
        if take.has_chime:
            if take.before is not None:
                tape.pause(BEFORE_CHIME_S)
            tape.add_samples(chime.chime(RATE), chime.LOUDNESS_LUFS)
        if take.clip is not None:
            if take.has_chime:
                tape.pause(AFTER_CHIME_S)
            tape.add(take.clip)
        if take.after is not None:
            tape.pause(BEFORE_TIP_S)
            tape.add(take.after)
        return Span(start_s, tape.length_s)


def scope_of(call_id: str) -> str:
    """What the spoken words of a call are kept under."""
    return f"call {call_id}"


def _spoken(scene: Scene, narrator: Narrator) -> _Take:
    scope = scope_of(scene.call.call_id)
    before = narrator.say(scene.before, scope) if scene.before is not None else None
    after = narrator.say(scene.after, scope) if scene.after is not None else None
    take = _Take(scene, before, after, 0.0)
    length_s = scene.span.length_s if scene.is_heard else 0.0
    if before is not None:
        length_s += _wav_length_s(before)
    if take.has_chime:
        length_s += chime.LENGTH_S + (BEFORE_CHIME_S if before is not None else 0.0)
        length_s += AFTER_CHIME_S if scene.is_heard else 0.0
    if after is not None:
        length_s += BEFORE_TIP_S + _wav_length_s(after)
    return replace(take, length_s=length_s)


def _least_s(scene: Scene) -> float:
    lines = [line for line in (scene.before, scene.after) if line is not None]
    heard_s = scene.span.length_s if scene.is_heard else 0.0
    return heard_s + sum(_least_line_s(line) for line in lines)


def _least_line_s(line: Line) -> float:
    return len(line.text) / FASTEST_VOICE


def _wav_length_s(path: Path) -> float:
    with wave.open(str(path), "rb") as file:
        return file.getnframes() / file.getframerate()


def _cue(take: _Take, place: Span) -> Cue:
    scene, moment = take.scene, take.scene.moment
    return Cue(
        call_id=scene.call.call_id,
        moment_id=moment.id,
        type=moment.type,
        subtype=moment.subtype,
        title=scene.title,
        start_s=round(place.start_s, 3),
        end_s=round(place.end_s, 3),
        call_start_s=round(scene.span.start_s, 3),
        call_end_s=round(scene.span.end_s, 3),
        speaker=moment.speaker,
        role=moment.role,
        confidence=moment.confidence,
        tip=moment.tip,
        unspoken=take.unspoken,
    )
