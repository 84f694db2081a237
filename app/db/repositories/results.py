"""Analyses in and out of the database: every version of every call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Row, delete, func, insert, literal, select, update
from sqlalchemy.orm import Session

from app.core.exceptions import CallNotFound
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
from app.db.repositories.figures import FigureRepository
from app.db.repositories.reels import withdraw_reels
from app.db.repositories.result_records import (
    WORD_FIELDS,
    analysis_of,
    edits_of,
    edits_values,
    moment_of,
    moment_values,
    result_values,
    segment_of,
    segment_values,
    speaker_of,
    speaker_values,
    word_values,
)
from app.db.repositories.search_texts import put_overview, put_words
from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.correction import CorrectText, Edit
from app.schemas.moment import Moment
from app.schemas.transcript import Word

_RESULTS = table_of(ResultRow)
_CALLS = table_of(CallRow)


@dataclass(frozen=True)
class EditableResult:
    """The analysis that a reviewer's corrections start from, the key of its version, the corrections, and
    what they make of it; ``seen`` is what ``ResultRepository.is_current`` knows it by."""

    id: int
    seen: tuple[int, datetime]
    original: Analysis
    edits: tuple[Edit, ...]
    current: Analysis


@dataclass(frozen=True)
class ResultVersion:
    """One version of a call's analysis; ``edited_from`` is the number of the one that it corrects."""

    version: int
    created_at: datetime
    is_current: bool
    analysis: Analysis
    edits: tuple[Edit, ...]
    edited_from: int | None


@dataclass(frozen=True)
class _Source:
    """A version that is stored already, which the next one has most of its words from."""

    result_id: int
    analysis: Analysis

    def differing(self, segments: Sequence[AnalysedSegment]) -> tuple[AnalysedSegment, ...]:
        """Those of ``segments`` whose words are others. Raises ValueError unless all are the source's."""
        said = {part.segment.index: part.segment.words for part in self.analysis.segments}
        if said.keys() != {part.segment.index for part in segments}:
            raise ValueError("corrections neither add segments nor take them away")
        return tuple(part for part in segments if part.segment.words != said[part.segment.index])


class ResultRepository:
    """Takes and gives back ``Analysis`` values; what comes back equals what went in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, call_id: str, analysis: Analysis, now: datetime) -> int:
        """Store the call's next version, make it the current one and return its number.

        Segments carry strictly increasing indices, and a moment lies under the segment that it names
        (ValueError otherwise). Raises CallNotFound.
        """
        return self._add(call_id, analysis, now, None)

    def _add(self, call_id: str, analysis: Analysis, now: datetime, source: _Source | None) -> int:
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
        result_id = self._session.execute(insert(_RESULTS).returning(_RESULTS.c.id), values).scalar_one()
        self._add_parts(result_id, analysis, source)
        self._make_current(call_id, result_id, analysis)
        return version

    def current(self, call_id: str) -> Analysis | None:
        """The call's current analysis, or None. Read it in a snapshot: it takes several queries."""
        row = self._current_row(call_id)
        return None if row is None else self._analysis(row)

    def current_moments(self, call_id: str) -> frozenset[str]:
        """The public ids of the moments of the call's current analysis."""
        current = select(_CALLS.c.current_result_id).where(_CALLS.c.call_id == call_id).scalar_subquery()
        ids = select(MomentRow.public_id).where(MomentRow.result_id == current)
        return frozenset(self._session.scalars(ids))

    def versions(self, call_id: str) -> tuple[ResultVersion, ...]:
        """All versions, oldest first. Read it in a snapshot."""
        current = self._session.scalar(select(_CALLS.c.current_result_id).where(_CALLS.c.call_id == call_id))
        rows = self._session.execute(
            select(*_RESULTS.columns).where(_RESULTS.c.call_id == call_id).order_by(_RESULTS.c.version)
        ).all()
        numbers = {row.id: row.version for row in rows}
        return tuple(
            ResultVersion(
                version=row.version,
                created_at=row.created_at,
                is_current=row.id == current,
                analysis=self._analysis(row),
                edits=edits_of(row),
                edited_from=numbers.get(row.edited_from),
            )
            for row in rows
        )

    def playbook_of(self, call_id: str) -> str | None:
        """The name of the playbook that the current analysis was made by; None where there is none."""
        row = self._session.execute(
            select(_RESULTS.c.playbook)
            .join(CallRow, CallRow.current_result_id == _RESULTS.c.id)
            .where(CallRow.call_id == call_id)
        ).one_or_none()
        return None if row is None else row.playbook

    def editable(self, call_id: str) -> EditableResult | None:
        """The analysis that corrections start from, and those made so far; None where there is none."""
        row = self._current_row(call_id)
        if row is None:
            return None
        seen, edits = (row.id, row.created_at), edits_of(row)
        if row.edited_from is None:
            current = self._analysis(row)
            return EditableResult(row.id, seen, current, edits, current)
        first = self._row(row.edited_from)
        original = self._analysis(first)
        corrected = {edit.segment for edit in edits if isinstance(edit, CorrectText)}
        same = {
            part.segment.index: part.segment.words
            for part in original.segments
            if part.segment.index not in corrected
        }
        return EditableResult(first.id, seen, original, edits, self._analysis(row, same))

    def is_current(self, call_id: str, result: EditableResult) -> bool:
        """Whether ``editable`` would give the same again: a version is written once and never changed. Its
        number may be given anew where the newest one was removed; the time tells them apart."""
        row = self._session.execute(
            select(*(_RESULTS.c[name] for name in ("id", "created_at", "edits")))
            .join(CallRow, CallRow.current_result_id == _RESULTS.c.id)
            .where(CallRow.call_id == call_id)
        ).one_or_none()
        return row is not None and ((row.id, row.created_at), edits_of(row)) == (result.seen, result.edits)

    def current_with_edits(self, call_id: str) -> tuple[Analysis | None, tuple[Edit, ...]]:
        """The call's current analysis, or None, and the corrections that it holds. Read it in a snapshot."""
        row = self._current_row(call_id)
        return (None, ()) if row is None else (self._analysis(row), edits_of(row))

    def edits(self, call_id: str) -> tuple[Edit, ...]:
        """The corrections that the current analysis holds."""
        row = self._session.execute(
            select(_RESULTS.c.edits)
            .join(CallRow, CallRow.current_result_id == _RESULTS.c.id)
            .where(CallRow.call_id == call_id)
        ).one_or_none()
        return () if row is None else edits_of(row)

    def add_edited(self, call_id: str, edits: tuple[Edit, ...], analysis: Analysis, now: datetime) -> None:
        """Make ``analysis``, which is the current one as corrected, the next version and the current one."""
        current = self._session.scalar(select(_CALLS.c.current_result_id).where(_CALLS.c.call_id == call_id))
        if current is None:
            raise CallNotFound()
        self.replace_edited(call_id, current, edits, analysis, now)

    def replace_edited(
        self,
        call_id: str,
        original: int,
        edits: tuple[Edit, ...],
        analysis: Analysis | None,
        now: datetime,
        *,
        like: Analysis | None = None,
    ) -> None:
        """Make ``analysis`` the current version, in the place of what earlier corrections made.

        ``original`` is the version that the corrections start from; without an ``analysis`` it becomes the
        current one again. Words that are those of ``like``, its analysis, are copied within the database.
        """
        self._session.connection().execute(delete(_RESULTS).where(_RESULTS.c.edited_from == original))
        if analysis is None:
            self._make_current(call_id, original, self._analysis(self._row(original)))
            return
        self._add(call_id, analysis, now, _Source(original, like) if like else None)
        current = select(_CALLS.c.current_result_id).where(_CALLS.c.call_id == call_id)
        self._session.connection().execute(
            update(_RESULTS)
            .where(_RESULTS.c.id == current.scalar_subquery())
            .values(edits=edits_values(edits), edited_from=original)
        )

    def _current_row(self, call_id: str) -> Row[Any] | None:
        return self._session.execute(
            select(*_RESULTS.columns)
            .join(CallRow, CallRow.current_result_id == _RESULTS.c.id)
            .where(CallRow.call_id == call_id)
        ).one_or_none()

    def _row(self, result_id: int) -> Row[Any]:
        return self._session.execute(select(*_RESULTS.columns).where(_RESULTS.c.id == result_id)).one()

    def _make_current(self, call_id: str, result_id: int, analysis: Analysis) -> None:
        withdraw_reels(self._session, (call_id,))  # they tell what the version before did
        self._session.connection().execute(
            update(_CALLS).where(_CALLS.c.call_id == call_id).values(current_result_id=result_id)
        )
        FigureRepository(self._session).put(call_id, result_id, analysis)
        put_words(self._session, call_id, result_id)

    def _add_parts(self, result_id: int, analysis: Analysis, source: _Source | None) -> None:
        transcript = {"result_id": result_id, "text": analysis.transcript, "language": analysis.language}
        self._add_all(TranscriptRow, [transcript])
        self._add_all(SpeakerRow, speaker_values(result_id, analysis.speakers))
        self._add_all(SegmentRow, [segment_values(result_id, part) for part in analysis.segments])
        new = analysis.segments
        if source is not None:
            new = source.differing(analysis.segments)
            self._copy_words(result_id, source.result_id, new)
        self._add_all(WordRow, list(word_values(result_id, new)))
        self._add_all(MomentRow, list(moment_values(result_id, _moments_in(analysis))))
        put_overview(self._session, result_id, analysis)

    def _copy_words(self, result_id: int, source: int, but: Sequence[AnalysedSegment]) -> None:
        table = table_of(WordRow)
        names = ("segment", "idx", *WORD_FIELDS)
        others = table.c.segment.not_in([part.segment.index for part in but])
        words = select(literal(result_id), *(table.c[name] for name in names))
        words = words.where(table.c.result_id == source, others)
        self._session.connection().execute(insert(table).from_select(["result_id", *names], words))

    def _add_all(self, row: type[Base], values: Sequence[dict[str, Any]]) -> None:
        if values:
            self._session.connection().execute(insert(table_of(row)), values)

    def _analysis(self, row: Row[Any], known: Mapping[int, tuple[Word, ...]] | None = None) -> Analysis:
        """``known``: words of segments that need not be read, by the index of the segment."""
        moments: dict[int | None, tuple[Moment, ...]] = {
            index: tuple(moment_of(row) for row in rows)
            for index, rows in groupby(self._parts(MomentRow, row.id), key=lambda row: row.segment)
        }
        speakers = tuple(speaker_of(row) for row in self._parts(SpeakerRow, row.id))
        return analysis_of(row, speakers, self._segments(row.id, moments, known or {}), moments.get(None, ()))

    def _segments(
        self,
        result_id: int,
        moments: Mapping[int | None, tuple[Moment, ...]],
        known: Mapping[int, tuple[Word, ...]],
    ) -> tuple[AnalysedSegment, ...]:
        rows = self._parts(SegmentRow, result_id)
        words = {**known, **self._words(result_id, [row.idx for row in rows if row.idx not in known])}
        return tuple(segment_of(row, words.get(row.idx, ()), moments.get(row.idx, ())) for row in rows)

    def _words(self, result_id: int, segments: Sequence[int]) -> dict[int, tuple[Word, ...]]:
        """By the index of their segment."""
        table = table_of(WordRow)
        if not segments:
            return {}
        rows = self._session.execute(
            select(table.c.segment, *(table.c[name] for name in WORD_FIELDS))
            .where(table.c.result_id == result_id, table.c.segment.between(segments[0], segments[-1]))
            .order_by(*table.primary_key.columns)
        ).all()
        return {
            index: tuple([Word(*values) for _, *values in found])
            for index, found in groupby(rows, key=itemgetter(0))
        }

    def _parts(self, row: type[Base], result_id: int) -> Sequence[Row[Any]]:
        """The rows of one table under a result, in the order of its key."""
        table = table_of(row)
        return self._session.execute(
            select(*table.columns).where(table.c.result_id == result_id).order_by(*table.primary_key.columns)
        ).all()


def _moments_in(analysis: Analysis) -> Iterator[Moment]:
    """Those of each segment together: so they are read back."""
    for part in analysis.segments:
        yield from part.moments
    yield from analysis.call_moments


def _check_places(analysis: Analysis) -> None:
    last = -1
    for part in analysis.segments:
        if part.segment.index <= last:
            raise ValueError("segment indices must increase")
        last = part.segment.index
        if any(moment.segment != last for moment in part.moments):
            raise ValueError("a moment must lie under the segment that it names")
    if any(moment.segment is not None for moment in analysis.call_moments):
        raise ValueError("a moment of the call must name no segment")
