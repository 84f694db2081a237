"""Calls without their words, many at a time: for tables."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.db.models import Base, CallRow, MomentRow, ResultRow, SpeakerRow, table_of
from app.db.repositories.call_pages import MAX_PAGE, read_page
from app.db.repositories.result_records import metrics_of, moment_of, speaker_of
from app.schemas.call import CallFilter, CallRecord
from app.schemas.digest import CallDigest


def read_digest_page(
    session: Session, filters: CallFilter, cursor: str | None
) -> tuple[tuple[CallDigest, ...], str | None]:
    """As many as a page holds, newest first, and the cursor of the next page (None on the last)."""
    page, following = read_page(session, filters, MAX_PAGE, cursor)
    return read_digests(session, [summary.call for summary in page]), following


def read_digests(session: Session, calls: Sequence[CallRecord]) -> tuple[CallDigest, ...]:
    """One for each of ``calls``, in their order."""
    found = _results(session, [call.call_id for call in calls])
    keys = [row.id for row in found.values()]
    speakers, moments = _under(session, SpeakerRow, keys), _under(session, MomentRow, keys)
    return tuple(
        _digest(call, row, speakers.get(row.id, []), moments.get(row.id, []))
        if (row := found.get(call.call_id)) is not None
        else CallDigest(call)
        for call in calls
    )


def _results(session: Session, call_ids: Sequence[str]) -> dict[str, Row[Any]]:
    table = table_of(ResultRow)
    columns = [table.c[name] for name in ("id", "call_id", "language", "degraded", "engines", "metrics")]
    query = (
        select(*columns)
        .join(CallRow, CallRow.current_result_id == table.c.id)
        .where(CallRow.call_id.in_(call_ids))
    )
    rows: Sequence[Row[Any]] = session.execute(query).all()
    return {row.call_id: row for row in rows}


def _under(session: Session, row: type[Base], result_ids: Sequence[int]) -> dict[int, list[Row[Any]]]:
    table = table_of(row)
    query = (
        select(*table.columns).where(table.c.result_id.in_(result_ids)).order_by(*table.primary_key.columns)
    )
    rows: Sequence[Row[Any]] = session.execute(query).all()
    return {result_id: list(group) for result_id, group in groupby(rows, key=lambda row: row.result_id)}


def _digest(
    call: CallRecord, row: Row[Any], speakers: Sequence[Row[Any]], moments: Sequence[Row[Any]]
) -> CallDigest:
    return CallDigest(
        call,
        language=row.language,
        degraded=row.degraded,
        engines=row.engines,
        speakers=tuple(speaker_of(speaker) for speaker in speakers),
        metrics=metrics_of(row),
        moments=tuple(sorted((moment_of(moment) for moment in moments), key=lambda moment: moment.place)),
    )
