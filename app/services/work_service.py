"""Use cases of those who work on calls: take one, show life, keep what was found, finish, hand back."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core.clock import utc_now
from app.core.exceptions import AppError, DatabaseUnavailable, WorkerLost
from app.db.repositories.calls import CallRepository
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis
from app.schemas.call import CallRecord, Claim, Failure, Queue, QueueState
from app.schemas.correction import Corrected, Edit
from app.schemas.heard import Heard
from app.schemas.waveform import Peaks
from app.services.ownership import is_gone
from app.storage.base import Storage

log = logging.getLogger(__name__)

_NOT_A_FAULT = "decode"
"""A damaged recording is reported as a failed stage, but no rerun mends it."""


@dataclass(frozen=True)
class Work:
    """A call that was taken, and what was heard in it before, None where nothing was."""

    claim: Claim
    record: CallRecord
    heard: Heard | None


class WorkService:
    """The only place that changes calls in work. Each method is one transaction. Thread-safe.

    Whatever names a claim answers False, and changes nothing, once the call is not ours any more.
    """

    def __init__(
        self, database: Database, storage: Storage, owner: str, *, lease_s: float, max_attempts: int
    ) -> None:
        self._database = database
        self._storage = storage
        self.owner = owner
        self._lease_s = lease_s
        self._max_attempts = max_attempts

    def take(self, queues: Sequence[Queue]) -> Work | None:
        """Claim the call whose turn it is; None when nothing waits in ``queues``."""
        with self._database.session() as session:
            taken = ClaimRepository(session).take(queues, self.owner, utc_now())
            if taken is None:
                return None
            claim, record = taken
            return Work(claim, record, CheckpointRepository(session).get(claim.call_id))

    def beat(self, claim: Claim, percent: float) -> bool:
        """A sign of life, and how far the work is."""
        with self._database.session() as session:
            return ClaimRepository(session).beat(claim, percent, utc_now())

    def enter_stage(self, claim: Claim, stage: str, percent: float) -> bool:
        """Show the stage.

        A database that is away for a moment does not end the work: ``complete`` decides whose it is.
        """
        try:
            with self._database.session() as session:
                return ClaimRepository(session).enter_stage(claim, stage, percent, utc_now())
        except DatabaseUnavailable:
            log.warning("call.stage_not_stored")
            return True

    def keep(self, claim: Claim, heard: Heard) -> bool:
        """Store what was heard so far; a database that is away costs a repetition at most, not the work."""
        try:
            with self._database.session() as session:
                return ClaimRepository(session).keep(claim, heard, utc_now())
        except DatabaseUnavailable:
            log.warning("call.heard_not_stored")
            return True

    def keep_peaks(self, claim: Claim, peaks: Peaks) -> bool:
        """Store how loud the recording is; where the database is away, that is made up for when it is asked
        for."""
        try:
            with self._database.session() as session:
                return ClaimRepository(session).keep_peaks(claim, peaks, utc_now())
        except DatabaseUnavailable:
            log.warning("call.peaks_not_stored")
            return True

    def hand_on(self, claim: Claim, heard: Heard) -> bool:
        """Leave the rest of the work to those who judge words."""
        with self._database.session() as session:
            claims = ClaimRepository(session)
            return claims.keep(claim, heard, utc_now()) and claims.hand_on(claim, Queue.ANALYZE, utc_now())

    def edits(self, call_id: str) -> tuple[Edit, ...]:
        """What reviewers corrected in the result that the call has."""
        with self._database.snapshot() as session:
            return ResultRepository(session).edits(call_id)

    def complete(self, claim: Claim, analysis: Analysis, corrected: Corrected | None = None) -> bool:
        """Store the whole result, and what corrections make of it, and finish the call in one transaction."""
        shown = corrected.analysis if corrected else analysis
        broken = any(stage != _NOT_A_FAULT for stage in shown.failed_stages)
        with self._database.session() as session:
            return ClaimRepository(session).complete(
                claim, analysis, utc_now(), keep_heard=broken, corrected=corrected
            )

    def fail(self, claim: Claim, error: AppError, stage: str | None, *, drop_audio: bool) -> bool:
        """Finish the call with a reason; ``drop_audio`` removes a recording that is of no use."""
        failure = Failure(error.code, stage, error.detail, error.status)
        with self._database.session() as session:
            record = CallRepository(session).lock(claim.call_id)
            # What had a result once is of use, and what is held stays.
            of_use = record is None or record.completed_at is not None or record.legal_hold
            dropped = drop_audio and not of_use
            done = ClaimRepository(session).fail(claim, failure, utc_now(), drop_audio=dropped)
        if done and dropped and record and record.audio_key:
            self._storage.delete(record.audio_key)
        return done

    def hand_back(self, claim: Claim) -> bool:
        """Let another worker do it from where it is; this attempt does not count."""
        with self._database.session() as session:
            return ClaimRepository(session).hand_back(claim, utc_now(), charged=False)

    def try_again(self, claim: Claim, stage: str | None) -> bool:
        """Queue the call again after its engine was lost; too many times, and it fails as `worker_lost`."""
        with self._database.session() as session:
            claims = ClaimRepository(session)
            if claim.attempt < self._max_attempts:
                return claims.hand_back(claim, utc_now(), charged=True)
            return claims.fail(claim, _lost(stage), utc_now())

    def take_back_lost(self, active: Collection[str]) -> int:
        """Queue again what nobody works on any more; returns how many calls that were.

        Those are: calls whose process is gone, calls without a sign of life for longer than the lease, and
        calls of this process that are not among its ``active`` ones. One that was lost too often fails.
        """
        now, lost = utc_now(), 0
        with self._database.session() as session:
            claims = ClaimRepository(session)
            silent = {record.call_id for record in claims.expired(now, self._lease_s)}
            for record in claims.expired(now, 0):
                if not self._is_lost(record, silent, active, now):
                    continue
                if record.attempts < self._max_attempts:
                    lost += claims.take_back(record, now)
                else:
                    lost += claims.give_up(record, _lost(record.stage), now)
        if lost:
            log.warning("calls.taken_back", extra={"calls": lost})
        return lost

    def _is_lost(
        self, record: CallRecord, silent: Collection[str], active: Collection[str], now: datetime
    ) -> bool:
        if record.call_id in silent:
            return True
        if record.owner == self.owner:
            # A claim that was just taken is not among the active ones yet.
            untouched_s = (now - record.updated_at).total_seconds()
            return record.call_id not in active and untouched_s > self._lease_s
        return is_gone(record.owner or "")

    def untold(self, queue: Queue, for_s: float, limit: int) -> tuple[str, ...]:
        """Calls that wait in ``queue`` for ``for_s`` seconds or longer, and that no worker was told of."""
        with self._database.snapshot() as session:
            return ClaimRepository(session).untold(queue, utc_now() - timedelta(seconds=for_s), limit)

    def told(self, queue: Queue, limit: int) -> tuple[str, ...]:
        """Calls that wait in ``queue`` though workers were told of them."""
        with self._database.snapshot() as session:
            return ClaimRepository(session).told(queue, limit)

    def quiet_s(self, queues: Sequence[Queue]) -> dict[Queue, float]:
        """For each queue in which calls wait that workers were told of: seconds since they last were."""
        with self._database.snapshot() as session:
            rung = ClaimRepository(session).last_rung(queues)
        now = utc_now()
        return {queue: (now - rung_at).total_seconds() for queue, rung_at in rung.items()}

    def queues(self) -> tuple[QueueState, ...]:
        """How it stands with every queue."""
        with self._database.snapshot() as session:
            found = {state.queue: state for state in ClaimRepository(session).queues()}
        return tuple(found.get(queue, QueueState(queue)) for queue in Queue)

    def rung(self, call_ids: Sequence[str]) -> None:
        """Note that workers are told of these calls now.

        To be done before they are: whoever hears a ring passes over a call that is being written to.
        """
        with self._database.session() as session:
            ClaimRepository(session).rung(call_ids, utc_now())

    def not_rung(self, call_ids: Sequence[str]) -> None:
        """Take that back, as it could not be done."""
        with self._database.session() as session:
            ClaimRepository(session).rung(call_ids, None)


def _lost(stage: str | None) -> Failure:
    error = WorkerLost()
    return Failure(error.code, stage, error.detail, error.status)
