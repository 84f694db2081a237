"""A model of what may become of calls, against the service on both databases, in any order of events.

Workers keep every claim that they ever had: an old one is a zombie's, and changes nothing, not even where
a call of the same name was handed in after the one that it was for was deleted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select, update

from app.core.exceptions import (
    CallExists,
    CallFinished,
    CallNotFound,
    CallUnfinished,
    StageFailed,
)
from app.db.models import CallRow, ResultRow, table_of
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import ALL_QUEUES, Claim, Queue
from app.services.call_service import CallService, Intake, RerunFrom
from app.services.room import Room
from app.services.work_service import WorkService
from app.storage.local import LocalStorage
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.values import analysis, heard, new_call
from tests.settings import make_settings

__all__ = ["database", "quick_folder", "shared_database"]

MAX_ATTEMPTS = 2
WORKERS = ("machine-a/1/1/a", "machine-b/1/1/b")
NAMES = ("A", "B")
CALLS = st.sampled_from(NAMES)
Q, P, OK, OK_BUT, FAILED, CANCELLED = (
    CallStatus.QUEUED,
    CallStatus.PROCESSING,
    CallStatus.COMPLETED,
    CallStatus.COMPLETED_WITH_WARNINGS,
    CallStatus.FAILED,
    CallStatus.CANCELLED,
)
LEGAL = {
    # A call that has a result of an earlier run goes back to it in place of failing or being cancelled.
    Q: {P, CANCELLED, OK, OK_BUT},
    P: {Q, OK, OK_BUT, FAILED, CANCELLED},
    OK: {Q},
    OK_BUT: {Q},
    FAILED: {Q},
    CANCELLED: {Q},
}


@dataclass
class Expected:
    """What the model knows of a call. ``results``: the status that each version gave it."""

    recording: str
    status: CallStatus = Q
    attempts: int = 0
    queue: Queue = Queue.TRANSCRIBE
    owner: Claim | None = None
    results: list[CallStatus] = field(default_factory=list)
    error: str | None = None
    percent: float = 0.0
    is_kept: bool = False

    def end(self, status: CallStatus, error: str | None = None) -> None:
        """Without a result; an earlier one counts again."""
        self.status = self.results[-1] if self.results else status
        self.error, self.owner = error, None
        self.percent = 100.0 if self.results else self.percent


class Lifecycle(RuleBasedStateMachine):
    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__()
        storage = LocalStorage.opened(make_settings(folder))
        self.database = database
        self.calls = CallService(database, storage, room=Room(1000, 1), forget_elsewhere=lambda _: None)
        self.workers = {
            name: WorkService(database, storage, name, lease_s=30, max_attempts=MAX_ATTEMPTS)
            for name in WORKERS
        }
        self.expected: dict[str, Expected] = {}
        self.claims: list[Claim] = []
        self.seen: dict[str, CallStatus] = {}
        for call_id in NAMES:
            self._forget(call_id)

    def teardown(self) -> None:
        for call_id in NAMES:
            self._forget(call_id)

    def _forget(self, call_id: str) -> None:
        with suppress(CallNotFound):
            self.calls.delete(call_id)

    @rule(call_id=CALLS, recording=st.sampled_from(["one", "other"]))
    def send(self, call_id: str, recording: str) -> None:
        new = new_call(call_id, fingerprint=recording, audio_key=uuid4().hex)
        there = self.expected.get(call_id)
        if there is not None and there.status not in (FAILED, CANCELLED):
            if there.recording != recording:
                with pytest.raises(CallExists):
                    self.calls.accept(new)
                return
            intake = Intake.REPLAYED if there.status.is_final else Intake.JOINED
            assert self.calls.accept(new).intake is intake
            return
        assert self.calls.accept(new).intake is Intake.STARTED
        is_kept = there is not None and there.is_kept and there.recording == recording
        self.expected[call_id] = Expected(recording, is_kept=is_kept)

    @rule(worker=st.sampled_from(WORKERS))
    def take(self, worker: str) -> None:
        waiting = {
            call_id
            for call_id, call in self.expected.items()
            if call.owner is None and not call.status.is_final
        }
        work = self.workers[worker].take(ALL_QUEUES)
        assert (work is None) == (not waiting)
        if work is None:
            return
        assert work.claim.call_id in waiting
        call = self.expected[work.claim.call_id]
        call.attempts += call.status is Q
        call.status, call.owner = P, work.claim
        assert (work.claim.attempt, work.heard is not None) == (call.attempts, call.is_kept)
        assert work.claim not in self.claims
        self.claims.append(work.claim)

    @rule(data=st.data(), percent=st.floats(0, 99.9))
    def show_life(self, data: st.DataObject, percent: float) -> None:
        claim = self._any(data)
        if claim is None:
            return
        call = self._owned(claim)
        assert self._worker(claim).beat(claim, percent) == (call is not None)
        if call is not None:
            call.percent = max(call.percent, percent)

    @rule(data=st.data(), stage=st.sampled_from(["decode", "transcribe", "persist"]))
    def enter_stage(self, data: st.DataObject, stage: str) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            assert self._worker(claim).enter_stage(claim, stage, 0.0) == (call is not None)

    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            assert self._worker(claim).keep(claim, heard()) == (call is not None)
            if call is not None:
                call.is_kept = True

    @rule(data=st.data())
    def hand_on(self, data: st.DataObject) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            assert self._worker(claim).hand_on(claim, heard()) == (call is not None)
            if call is not None:
                call.queue, call.owner, call.is_kept = Queue.ANALYZE, None, True

    @rule(data=st.data(), failed=st.sampled_from([(), ("diarization",)]))
    def complete(self, data: st.DataObject, failed: tuple[str, ...]) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            found = analysis(claim.call_id, failed_stages=failed)
            assert self._worker(claim).complete(claim, found) == (call is not None)
            if call is not None:
                call.results.append(found.status)
                call.status, call.owner, call.error, call.percent = found.status, None, None, 100.0
                call.is_kept = call.is_kept and bool(failed)

    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            error = StageFailed("stt", "broken")
            done = self._worker(claim).fail(claim, error, "transcribe", drop_audio=False)
            assert done == (call is not None)
            if call is not None:
                call.end(FAILED, error.code)

    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            assert self._worker(claim).hand_back(claim) == (call is not None)
            if call is not None:
                call.status, call.owner = Q, None
                call.attempts -= 1

    @rule(data=st.data())
    def lose_the_engine(self, data: st.DataObject) -> None:
        if (claim := self._any(data)) is not None:
            call = self._owned(claim)
            assert self._worker(claim).try_again(claim, "transcribe") == (call is not None)
            if call is not None:
                self._lost(call)

    @rule(data=st.data(), finder=st.sampled_from(WORKERS))
    def fall_silent(self, data: st.DataObject, finder: str) -> None:
        """One worker shows no life for longer than the lease, and another looks."""
        owned = [call.owner for call in self.expected.values() if call.owner is not None]
        if not owned:
            return
        silent = data.draw(st.sampled_from(owned))
        then = datetime.now(UTC) - timedelta(seconds=31)
        calls = table_of(CallRow)
        with self.database.session() as session:
            session.execute(
                update(calls)
                .where(calls.c.call_id == silent.call_id)
                .values(heartbeat_at=then, updated_at=then)
            )
        active = {claim.call_id for claim in owned if claim.owner == finder and claim != silent}
        assert self.workers[finder].take_back_lost(active) == 1
        self._lost(self.expected[silent.call_id])

    @rule(call_id=CALLS)
    def cancel(self, call_id: str) -> None:
        call = self.expected.get(call_id)
        if call is None or call.status.is_final:
            with pytest.raises(CallNotFound if call is None else CallFinished):
                self.calls.cancel(call_id)
            return
        call.end(CANCELLED)
        assert self.calls.cancel(call_id).status is call.status

    @rule(call_id=CALLS, start=st.sampled_from(RerunFrom))
    def rerun(self, call_id: str, start: RerunFrom) -> None:
        call = self.expected.get(call_id)
        if call is None or not call.status.is_final:
            with pytest.raises(CallNotFound if call is None else CallUnfinished):
                self.calls.rerun(call_id, start)
            return
        record = self.calls.rerun(call_id, start)
        call.is_kept = call.is_kept and start is not RerunFrom.TRANSCRIPTION
        needs_audio = not call.is_kept or start is RerunFrom.DIARIZATION
        call.queue = Queue.TRANSCRIBE if needs_audio else Queue.ANALYZE
        call.status, call.attempts, call.error, call.percent = Q, 0, None, 0.0
        assert record.queue is call.queue

    @rule(call_id=CALLS)
    def delete(self, call_id: str) -> None:
        if self.expected.pop(call_id, None) is None:
            with pytest.raises(CallNotFound):
                self.calls.delete(call_id)
            return
        self.calls.delete(call_id)
        self.seen.pop(call_id, None)

    @invariant()
    def the_database_holds_what_is_expected(self) -> None:
        assert {record.call_id for record, _ in self.calls.states(NAMES).values()} == set(self.expected)
        for call_id, call in self.expected.items():
            stored = self.calls.read(call_id)
            record = stored.record
            assert (record.status, record.attempts) == (call.status, call.attempts)
            assert (record.failure and record.failure.code) == call.error
            assert record.percent == pytest.approx(call.percent)
            assert (record.percent == 100) == record.status.is_complete
            assert (record.queue is None) == record.status.is_final
            assert record.queue in (None, call.queue)
            assert record.owner == (call.owner and call.owner.owner)
            assert (stored.queue_position is not None) == record.is_waiting
            assert (stored.analysis is not None) == bool(call.results)
            assert self._versions(call_id) == len(call.results)
            before = self.seen.get(call_id, record.status)
            assert record.status == before or record.status in LEGAL[before]
            self.seen[call_id] = record.status

    def _versions(self, call_id: str) -> int | None:
        results = table_of(ResultRow)
        with self.database.snapshot() as session:
            return session.scalar(select(func.count()).where(results.c.call_id == call_id))

    def _any(self, data: st.DataObject) -> Claim | None:
        """Any claim that anybody ever had, more often one that holds."""
        held = [call.owner for call in self.expected.values() if call.owner is not None]
        return data.draw(st.sampled_from([*held * 3, *self.claims])) if self.claims else None

    def _owned(self, claim: Claim) -> Expected | None:
        call = self.expected.get(claim.call_id)
        return call if call is not None and call.owner is claim else None

    def _worker(self, claim: Claim) -> WorkService:
        return self.workers[claim.owner]

    def _lost(self, call: Expected) -> None:
        if call.attempts < MAX_ATTEMPTS:
            call.status, call.owner = Q, None
        else:
            call.end(FAILED, "worker_lost")


def test_whatever_happens_in_whatever_order_calls_only_become_what_they_may(
    database: Database, tmp_path: Path
) -> None:
    run_state_machine_as_test(
        lambda: Lifecycle(database, tmp_path),
        settings=settings(
            max_examples=60 if database.is_sqlite else 25,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
