"""Clips: kept, listed and changed, and removed with their calls or when their time is over."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.clip_models import ClipRow
from app.db.models import CallRow, table_of
from app.db.repositories.cursors import read_newest
from app.db.repositories.statements import touched
from app.schemas.clip import ClipFilter, ClipFolder, Consent, ConsentState, ExcerptLine, KeptClip

_CLIPS = table_of(ClipRow)
_CALLS = table_of(CallRow)


class ClipRepository:
    """All SQL about clips, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, clip: KeptClip) -> None:
        self._session.connection().execute(insert(_CLIPS), _values(clip))

    def get(self, clip_id: str) -> KeptClip | None:
        row = self._session.execute(_READ.where(_CLIPS.c.clip_id == clip_id)).one_or_none()
        return None if row is None else _clip_of(row)

    def of_call(self, call_id: str) -> tuple[KeptClip, ...]:
        """All clips of the call, oldest first."""
        query = _READ.where(_CLIPS.c.call_id == call_id).order_by(_CLIPS.c.created_at, _CLIPS.c.clip_id)
        return tuple(_clip_of(row) for row in self._session.execute(query))

    def page(
        self, filters: ClipFilter, limit: int, cursor: str | None
    ) -> tuple[tuple[KeptClip, ...], str | None]:
        """Newest first, and the cursor of the next page (None on the last). Raises ValidationFailed for a
        cursor that this service did not make."""
        query = _READ.where(*_conditions(filters))
        place = _CLIPS.c.created_at, _CLIPS.c.clip_id
        rows, following = read_newest(self._session, query, *place, limit, cursor)
        return tuple(_clip_of(row) for row in rows), following

    def folders(self) -> tuple[ClipFolder, ...]:
        """Every folder that holds a clip, in order of their names; those in no folder first."""
        query = select(_CLIPS.c.folder, func.count()).group_by(_CLIPS.c.folder)
        found = [ClipFolder(folder, clips) for folder, clips in self._session.execute(query)]
        return tuple(sorted(found, key=lambda each: (each.folder is not None, each.folder or "")))

    def replace(self, clip: KeptClip) -> None:
        values = _values(clip)
        touched(self._session, update(_CLIPS).where(_CLIPS.c.clip_id == clip.id).values(values))

    def remove(self, clip_id: str) -> None:
        """Forget the clip; its file is the caller's to remove."""
        touched(self._session, delete(_CLIPS).where(_CLIPS.c.clip_id == clip_id))

    def keys_of_call(self, call_id: str) -> tuple[str, ...]:
        """The files of the call's clips."""
        return tuple(self._session.scalars(select(_CLIPS.c.audio_key).where(_CLIPS.c.call_id == call_id)))

    def take_due(self, limit: int) -> tuple[KeptClip, ...]:
        """Remove at most ``limit`` clips of which no consent is recorded and whose call, under no legal hold,
        lost its recording or its words to time; returns what they were. Their files are the caller's to
        remove."""
        query = (
            _READ.where(
                _CLIPS.c.consent != ConsentState.RECORDED,
                _CALLS.c.audio_deleted_at.is_not(None) | _CALLS.c.text_deleted_at.is_not(None),
                ~_CALLS.c.legal_hold,
            )
            .order_by(_CLIPS.c.created_at, _CLIPS.c.clip_id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = tuple(_clip_of(row) for row in self._session.execute(query))
        if due:
            touched(self._session, delete(_CLIPS).where(_CLIPS.c.clip_id.in_([clip.id for clip in due])))
        return due


_READ = select(_CLIPS, _CALLS.c.agent_id, _CALLS.c.team_id).join(_CALLS, _CALLS.c.call_id == _CLIPS.c.call_id)


def _conditions(filters: ClipFilter) -> list[ColumnElement[bool]]:
    asked = {
        _CLIPS.c.type: filters.type,
        _CLIPS.c.call_id: filters.call_id,
        _CLIPS.c.consent: filters.consent,
        _CALLS.c.agent_id: filters.agent_id,
        _CALLS.c.team_id: filters.team_id,
    }
    conditions = [column == value for column, value in asked.items() if value is not None]
    if filters.folder is not None:
        conditions.append(_CLIPS.c.folder == filters.folder if filters.folder else _CLIPS.c.folder.is_(None))
    return conditions


def _values(clip: KeptClip) -> dict[str, Any]:
    return {
        "clip_id": clip.id,
        "call_id": clip.call_id,
        "moment_id": clip.moment_id,
        "folder": clip.folder,
        "title": clip.title,
        "note": clip.note,
        "start_s": clip.start_s,
        "end_s": clip.end_s,
        "type": clip.type,
        "subtype": clip.subtype,
        "excerpt": [asdict(line) for line in clip.excerpt],
        "consent": clip.consent.state,
        "consent_by": clip.consent.recorded_by,
        "consent_at": clip.consent.recorded_at,
        "audio_key": clip.audio_key,
        "audio_bytes": clip.audio_bytes,
        "audio_sha256": clip.audio_sha256,
        "created_at": clip.created_at,
    }


def _clip_of(row: Row[Any]) -> KeptClip:
    return KeptClip(
        id=row.clip_id,
        call_id=row.call_id,
        moment_id=row.moment_id,
        folder=row.folder,
        title=row.title,
        note=row.note,
        start_s=row.start_s,
        end_s=row.end_s,
        type=row.type,
        subtype=row.subtype,
        excerpt=tuple(ExcerptLine(**line) for line in row.excerpt),
        consent=Consent(ConsentState(row.consent), row.consent_by, row.consent_at),
        audio_key=row.audio_key,
        audio_bytes=row.audio_bytes,
        audio_sha256=row.audio_sha256,
        created_at=row.created_at,
        agent_id=row.agent_id,
        team_id=row.team_id,
    )
