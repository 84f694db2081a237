"""Calls: taken in, started over, read, listed and deleted. Who works on them is in ``claims``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, delete, select, update
from sqlalchemy.orm import Session

from app.db.models import ResultRow, table_of
from app.db.repositories.call_changes import CALLS, change
from app.db.repositories.call_pages import read_page, read_summary
from app.db.repositories.call_records import failure_values, queued_values, record_of
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.clips import ClipRepository
from app.db.repositories.outbox import withdraw
from app.db.repositories.reels import withdraw_reels
from app.db.repositories.search_texts import matches
from app.db.repositories.statements import insert_new, touched
from app.db.repositories.waveforms import WaveformRepository
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallFilter, CallRecord, CallSummary, NewCall, Queue
from app.schemas.guards import refuse_if_held
from app.schemas.retention import RemovedCall
from app.schemas.search import TextQuery

_RESULTS = table_of(ResultRow)
_RESTARTABLE = (CallStatus.FAILED, CallStatus.CANCELLED)


class CallRepository:
    """All SQL about calls, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, call_id: str) -> CallRecord | None:
        return self._read(call_id, lock=False)

    def get_many(self, call_ids: Sequence[str]) -> tuple[CallRecord, ...]:
        """Those of the calls that are there, in no order."""
        rows = self._session.execute(select(CALLS).where(CALLS.c.call_id.in_(call_ids)))
        return tuple(record_of(row) for row in rows)

    def lock(self, call_id: str) -> CallRecord | None:
        """Like ``get``; nobody else can change the call until this transaction ends."""
        return self._read(call_id, lock=True)

    def insert(self, new: NewCall, now: datetime) -> bool:
        """Add a queued call; False, and nothing written, when its id is taken."""
        same = self.first_with(new.audio_sha256)
        # Not from 0: who still works on a deleted call of this name must not hold a claim on this one.
        token = secrets.randbelow(2**30)
        values = {"call_id": new.call_id, "duplicate_of": same, "token": token, **queued_values(new, now)}
        return insert_new(self._session, CALLS, values)

    def restart(self, new: NewCall, now: datetime) -> bool:
        """Let a failed or cancelled call start over with a new recording.

        Nothing of the earlier attempt stays: not its failure, not its results, not ``created_at`` (so that
        the call is listed as new); only what was heard in the same recording with the same options. The
        earlier recording is the caller's to remove. False when the call is in any other state.
        """
        is_restartable = CALLS.c.status.in_(_RESTARTABLE)
        heard_anew = self._session.scalar(
            select(CALLS.c.fingerprint != new.fingerprint).where(CALLS.c.call_id == new.call_id)
        )
        if not change(self._session, new.call_id, is_restartable, **queued_values(new, now)):
            return False
        if heard_anew:
            CheckpointRepository(self._session).drop(new.call_id)
            WaveformRepository(self._session).drop(new.call_id)
        withdraw_reels(self._session, (new.call_id,))
        touched(self._session, delete(_RESULTS).where(_RESULTS.c.call_id == new.call_id))
        return True

    def rerun(self, call_id: str, queue: Queue, now: datetime) -> bool:
        """Queue a finished call again; its results stay. False when it is unfinished already."""
        return change(
            self._session,
            call_id,
            CALLS.c.queue.is_(None),
            status=CallStatus.QUEUED,
            queue=queue,
            queued_at=now,
            attempts=0,
            percent=0.0,
            updated_at=now,
            **failure_values(None),
        )

    def complete(self, call_id: str, analysis: Analysis, now: datetime) -> bool:
        """Let a finished call end as ``analysis`` does, which no worker made. False when it is unfinished."""
        return change(
            self._session,
            call_id,
            CALLS.c.queue.is_(None),
            status=analysis.status,
            duration_s=analysis.duration_s,
            percent=100.0,
            completed_at=now,
            updated_at=now,
            **failure_values(None),
        )

    def first_with(self, audio_sha256: str) -> str | None:
        """The oldest call with the same recording."""
        return self._session.scalar(
            select(CALLS.c.call_id)
            .where(CALLS.c.audio_sha256 == audio_sha256)
            .order_by(CALLS.c.created_at, CALLS.c.call_id)
            .limit(1)
        )

    def delete(self, call_id: str) -> RemovedCall | None:
        """Remove the call and everything under it; returns what it was, or None. Raises LegalHold.

        Its stored files are the caller's to remove once this is committed.
        """
        record = self.lock(call_id)
        if record is None:
            return None
        refuse_if_held(record)
        clips = ClipRepository(self._session).keys_of_call(call_id)
        withdraw_reels(self._session, (call_id,))
        touched(self._session, delete(CALLS).where(CALLS.c.call_id == call_id))
        same = and_(CALLS.c.audio_sha256 == record.audio_sha256, CALLS.c.duplicate_of == call_id)
        touched(self._session, update(CALLS).where(same).values(duplicate_of=None))
        withdraw(self._session, call_id)
        return RemovedCall(record, (*filter(None, (record.audio_key,)), *clips))

    def page(
        self, filters: CallFilter, limit: int, cursor: str | None
    ) -> tuple[tuple[CallSummary, ...], str | None]:
        """One page of calls, newest first, and the cursor of the next page (None on the last).

        ``limit`` is 1 to ``call_pages.MAX_PAGE``. Raises ValidationFailed that names the bad field. Read it
        in a snapshot, so that the counts belong to the calls.
        """
        page, following = read_page(self._session, filters, limit, cursor)
        waiting = [line.call.call_id for line in page if line.call.is_waiting]
        places = ClaimRepository(self._session).positions(waiting) if waiting else {}
        ids = [line.call.call_id for line in page]
        found = {} if filters.q is None else matches(self._session, TextQuery.of(filters.q), ids)
        lines = tuple(
            replace(line, queue_position=places.get(call_id), match=found.get(call_id))
            for call_id, line in zip(ids, page, strict=True)
        )
        return lines, following

    def assign(self, call_id: str, parties: Mapping[str, str | None]) -> bool:
        """Let ``parties`` be those of the call; False where there is none."""
        return touched(self._session, update(CALLS).where(CALLS.c.call_id == call_id).values(parties)) == 1

    def summary(self, call_id: str) -> CallSummary | None:
        """The call as a line of a list."""
        line = read_summary(self._session, call_id)
        return line and replace(line, queue_position=ClaimRepository(self._session).position(line.call))

    def _read(self, call_id: str, *, lock: bool) -> CallRecord | None:
        query = select(CALLS).where(CALLS.c.call_id == call_id)
        row = self._session.execute(query.with_for_update() if lock else query).one_or_none()
        return None if row is None else record_of(row)
