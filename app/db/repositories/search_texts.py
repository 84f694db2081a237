"""What lists of calls are read from, written with each result: the words to search in, numbers to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, false, func, insert, select, text, tuple_
from sqlalchemy.orm import Session

from app.db.models import CallRow, ResultRow, SegmentRow, table_of
from app.db.search_models import LEXEMES, OverviewRow, SearchTextRow
from app.schemas.analysis import Analysis
from app.schemas.overview import Overview
from app.schemas.search import Term, TextMatch, TextQuery, best_line, excerpt, lines_of

_CALLS = table_of(CallRow)
_TEXTS = table_of(SearchTextRow)
_OVERVIEWS = table_of(OverviewRow)
_RESULTS = table_of(ResultRow)
_SEGMENTS = table_of(SegmentRow)
_SHOWN = ("result_id", "idx", "start_s", "speaker", "role", "text")
_HOLDS_WORDS = {
    "sqlite": "search_texts.result_id IN (SELECT rowid FROM search_index WHERE search_index MATCH :words)",
    "postgresql": f"{LEXEMES} @@ CAST(:words AS tsquery)",
}


def put_words(session: Session, call_id: str, result_id: int) -> None:
    """Make the words of ``result_id``, the call's current result, those that the call is found by."""
    of_call = select(_RESULTS.c.id).where(_RESULTS.c.call_id == call_id)
    session.connection().execute(delete(_TEXTS).where(_TEXTS.c.result_id.in_(of_call)))
    texts = session.scalars(
        select(_SEGMENTS.c.text).where(_SEGMENTS.c.result_id == result_id).order_by(_SEGMENTS.c.idx)
    ).all()
    if texts:
        words = lines_of(texts)
        session.connection().execute(insert(_TEXTS).values(result_id=result_id, words=words))


def put_overview(session: Session, result_id: int, analysis: Analysis) -> None:
    overview = Overview.of(analysis)
    values = {
        "share_of_speech": overview.share_of_speech,
        "sentiment_score": overview.sentiment_score,
        "sentiment_shift": overview.sentiment_shift,
        "quarters": overview.quarters,
        "curve": overview.curve,
    }
    session.connection().execute(insert(_OVERVIEWS).values(result_id=result_id, **values))


def overview_of(row: Row[Any]) -> Overview:
    return Overview(
        row.share_of_speech,
        row.sentiment_score,
        row.sentiment_shift,
        tuple(row.quarters),
        tuple(row.curve),
    )


def holds(query: TextQuery, result_id: ColumnElement[Any], dialect: str) -> ColumnElement[bool]:
    """Whether the result holds every term of ``query``."""
    if not query.terms:
        return false()
    return result_id.in_(select(_TEXTS.c.result_id).where(*_conditions(query, dialect)))


def _conditions(query: TextQuery, dialect: str) -> list[Any]:
    words = _ALL_WORDS[dialect](query)
    found: list[Any] = [text(_HOLDS_WORDS[dialect]).bindparams(bindparam("words", words))]
    place = func.instr if dialect == "sqlite" else func.strpos
    found += [place(_TEXTS.c.words, term.needle) > 0 for term in query.terms if len(term.words) > 1]
    return found


def _for_fts5(query: TextQuery) -> str:
    """Words hold letters and digits alone, so that within quotes there is nothing to escape."""
    return " AND ".join(
        f'"{word}"{" *" if is_beginning else ""}'
        for term in query.terms
        for word, is_beginning in _words(term)
    )


def _as_tsquery(query: TextQuery) -> str:
    return " & ".join(
        f"'{word}'{':*' if is_beginning else ''}"
        for term in query.terms
        for word, is_beginning in _words(term)
    )


_ALL_WORDS = {"sqlite": _for_fts5, "postgresql": _as_tsquery}


def _words(term: Term) -> list[tuple[str, bool]]:
    *whole, last = term.words
    return [*((word, False) for word in whole), (last, term.is_open)]


def matches(session: Session, query: TextQuery, call_ids: Sequence[str]) -> dict[str, TextMatch]:
    """Where the terms were said in each of the calls that hold any of them; in two queries."""
    lines = session.execute(
        select(_CALLS.c.call_id, _TEXTS.c.result_id, _TEXTS.c.words)
        .join(_TEXTS, _TEXTS.c.result_id == _CALLS.c.current_result_id)
        .where(_CALLS.c.call_id.in_(call_ids))
    ).all()
    best = {row.result_id: best_line(query, row.words) for row in lines}
    places = [(key, place) for key, place in best.items() if place is not None]
    if not places:
        return {}
    call_of = {row.result_id: row.call_id for row in lines}
    place = func.row_number().over(partition_by=_SEGMENTS.c.result_id, order_by=_SEGMENTS.c.idx) - 1
    segments = (
        select(*(_SEGMENTS.c[name] for name in _SHOWN), place.label("place"))
        .where(_SEGMENTS.c.result_id.in_([key for key, _ in places]))
        .subquery()
    )
    rows = session.execute(select(segments).where(tuple_(segments.c.result_id, segments.c.place).in_(places)))
    return {call_of[row.result_id]: _match(query, row) for row in rows}


def _match(query: TextQuery, row: Row[Any]) -> TextMatch:
    shown, marks = excerpt(query, row.text)
    return TextMatch(row.idx, row.start_s, row.speaker, row.role, shown, marks)
