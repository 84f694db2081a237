"""What is kept for a limited time: recordings and words of finished calls, unless they are held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.db.models import (
    Base,
    CallRow,
    MomentRow,
    ResultRow,
    SegmentRow,
    SpeakerRow,
    TranscriptRow,
    WordRow,
    table_of,
)
from app.db.repositories.comments import remove_comments
from app.db.repositories.reels import withdraw_reels
from app.db.repositories.reviews import take_words
from app.db.repositories.statements import touched
from app.db.search_models import SearchTextRow
from app.db.work_models import CheckpointRow
from app.schemas.analysis import CallStatus

_CALLS = table_of(CallRow)
_RESULTS = table_of(ResultRow)
_MOMENTS = table_of(MomentRow)
_SPEAKERS = table_of(SpeakerRow)
_CHECKPOINTS = table_of(CheckpointRow)
_UNFINISHED = tuple(status for status in CallStatus if not status.is_final)
_WORDLESS: dict[str, Any] = {
    "segment": None,
    "speaker": None,
    "evidence_text": "",
    "evidence_start_char": 0,
    "evidence_end_char": 0,
    "evidence_first_word": 0,
    "evidence_last_word": 0,
}
"""A moment that belongs to the call, as its segment is gone; its times stay."""


class RetentionRepository:
    """All SQL about what time removes, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def hold(self, call_id: str, *, held: bool) -> bool:
        """Put a call under legal hold or take it out; False where there is none."""
        statement = update(_CALLS).where(_CALLS.c.call_id == call_id).values(legal_hold=held)
        return touched(self._session, statement) == 1

    def release_recordings(self, before: datetime, now: datetime, limit: int) -> tuple[str, ...]:
        """Let the oldest ``limit`` calls from before that time forget their recordings; returns the keys.

        The bytes are the caller's to remove once this is committed.
        """
        query = select(_CALLS.c.call_id, _CALLS.c.audio_key).where(_CALLS.c.audio_key.is_not(None))
        rows = self._session.execute(_due(query, before, limit)).all()
        if not rows:
            return ()
        gone = {"audio_key": None, "audio_missing_at": None, "audio_deleted_at": now}
        call_ids = [row.call_id for row in rows]
        touched(self._session, update(_CALLS).where(_CALLS.c.call_id.in_(call_ids)).values(gone))
        withdraw_reels(self._session, call_ids)
        return tuple(row.audio_key for row in rows)

    def delete_texts(self, before: datetime, now: datetime, limit: int) -> tuple[str, ...]:
        """Remove the words of the oldest ``limit`` calls from before that time; returns the calls' ids.

        Of their analyses the current one stays, as numbers and times: its metrics, and its moments as
        moments of the call. So do reviewers' verdicts; their comments go.
        """
        query = select(_CALLS.c.call_id, _CALLS.c.current_result_id).where(_CALLS.c.text_deleted_at.is_(None))
        rows = self._session.execute(_due(query, before, limit)).all()
        if not rows:
            return ()
        call_ids = [row.call_id for row in rows]
        currents = [row.current_result_id for row in rows if row.current_result_id is not None]
        told: dict[str, Any] = {"metadata": {}, "vocabulary": None, "text_deleted_at": now}
        touched(self._session, update(_CALLS).where(_CALLS.c.call_id.in_(call_ids)).values(told))
        touched(self._session, delete(_CHECKPOINTS).where(_CHECKPOINTS.c.call_id.in_(call_ids)))
        take_words(self._session, call_ids)
        remove_comments(self._session, call_ids)
        withdraw_reels(self._session, call_ids)
        self._keep_only(call_ids, currents)
        self._take_words(currents)
        return tuple(call_ids)

    def _keep_only(self, call_ids: Sequence[str], currents: Sequence[int]) -> None:
        is_current = _RESULTS.c.id.in_(currents)
        # First the thread to the version that it was made from, along which it would be deleted with it.
        touched(self._session, update(_RESULTS).where(is_current).values(edits=[], edited_from=None))
        touched(self._session, delete(_RESULTS).where(_RESULTS.c.call_id.in_(call_ids), ~is_current))

    def _take_words(self, currents: Sequence[int]) -> None:
        # Moments first: they would be deleted with their segments.
        touched(self._session, update(_MOMENTS).where(_MOMENTS.c.result_id.in_(currents)).values(_WORDLESS))
        for row in (WordRow, SegmentRow, TranscriptRow, SearchTextRow):
            touched(self._session, delete(table_of(row)).where(_under(row, currents)))
        touched(self._session, update(_SPEAKERS).where(_under(SpeakerRow, currents)).values(name=None))
        measured = select(_RESULTS.c.id, _RESULTS.c.metrics).where(_RESULTS.c.id.in_(currents))
        for result_id, metrics in self._session.execute(measured).all():
            if metrics is not None:
                values = {"metrics": _without_words(metrics)}
                touched(self._session, update(_RESULTS).where(_RESULTS.c.id == result_id).values(values))


def _due(query: Any, before: datetime, limit: int) -> Any:
    """The oldest finished calls that nobody holds; those that another process is at are left to it."""
    # Not "in the final ones": the index of states would look like the better way, and is not.
    is_finished = _CALLS.c.status.not_in(_UNFINISHED)
    return (
        query.where(_CALLS.c.created_at < before, is_finished, ~_CALLS.c.legal_hold)
        .order_by(_CALLS.c.created_at, _CALLS.c.call_id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _under(row: type[Base], result_ids: Sequence[int]) -> ColumnElement[bool]:
    return table_of(row).c.result_id.in_(result_ids)


def _without_words(metrics: dict[str, Any]) -> dict[str, Any]:
    """Fillers stay as times and speakers; the rest of the metrics holds no words."""
    fillers = metrics.get("fillers")
    return {**metrics, "fillers": fillers and [{**filler, "text": ""} for filler in fillers]}
