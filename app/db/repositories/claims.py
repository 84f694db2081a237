"""Who works on which call: claims, signs of life, hand-overs and ends.

Every write of a worker names its claim. One whose call was taken from it (its lease ran out, the call was
cancelled or deleted) changes nothing, and learns so by the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from app.db.repositories.call_changes import AT_REST, CALLS, NOT_AT_WORK, change, end_without_result
from app.db.repositories.call_records import failure_values, record_of
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.results import ResultRepository
from app.db.repositories.statements import touched
from app.db.repositories.waveforms import WaveformRepository
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallRecord, Claim, Failure, Queue, QueueState
from app.schemas.correction import Corrected
from app.schemas.heard import Heard
from app.schemas.waveform import Peaks

_IN_TURN = (Queue.ANALYZE, Queue.TRANSCRIBE, Queue.BULK)
"""What is begun is finished first; old recordings wait for all others."""


class ClaimRepository:
    """All SQL about work on calls, within the transaction of ``session``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def take(self, queues: Sequence[Queue], owner: str, now: datetime) -> tuple[Claim, CallRecord] | None:
        """Claim the call whose turn it is in ``queues``; None when nothing waits there."""
        for queue in (queue for queue in _IN_TURN if queue in queues):
            call_id = self._session.scalar(
                select(CALLS.c.call_id)
                .where(CALLS.c.queue == queue, CALLS.c.owner.is_(None))
                .order_by(CALLS.c.priority.desc(), CALLS.c.queued_at, CALLS.c.call_id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            if call_id is not None:
                return self._claim(call_id, owner, now)
        return None

    def _claim(self, call_id: str, owner: str, now: datetime) -> tuple[Claim, CallRecord]:
        # What was handed on from one queue to the next is still the same attempt.
        begins = case((CALLS.c.status == CallStatus.QUEUED, 1), else_=0)
        row = self._session.execute(
            update(CALLS)
            .where(CALLS.c.call_id == call_id)
            .values(
                status=CallStatus.PROCESSING,
                owner=owner,
                token=CALLS.c.token + 1,
                attempts=CALLS.c.attempts + begins,
                heartbeat_at=now,
                updated_at=now,
            )
            .returning(*CALLS.columns)
        ).one()
        return Claim(call_id, owner, row.token, row.attempts), record_of(row)

    def beat(self, claim: Claim, percent: float, now: datetime) -> bool:
        """A sign of life, with how far the work is; False when the call is not ours any more."""
        return change(
            self._session, claim.call_id, *_under(claim), heartbeat_at=now, percent=_at_least(percent)
        )

    def enter_stage(self, claim: Claim, stage: str, percent: float, now: datetime) -> bool:
        """Note the stage that the call is in; a sign of life as well."""
        return change(
            self._session,
            claim.call_id,
            *_under(claim),
            stage=stage,
            percent=_at_least(percent),
            heartbeat_at=now,
            updated_at=now,
        )

    def keep(self, claim: Claim, heard: Heard, now: datetime) -> bool:
        """Store what was heard so far, so that nothing of it has to be done again."""
        held = change(self._session, claim.call_id, *_under(claim), heartbeat_at=now)
        if held:
            CheckpointRepository(self._session).put(claim.call_id, heard, now)
        return held

    def keep_peaks(self, claim: Claim, peaks: Peaks, now: datetime) -> bool:
        """Store how loud the recording is."""
        held = change(self._session, claim.call_id, *_under(claim), heartbeat_at=now)
        if held:
            WaveformRepository(self._session).put(claim.call_id, peaks)
        return held

    def hand_on(self, claim: Claim, queue: Queue, now: datetime) -> bool:
        """Let go of a call whose next stages are for the workers of ``queue``."""
        return change(
            self._session,
            claim.call_id,
            *_under(claim),
            queue=queue,
            queued_at=now,
            rung_at=None,
            updated_at=now,
            **NOT_AT_WORK,
        )

    def hand_back(self, claim: Claim, now: datetime, *, charged: bool) -> bool:
        """Let another worker have the call; unless ``charged``, this attempt does not count."""
        attempts = CALLS.c.attempts if charged else CALLS.c.attempts - 1
        return self._release(claim.call_id, *_under(claim), attempts=attempts, updated_at=now)

    def complete(
        self,
        claim: Claim,
        analysis: Analysis,
        now: datetime,
        *,
        keep_heard: bool,
        corrected: Corrected | None = None,
    ) -> bool:
        """Store the analysis as the call's next version, and as ``corrected`` the one after, and finish the
        call.

        ``keep_heard``: a stage failed, and its rerun is to start from what was heard. False, and nothing
        written, when the call is no longer ours.
        """
        finished = change(
            self._session,
            claim.call_id,
            *_under(claim),
            status=corrected.analysis.status if corrected else analysis.status,
            duration_s=analysis.duration_s,
            percent=100.0,
            completed_at=now,
            updated_at=now,
            **failure_values(None),
            **AT_REST,
        )
        if finished:
            results = ResultRepository(self._session)
            results.add(claim.call_id, analysis, now)
            if corrected:
                results.add_edited(claim.call_id, corrected.edits, corrected.analysis, now)
            if not keep_heard:
                CheckpointRepository(self._session).drop(claim.call_id)
        return finished

    def fail(self, claim: Claim, failure: Failure, now: datetime, *, drop_audio: bool = False) -> bool:
        """Finish the call with a failure; ``drop_audio`` forgets its recording."""
        dropped: dict[str, Any] = {"audio_key": None} if drop_audio else {}
        return self._fail(claim.call_id, failure, now, *_under(claim), **dropped)

    def expired(self, now: datetime, lease_s: float) -> tuple[CallRecord, ...]:
        """Calls at work without a sign of life for longer than the lease, oldest first."""
        limit = now - timedelta(seconds=lease_s)
        rows = self._session.execute(
            select(CALLS)
            .where(CALLS.c.queue.is_not(None), CALLS.c.owner.is_not(None), CALLS.c.heartbeat_at <= limit)
            .order_by(CALLS.c.created_at, CALLS.c.call_id)
        )
        return tuple(record_of(row) for row in rows)

    def take_back(self, lost: CallRecord, now: datetime) -> bool:
        """Queue a call again that its worker lost; False when there was a sign of life since ``lost``, or
        somebody is writing to it at the moment."""
        return self._is_free(lost) and self._release(lost.call_id, *_unchanged(lost), updated_at=now)

    def give_up(self, lost: CallRecord, failure: Failure, now: datetime) -> bool:
        """Finish a call that its worker lost; False as for ``take_back``."""
        return self._is_free(lost) and self._fail(lost.call_id, failure, now, *_unchanged(lost))

    def cancel(self, call_id: str, now: datetime) -> bool:
        """Finish an unfinished call without a result, whoever works on it."""
        return end_without_result(
            self._session,
            call_id,
            CallStatus.CANCELLED,
            CALLS.c.queue.is_not(None),
            updated_at=now,
            **failure_values(None),
        )

    def untold(self, queue: Queue, queued_before: datetime, limit: int) -> tuple[str, ...]:
        """Calls that wait in ``queue`` since then or longer, and that nobody was told of."""
        return self._waiting(
            queue, CALLS.c.rung_at.is_(None), CALLS.c.queued_at <= queued_before, limit=limit
        )

    def told(self, queue: Queue, limit: int) -> tuple[str, ...]:
        """Calls that wait in ``queue`` though workers were told of them."""
        return self._waiting(queue, CALLS.c.rung_at.is_not(None), limit=limit)

    def last_rung(self, queues: Sequence[Queue]) -> dict[Queue, datetime]:
        """When workers were last told of a call that still waits, for each queue that holds such calls."""
        rows = self._session.execute(
            select(CALLS.c.queue, func.max(CALLS.c.rung_at))
            .where(CALLS.c.queue.in_(queues), CALLS.c.owner.is_(None), CALLS.c.rung_at.is_not(None))
            .group_by(CALLS.c.queue)
        )
        return {Queue(queue): rung_at for queue, rung_at in rows}

    def _waiting(self, queue: Queue, *conditions: ColumnElement[bool], limit: int) -> tuple[str, ...]:
        return tuple(
            self._session.scalars(
                select(CALLS.c.call_id)
                .where(CALLS.c.queue == queue, CALLS.c.owner.is_(None), *conditions)
                .order_by(CALLS.c.priority.desc(), CALLS.c.queued_at, CALLS.c.call_id)
                .limit(limit)
            )
        )

    def rung(self, call_ids: Sequence[str], now: datetime | None) -> None:
        """Note when workers were told of these calls; None: that they were not."""
        still = and_(CALLS.c.call_id.in_(call_ids), CALLS.c.queue.is_not(None), CALLS.c.owner.is_(None))
        touched(self._session, update(CALLS).where(still).values(rung_at=now))

    def unfinished(self, queues: Sequence[Queue], *, waiting_only: bool) -> int:
        """How many calls of ``queues`` are not finished, or only wait."""
        free = (CALLS.c.owner.is_(None),) if waiting_only else ()
        query = select(func.count()).select_from(CALLS).where(CALLS.c.queue.in_(queues), *free)
        return self._session.scalar(query) or 0

    def queues(self) -> tuple[QueueState, ...]:
        """How it stands with each queue that has a call."""
        free = CALLS.c.owner.is_(None)
        rows = self._session.execute(
            select(
                CALLS.c.queue,
                func.sum(case((free, 1), else_=0)).label("waiting"),
                func.sum(case((free, 0), else_=1)).label("in_work"),
                func.min(case((free, CALLS.c.queued_at))).label("oldest"),
            )
            .where(CALLS.c.queue.is_not(None))
            .group_by(CALLS.c.queue)
        )
        return tuple(QueueState(Queue(row.queue), row.waiting, row.in_work, row.oldest) for row in rows)

    def position(self, record: CallRecord) -> int | None:
        """How many calls are taken from its queue before it, and itself; None unless it waits."""
        if not record.is_waiting:
            return None
        same = and_(CALLS.c.priority == record.priority, CALLS.c.queued_at == record.queued_at)
        sooner = or_(
            CALLS.c.priority > record.priority,
            and_(CALLS.c.priority == record.priority, CALLS.c.queued_at < record.queued_at),
            and_(same, CALLS.c.call_id < record.call_id),
        )
        query = select(func.count()).where(CALLS.c.queue == record.queue, CALLS.c.owner.is_(None), sooner)
        return (self._session.scalar(query) or 0) + 1

    def positions(self, call_ids: Sequence[str]) -> dict[str, int]:
        """``position`` of those of the calls that wait."""
        place = func.row_number().over(
            partition_by=CALLS.c.queue,
            order_by=(CALLS.c.priority.desc(), CALLS.c.queued_at, CALLS.c.call_id),
        )
        waiting = select(CALLS.c.call_id, place.label("place")).where(
            CALLS.c.queue.is_not(None), CALLS.c.owner.is_(None)
        )
        all_places = waiting.subquery()
        asked = select(all_places).where(all_places.c.call_id.in_(call_ids))
        return {row.call_id: row.place for row in self._session.execute(asked)}

    def _is_free(self, lost: CallRecord) -> bool:
        """Lock a call that is still lost. What somebody else has locked is left alone: who froze while it
        wrote to one call must not hold up those who look after all of them."""
        still = select(CALLS.c.call_id).where(CALLS.c.call_id == lost.call_id, *_unchanged(lost))
        return self._session.scalar(still.with_for_update(skip_locked=True)) is not None

    def _release(self, call_id: str, *conditions: ColumnElement[bool], **values: Any) -> bool:
        return change(
            self._session,
            call_id,
            *conditions,
            status=CallStatus.QUEUED,
            token=CALLS.c.token + 1,
            rung_at=None,
            **NOT_AT_WORK,
            **values,
        )

    def _fail(
        self, call_id: str, failure: Failure, now: datetime, *conditions: ColumnElement[bool], **values: Any
    ) -> bool:
        return end_without_result(
            self._session,
            call_id,
            CallStatus.FAILED,
            *conditions,
            updated_at=now,
            **failure_values(failure),
            **values,
        )


def _under(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return CALLS.c.owner == claim.owner, CALLS.c.token == claim.token


def _unchanged(lost: CallRecord) -> tuple[ColumnElement[bool], ...]:
    return CALLS.c.owner == lost.owner, CALLS.c.heartbeat_at == lost.heartbeat_at


def _at_least(percent: float) -> ColumnElement[float]:
    """Progress never falls, also where a lost stage is done again."""
    return case((CALLS.c.percent < percent, percent), else_=CALLS.c.percent)
