"""The one way in which a call changes: compare and set, and whoever wants to know of an end is told."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.db.models import CallRow, ResultRow, table_of
from app.db.repositories.outbox import announce
from app.db.repositories.statements import touched
from app.schemas.analysis import CallStatus

CALLS = table_of(CallRow)
_RESULTS = table_of(ResultRow)

NOT_AT_WORK: dict[str, Any] = {"owner": None, "heartbeat_at": None}
AT_REST: dict[str, Any] = {**NOT_AT_WORK, "queue": None, "queued_at": None, "rung_at": None, "stage": None}
"""What a call has no more of when it is finished."""


def change(session: Session, call_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Whether the call met the conditions, and so was changed. An end is announced."""
    changed = touched(session, update(CALLS).where(CALLS.c.call_id == call_id, *conditions).values(values))
    if changed:
        announce(session, call_id, values)
    return changed == 1


def end_without_result(
    session: Session, call_id: str, status: CallStatus, *conditions: ColumnElement[bool], **values: Any
) -> bool:
    """Finish a call as ``status``; one that has a result of an earlier run is again what that made it.

    Nobody is told of the latter: what they were told of that result still holds.
    """
    ended = {**values, **AT_REST, "token": CALLS.c.token + 1}
    earlier = session.scalar(
        select(_RESULTS.c.status)
        .join(CALLS, CALLS.c.current_result_id == _RESULTS.c.id)
        .where(CALLS.c.call_id == call_id)
    )
    if earlier is None:
        return change(session, call_id, *conditions, status=status, **ended)
    back = {**ended, "status": earlier, "percent": 100.0}
    return touched(session, update(CALLS).where(CALLS.c.call_id == call_id, *conditions).values(back)) == 1
