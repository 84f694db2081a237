"""Which stored calls can be analysed again from their words."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.db.repositories.call_changes import CALLS

Place = tuple[datetime, str]
"""When a call came in, and its id."""


def read_due(
    session: Session, since: datetime, until: datetime, after: Place | None, limit: int
) -> tuple[Place, ...]:
    """Finished calls with a result and their words that came in from ``since`` to before ``until``, oldest
    first, from the one after ``after`` on."""
    query = select(CALLS.c.created_at, CALLS.c.call_id).where(
        CALLS.c.created_at >= since,
        CALLS.c.created_at < until,
        CALLS.c.queue.is_(None),
        CALLS.c.current_result_id.is_not(None),
        CALLS.c.text_deleted_at.is_(None),
    )
    if after is not None:
        query = query.where(tuple_(CALLS.c.created_at, CALLS.c.call_id) > after)
    rows = session.execute(query.order_by(CALLS.c.created_at, CALLS.c.call_id).limit(limit))
    return tuple((row.created_at, row.call_id) for row in rows)
