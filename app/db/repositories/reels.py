"""Rendered reels: kept, found by their digest, withdrawn with their calls; and moments to make them of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.models import CallRow, MomentRow, table_of
from app.db.reel_models import ReelCallRow, ReelRow
from app.db.repositories.call_pages import conditions_of
from app.db.repositories.statements import touched
from app.schemas.call import CallFilter
from app.schemas.reel import Cue, MomentFilter, MomentRef, Reel, ReelSource

REELS = table_of(ReelRow)
_REEL_CALLS = table_of(ReelCallRow)
_CALLS = table_of(CallRow)
_MOMENTS = table_of(MomentRow)


class ReelRepository:
    """All SQL about reels, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, reel_id: str) -> Reel | None:
        """None also for one that was withdrawn."""
        row = self._session.execute(
            select(REELS).where(REELS.c.reel_id == reel_id, ~REELS.c.withdrawn)
        ).one_or_none()
        return None if row is None else _reel_of(row)

    def put(self, reel: Reel, call_ids: Sequence[str]) -> str | None:
        """Keep a reel in the place of an earlier one of the same id; returns the key of that one's file.

        The caller holds the locks of its calls, under which no two put the same reel at once.
        """
        earlier = self._session.scalar(select(REELS.c.audio_key).where(REELS.c.reel_id == reel.reel_id))
        connection = self._session.connection()
        connection.execute(delete(REELS).where(REELS.c.reel_id == reel.reel_id))
        connection.execute(insert(REELS), _values(reel))
        connection.execute(
            insert(_REEL_CALLS), [{"reel_id": reel.reel_id, "call_id": call_id} for call_id in call_ids]
        )
        return earlier

    def due(self, before: datetime, limit_bytes: int, limit: int) -> tuple[str, ...]:
        """Keys of the files of reels that are to go, at most ``limit``: withdrawn ones, those from before
        that time, and the oldest of those that together take more than ``limit_bytes``."""
        newest_first = (REELS.c.created_at.desc(), REELS.c.reel_id)
        total = func.sum(REELS.c.audio_bytes).over(order_by=newest_first)
        columns = (REELS.c.reel_id, REELS.c.audio_key, REELS.c.created_at, REELS.c.withdrawn)
        sized = select(*columns, total.label("total")).subquery()
        is_due = sized.c.withdrawn | (sized.c.created_at < before) | (sized.c.total > limit_bytes)
        query = select(sized.c.audio_key).where(is_due)
        oldest_first = (sized.c.created_at, sized.c.reel_id)
        return tuple(self._session.scalars(query.order_by(*oldest_first).limit(limit)))

    def remove(self, audio_keys: Sequence[str]) -> int:
        """Forget the reels that are in these files."""
        return touched(self._session, delete(REELS).where(REELS.c.audio_key.in_(audio_keys)))

    def moments(
        self, calls: CallFilter, wanted: MomentFilter, *, needs_recording: bool, limit: int
    ) -> tuple[MomentRef, ...]:
        """The surest ``limit`` moments of current results, of calls whose words are there.

        Those of the newest calls come first among equals. Without recordings calls are passed over where they
        are needed.
        """
        conditions = [
            *conditions_of(self._session, calls),
            *_of_moments(wanted),
            _CALLS.c.text_deleted_at.is_(None),
        ]
        if needs_recording:
            conditions.append(_CALLS.c.audio_key.is_not(None))
            conditions.append(_CALLS.c.audio_missing_at.is_(None))
        rows = self._session.execute(
            select(_CALLS.c.call_id, _MOMENTS.c.public_id)
            .join(_MOMENTS, _MOMENTS.c.result_id == _CALLS.c.current_result_id)
            .where(*conditions)
            .order_by(
                _MOMENTS.c.confidence.desc(), _CALLS.c.created_at.desc(), _CALLS.c.call_id, _MOMENTS.c.idx
            )
            .limit(limit)
        )
        return tuple(MomentRef(row.call_id, row.public_id) for row in rows)


def withdraw_reels(session: Session, call_ids: Sequence[str]) -> None:
    """From here on no reel shows these calls: none is found, and what they say of them is gone.

    Their files are removed after the commit, by whoever asks what is due.
    """
    of_calls = select(_REEL_CALLS.c.reel_id).where(_REEL_CALLS.c.call_id.in_(call_ids))
    touched(session, update(REELS).where(REELS.c.reel_id.in_(of_calls)).values(withdrawn=True, cues=[]))


def _of_moments(wanted: MomentFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.types:
        conditions.append(_MOMENTS.c.type.in_(wanted.types))
    if wanted.subtypes:
        conditions.append(_MOMENTS.c.subtype.in_(wanted.subtypes))
    if wanted.role is not None:
        conditions.append(_MOMENTS.c.role == wanted.role)
    if wanted.min_confidence is not None:
        conditions.append(_MOMENTS.c.confidence >= wanted.min_confidence)
    return conditions


def _values(reel: Reel) -> dict[str, Any]:
    return {
        "reel_id": reel.reel_id,
        "audio_key": reel.audio_key,
        "audio_bytes": reel.audio_bytes,
        "duration_s": reel.duration_s,
        "source": reel.source,
        "engine": reel.engine,
        "cues": [asdict(cue) for cue in reel.cues],
        "withdrawn": False,
        "created_at": reel.created_at,
    }


def _reel_of(row: Row[Any]) -> Reel:
    return Reel(
        reel_id=row.reel_id,
        audio_key=row.audio_key,
        audio_bytes=row.audio_bytes,
        duration_s=row.duration_s,
        source=ReelSource(row.source),
        engine=row.engine,
        cues=tuple(Cue(**{**cue, "unspoken": tuple(cue["unspoken"])}) for cue in row.cues),
        created_at=row.created_at,
    )
