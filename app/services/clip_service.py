"""The library of clips: cut out of recordings, kept in folders, each with its own copy of the sound."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from app.core.clock import utc_now
from app.core.exceptions import (
    ClipNotFound,
    ConsentDeclined,
    DatabaseUnavailable,
    StorageUnavailable,
    ValidationFailed,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.clips import ClipRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.audio import Span
from app.schemas.call import CallRecord
from app.schemas.clip import (
    ClipChange,
    ClipFilter,
    ClipFolder,
    Consent,
    ConsentState,
    ExcerptLine,
    KeptClip,
    NewClip,
)
from app.schemas.comment import Keep
from app.schemas.guards import found_call, found_moment, refuse_if_held, refuse_without_words
from app.schemas.moment import Moment
from app.schemas.transcript import join_words
from app.services.call_service import CallService
from app.services.recording_service import RecordingService, key_of
from app.services.reel.edges import clip_span
from app.services.reel.narration import title_of
from app.storage.base import StoredFile
from app.storage.removals import RemovalKeeper
from app.storage.scratch import Scratch

SHORTEST_CLIP_S = 0.5
LONGEST_CLIP_S = 600.0
SLACK_S = 0.001
"""Clients are told lengths to the millisecond."""
CHUNK_BYTES = 256 * 1024


class ClipService:
    """A clip outlives the recording of its call, but not its call; and without recorded consent not the time
    for which recordings or words are kept. Thread-safe."""

    def __init__(
        self,
        database: Database,
        storage: RemovalKeeper,
        scratch: Scratch,
        calls: CallService,
        recordings: RecordingService,
        *,
        left: Callable[[], None],
    ) -> None:
        """``left`` is told of each deletion that is committed."""
        self._database = database
        self._storage = storage
        self._scratch = scratch
        self._calls = calls
        self._recordings = recordings
        self._left = left

    def create(self, new: NewClip) -> KeptClip:
        """Cut a clip and keep it. A crash on the way leaves at most a file that no row names, which goes when
        files and rows are compared.

        Raises ConsentDeclined, CallNotFound, CallNotReady, TextDeleted, AudioDeleted, AudioMissing,
        MomentNotFound, ValidationFailed for a stretch that is not in the recording, StageFailed,
        InsufficientStorage and StorageUnavailable.
        """
        _refuse_declined(new.consent)
        record, analysis = self._calls.finished(new.call_id)
        moment = found_moment(analysis.moments, new.call_id, new.moment_id) if new.moment_id else None
        span = clip_span(analysis, moment) if moment else _checked(new.span, analysis.duration_s)
        stored = self._stored(record, span)
        clip = _clip(new, moment, span, analysis, record, stored)
        kept = False
        try:
            self._keep(clip)
            kept = True
        except DatabaseUnavailable as error:
            kept = error.commit_unknown
            raise
        finally:
            if not kept:
                self._storage.delete(stored.key)
        return clip

    def get(self, clip_id: str) -> KeptClip:
        """Raises ClipNotFound."""
        with self._database.snapshot() as session:
            return _found(ClipRepository(session).get(clip_id), clip_id)

    def page(
        self, filters: ClipFilter, limit: int, cursor: str | None
    ) -> tuple[tuple[KeptClip, ...], str | None]:
        """Newest first. Raises ValidationFailed for a cursor that this service did not make."""
        with self._database.snapshot() as session:
            return ClipRepository(session).page(filters, limit, cursor)

    def folders(self) -> tuple[ClipFolder, ...]:
        """Every folder that holds a clip, in order of their names; those in no folder first."""
        with self._database.snapshot() as session:
            return ClipRepository(session).folders()

    def change(self, clip_id: str, change: ClipChange) -> KeptClip | None:
        """The clip as it is now; None where consent is declined by ``change``: then it is removed.

        Raises ClipNotFound, and LegalHold where it would be removed.
        """
        if change.consent is not None and change.consent.state is ConsentState.DECLINED:
            self.remove(clip_id)
            return None
        with self._database.session() as session:
            clips = ClipRepository(session)
            # The call's row is the lock under which its clips change; then it is read as it is.
            CallRepository(session).lock(_found(clips.get(clip_id), clip_id).call_id)
            earlier = _found(clips.get(clip_id), clip_id)
            clip = replace(
                earlier,
                folder=earlier.folder if isinstance(change.folder, Keep) else change.folder,
                title=change.title or earlier.title,
                note=earlier.note if isinstance(change.note, Keep) else change.note,
                consent=change.consent or earlier.consent,
            )
            clips.replace(clip)
        return clip

    def remove(self, clip_id: str) -> None:
        """Remove the clip with its sound. Raises ClipNotFound, and LegalHold where its call is held."""
        with self._database.session() as session:
            clips = ClipRepository(session)
            call = CallRepository(session).lock(_found(clips.get(clip_id), clip_id).call_id)
            clip = _found(clips.get(clip_id), clip_id)
            if call is not None:
                refuse_if_held(call)
            clips.remove(clip_id)
        self._left()
        self._storage.delete(clip.audio_key)

    def read(self, clip: KeptClip, first: int, count: int) -> Iterator[bytes]:
        """``count`` bytes of its MP3 file from the byte ``first`` on, piece by piece.

        Raises ClipNotFound where it was removed in this moment, and StorageUnavailable.
        """
        try:
            return self._storage.read(clip.audio_key, first, count)
        except StorageUnavailable:
            if not self._storage.exists(clip.audio_key):
                raise ClipNotFound(f"the sound of clip {clip.id} is gone") from None
            raise

    def _stored(self, record: CallRecord, span: Span) -> StoredFile:
        """The stretch of the recording, as a file of its own in the storage."""
        with self._scratch.folder() as folder:
            cut = self._recordings.cut(record, span, folder)
            writer = self._storage.create()
            try:
                with cut.path.open("rb") as file:
                    for chunk in iter(partial(file.read, CHUNK_BYTES), b""):
                        writer.write(chunk)
                return writer.commit()
            finally:
                writer.discard()

    def _keep(self, clip: KeptClip) -> None:
        with self._database.session() as session:
            # Who removes a call, its recording or its words holds its row: nothing is made behind their back.
            current = found_call(CallRepository(session).lock(clip.call_id), clip.call_id)
            refuse_without_words(current)
            key_of(current)
            ClipRepository(session).add(clip)


def _found(clip: KeptClip | None, clip_id: str) -> KeptClip:
    if clip is None:
        raise ClipNotFound(f"there is no clip {clip_id}")
    return clip


def _refuse_declined(consent: Consent) -> None:
    if consent.state is ConsentState.DECLINED:
        raise ConsentDeclined("no clip is kept of people who declined")


def _checked(span: Span | None, duration_s: float) -> Span:
    """The stretch that is asked for, if it lies in the recording and is neither too short nor too long."""
    if span is None:
        raise ValueError("a clip needs a moment or a stretch")
    if span.end_s > duration_s + SLACK_S:
        raise ValidationFailed.of("end_seconds", f"must be within the recording, 0 to {duration_s:.3f}")
    if not SHORTEST_CLIP_S <= span.length_s <= LONGEST_CLIP_S:
        message = f"must be {SHORTEST_CLIP_S:g} to {LONGEST_CLIP_S:g} after start_seconds"
        raise ValidationFailed.of("end_seconds", message)
    return Span(span.start_s, min(span.end_s, duration_s))


def _clip(
    new: NewClip, moment: Moment | None, span: Span, analysis: Analysis, call: CallRecord, stored: StoredFile
) -> KeptClip:
    return KeptClip(
        id=f"clip_{secrets.token_hex(10)}",
        call_id=new.call_id,
        moment_id=new.moment_id,
        folder=new.folder,
        title=new.title or (title_of(moment) if moment else "Clip"),
        note=new.note,
        start_s=round(span.start_s, 3),
        end_s=round(span.end_s, 3),
        type=moment.type if moment else None,
        subtype=moment.subtype if moment else None,
        excerpt=tuple(_excerpt(analysis, span)),
        consent=new.consent,
        audio_key=stored.key,
        audio_bytes=stored.size,
        audio_sha256=stored.sha256,
        created_at=utc_now(),
        agent_id=call.agent_id,
        team_id=call.team_id,
    )


def _excerpt(analysis: Analysis, span: Span) -> Iterator[ExcerptLine]:
    """The words whose middle lies in the stretch, a line a segment."""
    for part in analysis.segments:
        segment = part.segment
        heard = [
            word for word in segment.words if span.start_s <= (word.start_s + word.end_s) / 2 <= span.end_s
        ]
        if heard:
            yield ExcerptLine(segment.speaker, segment.role, join_words(heard))
