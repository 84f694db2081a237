"""Use cases around calls: take one in, move it through its states, read, list and delete."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from app.core.exceptions import (
    AppError,
    CallExists,
    CallInterrupted,
    CallNotFound,
    CallNotReady,
    DatabaseUnavailable,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.digests import read_digest_page
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallFilter, CallOptions, CallRecord, CallSummary, Failure, NewCall
from app.schemas.digest import CallDigest
from app.services.ownership import is_gone
from app.storage.base import Storage

log = logging.getLogger(__name__)


class Intake(StrEnum):
    """What became of an upload: new work, a wait for the same work, or a result that is there already."""

    STARTED = "started"
    JOINED = "joined"
    REPLAYED = "replayed"


@dataclass(frozen=True)
class StoredCall:
    """A call and its current analysis, None while there is none."""

    record: CallRecord
    analysis: Analysis | None


class CallService:
    """The only place that writes calls. Each method is one transaction. Thread-safe."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        owner: str,
        lease_s: float,
        *,
        forget_elsewhere: Callable[[str], None],
    ) -> None:
        """``forget_elsewhere`` removes what others keep of a call that was deleted; it raises nothing."""
        self._database = database
        self._storage = storage
        self._forget_elsewhere = forget_elsewhere
        self.owner = owner
        self._lease_s = lease_s

    def accept(self, new: NewCall) -> Intake:
        """Take in a recording that is stored already.

        Raises CallExists when the id belongs to another recording. The stored file of ``new`` is in use
        only after ``STARTED``.
        """
        abandoned_key = None
        with self._database.session() as session:
            calls = CallRepository(session)
            if calls.insert(new, self.owner, _now()):
                return Intake.STARTED
            earlier = calls.lock(new.call_id)
            if earlier is None:  # deleted between the two statements
                raise CallInterrupted(f"call {new.call_id} was being deleted; send it again")
            if earlier.status in (CallStatus.FAILED, CallStatus.CANCELLED):
                calls.restart(new, self.owner, _now())
                abandoned_key = earlier.audio_key
                outcome = Intake.STARTED
            elif earlier.fingerprint != new.fingerprint:
                raise CallExists(f"call id {new.call_id} belongs to another recording or other options")
            else:
                outcome = Intake.REPLAYED if earlier.status.is_complete else Intake.JOINED
        if abandoned_key:
            self._storage.delete(abandoned_key)
        return outcome

    def start(self, call_id: str) -> CallRecord | None:
        """Queued to processing; None when the call is not ours any more."""
        with self._database.session() as session:
            calls = CallRepository(session)
            return calls.get(call_id) if calls.start(call_id, self.owner, _now()) else None

    def enter_stage(self, call_id: str, stage: str) -> bool:
        """Show the stage; False when the call is not ours any more.

        A database that is away for a moment does not end the work: ``complete`` decides whose it is.
        """
        try:
            with self._database.session() as session:
                return CallRepository(session).set_stage(call_id, self.owner, stage, _now())
        except DatabaseUnavailable:
            log.warning("call.stage_not_stored")
            return True

    def complete(self, call_id: str, analysis: Analysis) -> bool:
        """Store the whole result and finish the call in one transaction; False: not ours any more."""
        with self._database.session() as session:
            return CallRepository(session).complete(call_id, self.owner, analysis, _now())

    def fail(self, call_id: str, error: AppError, stage: str | None, *, drop_audio: bool) -> bool:
        """Finish the call with a reason; ``drop_audio`` removes a recording that is of no use."""
        failure = Failure(error.code, stage, error.detail, error.status)
        with self._database.session() as session:
            calls = CallRepository(session)
            record = calls.get(call_id)
            done = calls.fail(call_id, self.owner, failure, _now(), drop_audio=drop_audio)
        if done and drop_audio and record and record.audio_key:
            self._storage.delete(record.audio_key)
        return done

    def beat(self) -> int:
        """Sign of life for every unfinished call of this process; returns how many."""
        with self._database.session() as session:
            return CallRepository(session).beat(self.owner, _now())

    def give_up_lost(self, active: Collection[str]) -> int:
        """Fail the calls that nobody works on any more; returns how many.

        Those are: calls whose process is gone, calls without a sign of life for longer than the lease, and
        calls of this process that are not among its ``active`` ones (their end could not be stored).
        """
        lost = 0
        now = _now()
        with self._database.session() as session:
            calls = CallRepository(session)
            silent = {record.call_id for record in calls.unfinished(now, self._lease_s)}
            for record in calls.unfinished(now, 0):
                owner = record.owner or ""
                if owner == self.owner:
                    untouched_s = (now - record.updated_at).total_seconds()
                    is_lost = record.call_id not in active and untouched_s > self._lease_s
                else:
                    is_lost = record.call_id in silent or is_gone(owner)
                if is_lost:
                    beat = record.heartbeat_at if record.call_id in silent else None
                    failure = _interrupted(record.stage)
                    lost += calls.give_up(record.call_id, owner, failure, now, heartbeat_at=beat)
        if lost:
            log.warning("calls.interrupted", extra={"calls": lost})
        return lost

    def interrupt_own(self) -> None:
        """Fail whatever this process has not finished: it is about to end."""
        with self._database.session() as session:
            calls = CallRepository(session)
            for record in calls.unfinished(_now(), 0):
                if record.owner == self.owner:
                    calls.fail(record.call_id, self.owner, _interrupted(record.stage), _now())

    # One call is read from the primary, lists from the replica. A replica that does not know a call yet could
    # be made up for, but not one that knows an older state of it: a percentage would fall, a correction just
    # made be gone. It is a look by key, which costs the primary little.

    def record(self, call_id: str) -> CallRecord:
        """Raises CallNotFound."""
        with self._database.snapshot() as session:
            return _found(CallRepository(session).get(call_id), call_id)

    def read(self, call_id: str) -> StoredCall:
        """The call with its current analysis. Raises CallNotFound."""
        with self._database.snapshot() as session:
            record = _found(CallRepository(session).get(call_id), call_id)
            return StoredCall(record, ResultRepository(session).current(call_id))

    def finished(self, call_id: str) -> tuple[CallRecord, Analysis]:
        """The call and its current analysis. Raises CallNotFound, or CallNotReady where there is none."""
        stored = self.read(call_id)
        if not stored.record.status.is_complete or stored.analysis is None:
            raise CallNotReady(f"call {call_id} is {stored.record.status}")
        return stored.record, stored.analysis

    def page(
        self, filters: CallFilter, limit: int, cursor: str | None
    ) -> tuple[tuple[CallSummary, ...], str | None]:
        """Newest first. Raises ValidationFailed for a cursor that this service did not make."""
        return self._database.read(lambda session: CallRepository(session).page(filters, limit, cursor))

    def digests(self, filters: CallFilter) -> Iterator[CallDigest]:
        """Every call that the filters leave, newest first, read a page at a time."""
        cursor: str | None = None
        while True:
            found, cursor = self._digest_page(filters, cursor)
            yield from found
            if cursor is None:
                return

    def _digest_page(
        self, filters: CallFilter, cursor: str | None
    ) -> tuple[tuple[CallDigest, ...], str | None]:
        return self._database.read(lambda session: read_digest_page(session, filters, cursor))

    def delete(self, call_id: str) -> None:
        """Remove everything that is kept of the call. Raises CallNotFound."""
        with self._database.session() as session:
            record = _found(CallRepository(session).delete(call_id), call_id)
        self._forget_elsewhere(call_id)
        if record.audio_key:
            self._storage.delete(record.audio_key)


def new_call_id(clock: Callable[[], float] = time.time) -> str:
    """An id that sorts by the time it was made: milliseconds, then 64 random bits, in hexadecimal."""
    return f"call-{int(clock() * 1000):012x}-{secrets.token_hex(8)}"


def fingerprint(audio_sha256: str, options: CallOptions) -> str:
    """SHA-256 over the recording's own and every option that alters its result."""
    asked = {name: value for name, value in asdict(options).items() if value is not None}
    # The language stands in it even when it was not given: so it was before there were other options.
    told = {"language": "", **asked}
    return sha256(
        "\x00".join([audio_sha256, *(f"{name}={told[name]}" for name in told)]).encode()
    ).hexdigest()


def _found(record: CallRecord | None, call_id: str) -> CallRecord:
    if record is None:
        raise CallNotFound(f"there is no call {call_id}")
    return record


def _interrupted(stage: str | None) -> Failure:
    error = CallInterrupted()
    return Failure(error.code, stage, error.detail, error.status)


def _now() -> datetime:
    return datetime.now(UTC)
