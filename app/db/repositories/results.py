"""Analyses in and out of the database: every version of every call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from app.core.exceptions import CallNotFound
from app.db.models import (
    Base,
    CallRow,
    MomentRow,
    ResultRow,
    SegmentRow,
    TranscriptRow,
    WordRow,
    table_of,
)
from app.db.repositories.result_records import (
    analysis_of,
    moment_of,
    moment_values,
    result_values,
    segment_of,
    segment_values,
    word_of,
    word_values,
)
from app.schemas.analysis import AnalysedSegment, Analysis


class ResultRepository:
    """Takes and gives back ``Analysis`` values; what comes back equals what went in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, call_id: str, analysis: Analysis, now: datetime) -> int:
        """Store the call's next version, make it the current one and return its number.

        Segments carry strictly increasing indices, and a moment lies under the segment that it names
        (ValueError otherwise). Raises CallNotFound.
        """
        _check_places(analysis)
        # The call's row is the lock under which its versions are numbered.
        held = self._session.scalar(
            select(CallRow.call_id).where(CallRow.call_id == call_id).with_for_update()
        )
        if held is None:
            raise CallNotFound()
        newest = self._session.scalar(select(func.max(ResultRow.version)).where(ResultRow.call_id == call_id))
        version = (newest or 0) + 1
        values = result_values(call_id, version, analysis, now)
        results = table_of(ResultRow)
        result_id = self._session.execute(insert(results).returning(results.c.id), values).scalar_one()
        self._add_parts(result_id, analysis)
        calls = table_of(CallRow)
        self._session.connection().execute(
            update(calls).where(calls.c.call_id == call_id).values(current_result_id=result_id)
        )
        return version

    def current(self, call_id: str) -> Analysis | None:
        """The call's current analysis, or None. Read it in a snapshot: it takes several queries."""
        table = table_of(ResultRow)
        row = self._session.execute(
            select(*table.columns)
            .join(CallRow, CallRow.current_result_id == table.c.id)
            .where(CallRow.call_id == call_id)
        ).one_or_none()
        return None if row is None else analysis_of(row, self._segments(row.id))

    def _add_parts(self, result_id: int, analysis: Analysis) -> None:
        transcript = {"result_id": result_id, "text": analysis.transcript, "language": analysis.language}
        self._add_all(TranscriptRow, [transcript])
        self._add_all(SegmentRow, [segment_values(result_id, part) for part in analysis.segments])
        self._add_all(WordRow, list(word_values(result_id, analysis.segments)))
        self._add_all(MomentRow, list(moment_values(result_id, analysis.segments)))

    def _add_all(self, row: type[Base], values: Sequence[dict[str, Any]]) -> None:
        if values:
            self._session.connection().execute(insert(table_of(row)), values)

    def _segments(self, result_id: int) -> tuple[AnalysedSegment, ...]:
        words = {
            index: tuple(word_of(row) for row in rows)
            for index, rows in groupby(self._parts(WordRow, result_id), key=lambda row: row.segment)
        }
        moments = {
            index: tuple(moment_of(row) for row in rows)
            for index, rows in groupby(self._parts(MomentRow, result_id), key=lambda row: row.segment)
        }
        rows = self._parts(SegmentRow, result_id)
        return tuple(segment_of(row, words.get(row.idx, ()), moments.get(row.idx, ())) for row in rows)

    def _parts(self, row: type[Base], result_id: int) -> Sequence[Row[Any]]:
        """The rows of one table under a result, in the order of its key."""
        table = table_of(row)
        return self._session.execute(
            select(*table.columns).where(table.c.result_id == result_id).order_by(*table.primary_key.columns)
        ).all()


def _check_places(analysis: Analysis) -> None:
    last = -1
    for part in analysis.segments:
        if part.segment.index <= last:
            raise ValueError("segment indices must increase")
        last = part.segment.index
        if any(moment.segment != last for moment in part.moments):
            raise ValueError("a moment must lie under the segment that it names")
