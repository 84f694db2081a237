"""All calls of one customer, to be deleted or handed over."""

from __future__ import annotations

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app.db.models import CallRow, table_of
from app.db.repositories.call_records import record_of
from app.db.repositories.calls import CallRepository
from app.schemas.call import CallRecord
from app.schemas.retention import RemovedCall

_CALLS = table_of(CallRow)


class CustomerRepository:
    """All SQL about customers, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def page(self, customer_id: str, after: CallRecord | None, limit: int) -> tuple[CallRecord, ...]:
        """Calls that came in after ``after``, oldest first."""
        query = select(_CALLS).where(_CALLS.c.customer_id == customer_id)
        if after is not None:
            place = (after.created_at, after.call_id)
            query = query.where(tuple_(_CALLS.c.created_at, _CALLS.c.call_id) > place)
        query = query.order_by(_CALLS.c.created_at, _CALLS.c.call_id).limit(limit)
        return tuple(record_of(row) for row in self._session.execute(query))

    def delete(self, customer_id: str, limit: int) -> tuple[RemovedCall, ...]:
        """Remove at most ``limit`` calls that nobody holds, with all under them; returns what they were."""
        query = (
            select(_CALLS.c.call_id)
            .where(_CALLS.c.customer_id == customer_id, ~_CALLS.c.legal_hold)
            .order_by(_CALLS.c.call_id)
            .limit(limit)
            # Locked here, so that none of them is put under a hold in between.
            .with_for_update()
        )
        calls = CallRepository(self._session)
        removed = (calls.delete(call_id) for call_id in self._session.scalars(query).all())
        return tuple(call for call in removed if call is not None)

    def held(self, customer_id: str) -> int:
        """How many calls stay under legal hold."""
        query = select(func.count()).where(_CALLS.c.customer_id == customer_id, _CALLS.c.legal_hold)
        return self._session.scalar(query) or 0
