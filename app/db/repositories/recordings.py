"""Stored files as rows refer to them, in the order of their keys: to be compared with the storage."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Column, select, update
from sqlalchemy.orm import Session

from app.db.clip_models import ClipRow
from app.db.models import CallRow, table_of
from app.db.reel_models import ReelRow
from app.db.repositories.statements import touched
from app.schemas.retention import KeptRecording

_CALLS = table_of(CallRow)
_OTHER_KEYS: tuple[Column[str], ...] = (table_of(ClipRow).c.audio_key, table_of(ReelRow).c.audio_key)
"""Columns that name stored files other than recordings of calls. Add yours: what no row names is removed."""


class RecordingRepository:
    """All SQL about stored files, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, after: str, limit: int) -> tuple[KeptRecording, ...]:
        """Those with a key greater than ``after``, in the order of their keys: that of storages."""
        query = select(_CALLS.c.audio_key, _CALLS.c.call_id, _CALLS.c.audio_missing_at)
        rows = self._session.execute(
            query.where(_CALLS.c.audio_key > after).order_by(_CALLS.c.audio_key).limit(limit)
        )
        found = [KeptRecording(row.audio_key, row.call_id, row.audio_missing_at is not None) for row in rows]
        for key in _OTHER_KEYS:
            others = self._session.scalars(select(key).where(key > after).order_by(key).limit(limit))
            found += [KeptRecording(other, None, is_missed=False) for other in others]
        return tuple(sorted(found, key=lambda recording: recording.key)[:limit])

    def known(self, keys: Collection[str]) -> frozenset[str]:
        """Those of ``keys`` that rows refer to."""
        found: set[str | None] = set()
        for key in (_CALLS.c.audio_key, *_OTHER_KEYS):
            found.update(self._session.scalars(select(key).where(key.in_(keys))))
        return frozenset(key for key in found if key is not None)

    def mark(self, recording: KeptRecording, missed_at: datetime | None) -> bool:
        """Note since when a recording is missed, or (None) that it is there; False: it is another by now."""
        statement = (
            update(_CALLS)
            .where(_CALLS.c.call_id == recording.call_id, _CALLS.c.audio_key == recording.key)
            .values(audio_missing_at=missed_at)
        )
        return touched(self._session, statement) == 1
