"""Calls: who works on them, what became of them, and lists of them.

Every change of state is one UPDATE that names the state and the owner that it expects; it says by its
result whether it took place, so that a worker which lost its call cannot write over its successor.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, UpdateBase, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.db.models import CallRow, ResultRow, table_of
from app.db.repositories.call_pages import read_page
from app.db.repositories.call_records import failure_values, queued_values, record_of
from app.db.repositories.outbox import announce, withdraw
from app.db.repositories.results import ResultRepository
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallFilter, CallRecord, CallSummary, Failure, NewCall
from app.schemas.guards import refuse_if_held

_CALLS = table_of(CallRow)
_RESULTS = table_of(ResultRow)
_UNFINISHED = (CallStatus.QUEUED, CallStatus.PROCESSING)
_RESTARTABLE = (CallStatus.FAILED, CallStatus.CANCELLED)
_INSERT_OR_IGNORE = {
    # Two spellings of one clause; both wait for a transaction that is about to take the id.
    "sqlite": sqlite.insert(_CALLS).on_conflict_do_nothing().returning(_CALLS.c.call_id),
    "postgresql": postgresql.insert(_CALLS).on_conflict_do_nothing().returning(_CALLS.c.call_id),
}
_RELEASED: dict[str, Any] = {"owner": None, "heartbeat_at": None, "stage": None}


class CallRepository:
    """All SQL about calls, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, call_id: str) -> CallRecord | None:
        return self._read(call_id, lock=False)

    def lock(self, call_id: str) -> CallRecord | None:
        """Like ``get``; nobody else can change the call until this transaction ends."""
        return self._read(call_id, lock=True)

    def insert(self, new: NewCall, owner: str, now: datetime) -> bool:
        """Add a queued call; False, and nothing written, when its id is taken."""
        statement = _INSERT_OR_IGNORE[self._session.get_bind().dialect.name]
        values = {"call_id": new.call_id, **queued_values(new, owner, now)}
        return self._session.execute(statement, values).scalar_one_or_none() is not None

    def restart(self, new: NewCall, owner: str, now: datetime) -> bool:
        """Let a failed or cancelled call start over with a new recording.

        Nothing of the earlier attempt stays: not its failure, not its results, not ``created_at`` (so that
        the call is listed as new). The earlier recording is the caller's to remove. False when the call is
        in any other state.
        """
        is_restartable = _CALLS.c.status.in_(_RESTARTABLE)
        if not self._change(new.call_id, is_restartable, **queued_values(new, owner, now)):
            return False
        self._count(delete(_RESULTS).where(_RESULTS.c.call_id == new.call_id))
        return True

    def start(self, call_id: str, owner: str, now: datetime) -> bool:
        """From queued to processing."""
        return self._change(
            call_id,
            _CALLS.c.owner == owner,
            _CALLS.c.status == CallStatus.QUEUED,
            status=CallStatus.PROCESSING,
            heartbeat_at=now,
            updated_at=now,
        )

    def set_stage(self, call_id: str, owner: str, stage: str, now: datetime) -> bool:
        """Note the stage that a call in work is in; a sign of life as well."""
        return self._change(call_id, *_in_work(owner), stage=stage, heartbeat_at=now, updated_at=now)

    def beat(self, owner: str, now: datetime) -> int:
        """A sign of life for all unfinished calls of ``owner``; returns how many there are."""
        return self._count(
            update(_CALLS)
            .where(_CALLS.c.owner == owner, _CALLS.c.status.in_(_UNFINISHED))
            .values(heartbeat_at=now)
        )

    def complete(self, call_id: str, owner: str, analysis: Analysis, now: datetime) -> bool:
        """Store the analysis as the call's next version and finish the call.

        False, and nothing written, when the call is no longer in work under ``owner``.
        """
        finished = self._change(
            call_id,
            *_in_work(owner),
            status=analysis.status,
            duration_s=analysis.duration_s,
            completed_at=now,
            updated_at=now,
            **failure_values(None),
            **_RELEASED,
        )
        if finished:
            ResultRepository(self._session).add(call_id, analysis, now)
        return finished

    def fail(
        self, call_id: str, owner: str, failure: Failure, now: datetime, *, drop_audio: bool = False
    ) -> bool:
        """Finish a queued or running call with a failure; ``drop_audio`` forgets its recording."""
        dropped: dict[str, Any] = {"audio_key": None} if drop_audio else {}
        return self._fail(call_id, failure, now, _CALLS.c.owner == owner, **dropped)

    def unfinished(self, now: datetime, lease_s: float) -> tuple[CallRecord, ...]:
        """Queued and running calls that gave no sign of life for longer than the lease, oldest first."""
        expired = now - timedelta(seconds=lease_s)
        return self._records(or_(_CALLS.c.heartbeat_at < expired, _CALLS.c.heartbeat_at.is_(None)))

    def unfinished_owners(self) -> frozenset[str]:
        """Whoever has a queued or running call, alive or not."""
        owners = self._session.scalars(
            select(_CALLS.c.owner).where(_CALLS.c.status.in_(_UNFINISHED)).distinct()
        )
        return frozenset(owner for owner in owners if owner is not None)

    def give_up(
        self,
        call_id: str,
        owner: str | None,
        failure: Failure,
        now: datetime,
        *,
        heartbeat_at: datetime | None = None,
    ) -> bool:
        """Let a lost call fail on behalf of its owner.

        With ``heartbeat_at`` (from the record that ``unfinished`` gave), only if there has been no sign of
        life since; without it, because the owner is known to be gone.
        """
        seen = () if heartbeat_at is None else (_CALLS.c.heartbeat_at == heartbeat_at,)
        return self._fail(call_id, failure, now, _CALLS.c.owner.is_not_distinct_from(owner), *seen)

    def delete(self, call_id: str) -> CallRecord | None:
        """Remove the call and everything under it; returns what it was, or None. Raises LegalHold."""
        record = self.lock(call_id)
        if record is not None:
            refuse_if_held(record)
            self._count(delete(_CALLS).where(_CALLS.c.call_id == call_id))
            withdraw(self._session, call_id)
        return record

    def page(
        self, filters: CallFilter, limit: int, cursor: str | None
    ) -> tuple[tuple[CallSummary, ...], str | None]:
        """One page of calls, newest first, and the cursor of the next page (None on the last).

        ``limit`` is 1 to ``call_pages.MAX_PAGE``. Raises ValidationFailed that names the bad field. Read it
        in a snapshot, so that the counts belong to the calls.
        """
        return read_page(self._session, filters, limit, cursor)

    def audio_keys(self) -> set[str]:
        """The keys of all recordings that calls refer to."""
        keys = self._session.scalars(select(_CALLS.c.audio_key).where(_CALLS.c.audio_key.is_not(None)))
        return {key for key in keys if key is not None}

    def _read(self, call_id: str, *, lock: bool) -> CallRecord | None:
        query = select(_CALLS).where(_CALLS.c.call_id == call_id)
        row = self._session.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else record_of(row)

    def _records(self, *conditions: ColumnElement[bool]) -> tuple[CallRecord, ...]:
        query = (
            select(_CALLS)
            .where(_CALLS.c.status.in_(_UNFINISHED), *conditions)
            .order_by(_CALLS.c.created_at, _CALLS.c.call_id)
        )
        return tuple(record_of(row) for row in self._session.execute(query))

    def _fail(
        self,
        call_id: str,
        failure: Failure,
        now: datetime,
        *conditions: ColumnElement[bool],
        **values: Any,
    ) -> bool:
        return self._change(
            call_id,
            _CALLS.c.status.in_(_UNFINISHED),
            *conditions,
            status=CallStatus.FAILED,
            updated_at=now,
            **failure_values(failure),
            **_RELEASED,
            **values,
        )

    def _change(self, call_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
        """Compare and set: whether the call met the conditions, and so was changed. An end is announced."""
        changed = self._count(update(_CALLS).where(_CALLS.c.call_id == call_id, *conditions).values(values))
        if changed:
            announce(self._session, call_id, values)
        return changed == 1

    def _count(self, statement: UpdateBase) -> int:
        """Execute without the ORM's bookkeeping; returns how many rows were touched."""
        return self._session.connection().execute(statement).rowcount


def _in_work(owner: str) -> tuple[ColumnElement[bool], ...]:
    return _CALLS.c.owner == owner, _CALLS.c.status == CallStatus.PROCESSING
