"""Lists of calls: filters, pages and what a line of the list says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, func, select
from sqlalchemy.orm import Session

from app.core.exceptions import ValidationFailed
from app.db.models import CallRow, MomentRow, ResultRow, table_of
from app.db.repositories.call_records import record_of
from app.db.repositories.cursors import read_newest
from app.db.repositories.search_texts import holds, overview_of
from app.db.search_models import OverviewRow
from app.schemas.call import CallFilter, CallSummary
from app.schemas.search import TextQuery

MAX_PAGE = 200

_CALLS = table_of(CallRow)
_RESULTS = table_of(ResultRow)
_MOMENTS = table_of(MomentRow)
_OVERVIEWS = table_of(OverviewRow)
_EQUAL = ("agent_id", "team_id", "customer_id", "status", "direction")


def read_page(
    session: Session, filters: CallFilter, limit: int, cursor: str | None
) -> tuple[tuple[CallSummary, ...], str | None]:
    """Newest first. Raises ValidationFailed that names the bad field."""
    if not 1 <= limit <= MAX_PAGE:
        raise ValidationFailed.of("limit", f"must be 1 to {MAX_PAGE}")
    query = _with_results().where(*conditions_of(session, filters))
    rows, following = read_newest(session, query, _CALLS.c.created_at, _CALLS.c.call_id, limit, cursor)
    return _summaries(rows, _count_moments(session, rows)), following


def read_summary(session: Session, call_id: str) -> CallSummary | None:
    """The line of one call."""
    rows = session.execute(_with_results().where(_CALLS.c.call_id == call_id)).all()
    return next(iter(_summaries(rows, _count_moments(session, rows))), None)


def _with_results() -> Select[Any]:
    return (
        select(_CALLS, _RESULTS.c.language.label("heard_language"), _RESULTS.c.degraded, _OVERVIEWS)
        .outerjoin(_RESULTS, _RESULTS.c.id == _CALLS.c.current_result_id)
        .outerjoin(_OVERVIEWS, _OVERVIEWS.c.result_id == _CALLS.c.current_result_id)
    )


def conditions_of(session: Session, filters: CallFilter) -> list[ColumnElement[bool]]:
    """What of ``calls`` the filters leave."""
    equal = ((_CALLS.c[name], getattr(filters, name)) for name in _EQUAL)
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if filters.moment_type is not None:
        conditions.append(
            exists().where(
                _MOMENTS.c.result_id == _CALLS.c.current_result_id, _MOMENTS.c.type == filters.moment_type
            )
        )
    if filters.legal_hold is not None:
        conditions.append(_CALLS.c.legal_hold if filters.legal_hold else ~_CALLS.c.legal_hold)
    if filters.date_from is not None:
        conditions.append(_CALLS.c.created_at >= filters.date_from)
    if filters.date_to is not None:
        conditions.append(_CALLS.c.created_at <= filters.date_to)
    if filters.min_duration_s is not None:
        conditions.append(_CALLS.c.duration_s >= filters.min_duration_s)
    if filters.max_duration_s is not None:
        conditions.append(_CALLS.c.duration_s <= filters.max_duration_s)
    if filters.q is not None:
        conditions.append(holds(session, TextQuery.of(filters.q), _CALLS.c.current_result_id))
    return conditions


def _count_moments(session: Session, rows: Sequence[Row[Any]]) -> dict[int, dict[str, int]]:
    """Moments by type under each row's current result, in one query."""
    result_ids = [row.current_result_id for row in rows if row.current_result_id is not None]
    counts: dict[int, dict[str, int]] = {}
    if result_ids:
        query = (
            select(_MOMENTS.c.result_id, _MOMENTS.c.type, func.count())
            .where(_MOMENTS.c.result_id.in_(result_ids))
            .group_by(_MOMENTS.c.result_id, _MOMENTS.c.type)
            .order_by(_MOMENTS.c.result_id, _MOMENTS.c.type)
        )
        for result_id, kind, count in session.execute(query):
            counts.setdefault(result_id, {})[kind] = count
    return counts


def _summaries(rows: Sequence[Row[Any]], counts: dict[int, dict[str, int]]) -> tuple[CallSummary, ...]:
    return tuple(
        CallSummary(
            call=record_of(row),
            language=row.heard_language,
            degraded=bool(row.degraded),
            moments=counts.get(row.current_result_id, {}),
            overview=None if row.result_id is None else overview_of(row),
        )
        for row in rows
    )
