"""Reels: moments of one call or of several, rendered once and kept for whoever asks again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from app.core.clock import utc_now
from app.core.exceptions import AppError, Busy, NoCoachableMoments, ReelNotFound
from app.core.file_lock import held_lock
from app.db.repositories.reels import ReelRepository
from app.db.session import Database
from app.schemas.call import CallFilter
from app.schemas.guards import found_moment, refuse_without_words
from app.schemas.moment import Moment
from app.schemas.reel import MomentFilter, MomentRef, Reel, ReelSource, ReelWish
from app.services.call_service import CallService
from app.services.recording_service import RecordingService, key_of
from app.services.reel.narrator import Narrator
from app.services.reel.renderer import MOST_MOMENTS, ReelRenderer, Rendered, scope_of
from app.services.reel.scenes import FinishedCall, Line, Scene, scenes_of, wanted
from app.services.reel_shelf import ReelShelf
from app.services.tts_service import TtsService
from app.storage.scratch import Scratch

FORMAT = 1
"""Of renderings: a reel of another one is made anew."""
LONGEST_REEL_S = 3600.0
AT_A_TIME = 2
"""Reels rendered by one process at once; each keeps a core busy."""
WAIT_S = 120.0
BUSY_RETRY_S = 15


class ReelService:
    """Thread-safe. Of equal requests to this machine one renders and the others wait."""

    def __init__(
        self,
        database: Database,
        calls: CallService,
        recordings: RecordingService,
        tts: TtsService,
        shelf: ReelShelf,
        renderer: ReelRenderer,
        scratch: Scratch,
        *,
        allow_external: bool,
        least_confidence: float,
        locks: Path,
    ) -> None:
        """``least_confidence``: of moments that are looked for in many calls, where none is asked for.
        ``locks``: a folder of this service alone."""
        self._database = database
        self._calls = calls
        self._recordings = recordings
        self._tts = tts
        self._shelf = shelf
        self._renderer = renderer
        self._scratch = scratch
        self._allow_external = allow_external
        self._least_confidence = least_confidence
        self._locks = locks
        self._turns = threading.BoundedSemaphore(AT_A_TIME)

    def replay(self, call_id: str, filters: MomentFilter, wish: ReelWish) -> Reel:
        """The moments of one call, in order of time.

        Raises CallNotFound, CallNotReady, TextDeleted, AudioDeleted, AudioMissing, NoCoachableMoments where
        the filters leave none, NoMomentFits, EngineUnavailable or StageFailed where a reel of speech alone
        would be without any, InsufficientStorage, StorageUnavailable, and Busy.
        """
        call = self._finished(call_id)
        shown = [(call, moment) for moment in wanted(call.analysis, filters)]
        if not shown:
            asked = "" if filters == MomentFilter() else " of the kind that is asked for"
            raise NoCoachableMoments(f"call {call_id} has no coachable moments{asked}")
        return self._reel(shown, wish, f"Replay of {call_id}")

    def of_moments(self, refs: Sequence[MomentRef], wish: ReelWish) -> Reel:
        """These moments, of any calls, in the order given. Raises as ``replay`` does, and MomentNotFound."""
        calls = {call_id: self._finished(call_id) for call_id in dict.fromkeys(ref.call_id for ref in refs)}
        shown = [
            (
                calls[ref.call_id],
                found_moment(calls[ref.call_id].analysis.moments, ref.call_id, ref.moment_id),
            )
            for ref in dict.fromkeys(refs)
        ]
        return self._reel(shown, wish, _title(shown))

    def of_calls(self, calls: CallFilter, filters: MomentFilter, wish: ReelWish) -> Reel:
        """The surest moments, at most 100, of all calls that the filters leave; oldest call first.

        Calls whose words or, where it is heard, whose recording are gone are passed over. Raises as
        ``replay`` does.
        """
        sure = filters
        if sure.min_confidence is None:
            sure = MomentFilter(filters.types, filters.subtypes, filters.role, self._least_confidence)
        needs_recording = wish.source.needs_recording
        with self._database.snapshot() as session:
            found = ReelRepository(session).moments(
                calls, sure, needs_recording=needs_recording, limit=MOST_MOMENTS
            )
        if not found:
            raise NoCoachableMoments("no call has moments of the kind that is asked for")
        finished = {call_id: self._finished(call_id) for call_id in {ref.call_id for ref in found}}
        ids = {(ref.call_id, ref.moment_id) for ref in found}
        shown = [
            (call, moment)
            for call in sorted(finished.values(), key=_place)
            for moment in call.analysis.moments
            if (call.record.call_id, moment.id) in ids
        ]
        return self._reel(shown, wish, _title(shown))

    def find(self, reel_id: str) -> Reel:
        """A reel that was rendered before and is still kept. Raises ReelNotFound."""
        reel = self._shelf.find(reel_id)
        if reel is None:
            raise ReelNotFound(f"there is no reel {reel_id}, or not any more: ask for it anew")
        return reel

    def read(self, reel: Reel, first: int, count: int) -> Iterator[bytes]:
        """``count`` bytes of its MP3 from the byte ``first`` on. Raises ReelNotFound, StorageUnavailable."""
        return self._shelf.read(reel, first, count)

    def sweep(self) -> int:
        """Remove reels that are too old or too many, or that show a call that is gone; returns how many."""
        return self._shelf.remove_due()

    def _finished(self, call_id: str) -> FinishedCall:
        return FinishedCall(*self._calls.finished(call_id))

    def _reel(self, shown: Sequence[tuple[FinishedCall, Moment]], wish: ReelWish, title: str) -> Reel:
        if wish.source.needs_recording:
            for call, _ in shown:
                key_of(call.record)
        scenes = scenes_of(shown, wish.source, all_fit=wish.max_seconds is None)
        reel_id = self._digest(scenes, wish, title)
        kept = self._kept(reel_id)
        if kept is not None:
            return kept
        with self._turn(reel_id):
            kept = self._kept(reel_id)
            return kept if kept is not None else self._render(reel_id, scenes, wish, title)

    def _kept(self, reel_id: str) -> Reel | None:
        """A reel that need not be made anew: whole, and there."""
        reel = self._shelf.find(reel_id)
        return reel if reel is not None and not reel.unspoken and self._shelf.is_there(reel) else None

    @contextmanager
    def _turn(self, reel_id: str) -> Iterator[None]:
        self._locks.mkdir(mode=0o700, parents=True, exist_ok=True)
        with held_lock(self._locks / f"{reel_id}.lock", WAIT_S) as mine:
            if not mine or not self._turns.acquire(timeout=WAIT_S):
                raise Busy("many reels are being made", retry_after_s=BUSY_RETRY_S)
            try:
                yield
            finally:
                self._turns.release()

    def _render(self, reel_id: str, scenes: Sequence[Scene], wish: ReelWish, title: str) -> Reel:
        records = {scene.call.call_id: scene.call for scene in scenes}
        with self._scratch.folder() as folder:
            narrator = Narrator(self._tts, folder, external=self._allow_external)
            room_s = min(wish.max_seconds or LONGEST_REEL_S, LONGEST_REEL_S)
            try:
                rendered = self._renderer.render(scenes, narrator, room_s, title, folder)
            finally:
                self._forget_deleted(records)
            _refuse_mute(wish.source, rendered, narrator)
            stored = self._shelf.store(rendered.path)
        reel = Reel(
            reel_id=reel_id,
            audio_key=stored.key,
            audio_bytes=stored.size,
            duration_s=round(rendered.duration_s, 3),
            source=wish.source,
            engine=narrator.engines,
            cues=rendered.cues,
            created_at=utc_now(),
        )
        self._shelf.keep(
            reel, [records[call_id] for call_id in reel.call_ids], needs_recording=wish.source.needs_recording
        )
        return reel

    def _forget_deleted(self, call_ids: Iterable[str]) -> None:
        """Words that were kept after those of their call had been deleted go too.

        Raises CallNotFound or TextDeleted then.
        """
        failure: AppError | None = None
        for call_id in call_ids:
            try:
                refuse_without_words(self._calls.record(call_id))
            except AppError as error:
                self._tts.forget(scope_of(call_id))
                failure = error
        if failure is not None:
            raise failure

    def _digest(self, scenes: Sequence[Scene], wish: ReelWish, title: str) -> str:
        """Of all that the rendering hangs on: so what is analysed anew is rendered anew where it differs."""
        lines = [line for scene in scenes for line in (scene.before, scene.after) if line is not None]
        languages = sorted({line.language for line in lines})
        voices = [self._tts.voice(language, external=self._allow_external) for language in languages]
        told = [FORMAT, title, asdict(wish), voices, [_told(scene) for scene in scenes]]
        return sha256(json.dumps(told).encode()).hexdigest()[:32]


def _place(call: FinishedCall) -> tuple[datetime, str]:
    return call.record.created_at, call.record.call_id


def _told(scene: Scene) -> list[object]:
    lines: list[Line | None] = [scene.before, scene.after]
    return [
        scene.call.call_id,
        scene.call.audio_sha256,
        scene.moment.id,
        scene.moment.confidence,
        scene.moment.role,
        scene.moment.tip,
        scene.title,
        [scene.span.start_s, scene.span.end_s],
        [line and asdict(line) for line in lines],
    ]


def _refuse_mute(source: ReelSource, rendered: Rendered, narrator: Narrator) -> None:
    """A reel of nothing but chimes is none. Raises what kept the voices from speaking."""
    if source is ReelSource.TTS and narrator.error and all(cue.unspoken for cue in rendered.cues):
        raise narrator.error


def _title(shown: Sequence[tuple[FinishedCall, Moment]]) -> str:
    call_ids = dict.fromkeys(call.record.call_id for call, _ in shown)
    return f"Reel of {len(call_ids)} calls" if len(call_ids) > 1 else f"Reel of {next(iter(call_ids))}"
