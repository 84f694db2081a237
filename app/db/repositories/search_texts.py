"""What lists of calls are read from, written with each result: the words to search in, numbers to show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    bindparam,
    delete,
    exists,
    false,
    func,
    insert,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import Session

from app.db.models import CallRow, ResultRow, SegmentRow, table_of
from app.db.search_models import LEXEMES, OverviewRow, SearchTextRow
from app.schemas.analysis import Analysis
from app.schemas.overview import Overview
from app.schemas.search import Term, TextMatch, TextQuery, best_line, excerpt, gaps_in, lines_of

_CALLS = table_of(CallRow)
_TEXTS = table_of(SearchTextRow)
_OVERVIEWS = table_of(OverviewRow)
_RESULTS = table_of(ResultRow)
_SEGMENTS = table_of(SegmentRow)
_KEY = (_SEGMENTS.c.result_id, _SEGMENTS.c.idx)
_SHOWN = ("result_id", "idx", "start_s", "speaker", "role", "text")
_MANY = 1000
"""Where so many results hold the words, calls are looked at from the newest on until a page is full: that
is soon. Where fewer do, the index names them all."""
_HOLDS_WORDS = {
    "sqlite": "search_texts.result_id IN (SELECT rowid FROM search_index WHERE search_index MATCH :words)",
    "postgresql": f"{LEXEMES} @@ CAST(:words AS tsquery)",
}


def put_words(session: Session, call_id: str, result_id: int) -> None:
    """Make the words of ``result_id``, the call's current result, those that the call is found by."""
    of_call = select(_RESULTS.c.id).where(_RESULTS.c.call_id == call_id)
    session.connection().execute(delete(_TEXTS).where(_TEXTS.c.result_id.in_(of_call)))
    rows = session.execute(
        select(_SEGMENTS.c.idx, _SEGMENTS.c.text)
        .where(_SEGMENTS.c.result_id == result_id)
        .order_by(_SEGMENTS.c.idx)
    ).all()
    if rows:
        values = {
            "words": lines_of(row.text for row in rows),
            "indices": gaps_in([row.idx for row in rows]),
        }
        session.connection().execute(insert(_TEXTS).values(result_id=result_id, **values))


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


def holds(session: Session, query: TextQuery, result_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the result holds every term of ``query``."""
    if not query.terms:
        return false()
    dialect = session.get_bind().dialect.name
    words: BindParameter[str] = bindparam("words", _ALL_WORDS[dialect](query))
    named = select(_TEXTS.c.result_id).where(text(_HOLDS_WORDS[dialect]).bindparams(words))
    # By itself, lest PostgreSQL take the limit for a reason to read the texts one by one, past its index.
    found = named.cte().prefix_with("MATERIALIZED", dialect="postgresql")
    some = select(found.c.result_id).limit(_MANY).subquery()
    if session.scalar(select(func.count()).select_from(some)) == _MANY:
        return exists().where(_TEXTS.c.result_id == result_id, *_said(query.terms, dialect))
    phrases = [term for term in query.terms if len(term.words) > 1]
    return result_id.in_(named.where(*_said(phrases, dialect)))


def _said(terms: Iterable[Term], dialect: str) -> list[ColumnElement[bool]]:
    place = func.instr if dialect == "sqlite" else func.strpos
    return [place(_TEXTS.c.words, term.needle) > 0 for term in terms]


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
        select(_CALLS.c.call_id, _TEXTS)
        .join(_TEXTS, _TEXTS.c.result_id == _CALLS.c.current_result_id)
        .where(_CALLS.c.call_id.in_(call_ids))
    )
    call_of = {
        (row.result_id, index): row.call_id for row in lines if (index := _index(query, row)) is not None
    }
    if not call_of:
        return {}
    # SQLite looks pairs up one by one in all rows, but single columns in the key.
    of_both = [column.in_({pair[at] for pair in call_of}) for at, column in enumerate(_KEY)]
    rows = session.execute(
        select(*(_SEGMENTS.c[name] for name in _SHOWN)).where(*of_both, tuple_(*_KEY).in_(call_of))
    )
    return {call_of[row.result_id, row.idx]: _match(query, row) for row in rows}


def _index(query: TextQuery, row: Row[Any]) -> int | None:
    """Of the segment that is shown."""
    place = best_line(query, row.words)
    return place if place is None or row.indices is None else row.indices[place]


def _match(query: TextQuery, row: Row[Any]) -> TextMatch:
    shown, marks = excerpt(query, row.text)
    return TextMatch(row.idx, row.start_s, row.speaker, row.role, shown, marks)
