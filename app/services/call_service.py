"""Use cases around calls: take one in, move it through its states, read, list and delete."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from app.core.clock import utc_now
from app.core.exceptions import (
    AudioGone,
    Busy,
    CallExists,
    CallFinished,
    CallNotFound,
    CallNotReady,
    CallUnfinished,
    IdempotencyKeyReused,
)
from app.db.repositories.calls import CallRepository
from app.db.repositories.checkpoints import CheckpointRepository
from app.db.repositories.claims import ClaimRepository
from app.db.repositories.digests import read_digest_page
from app.db.repositories.figures import FigureRepository
from app.db.repositories.idempotency_keys import IdempotencyKeyRepository, KnownRequest
from app.db.repositories.results import ResultRepository
from app.db.repositories.reviews import ReviewRepository
from app.db.session import Database
from app.schemas.analysis import Analysis, CallStatus
from app.schemas.call import CallFilter, CallOptions, CallRecord, CallSummary, NewCall, Queue, RequestKey
from app.schemas.correction import CorrectText
from app.schemas.digest import CallDigest
from app.schemas.guards import found_call, refuse_if_held, refuse_without_words
from app.schemas.heard import Heard
from app.schemas.review import MomentReview
from app.services.room import Room
from app.services.text_edits import texts_of
from app.storage.base import Storage

KEYS_KEPT = timedelta(hours=48)
_MOST_RACES = 5


class _KeyJustTaken(Exception):
    """Another request with the same key came first; it is committed by now."""


class Intake(StrEnum):
    """What became of an upload: new work, a wait for the same work, or a result that is there already."""

    STARTED = "started"
    JOINED = "joined"
    REPLAYED = "replayed"


class RerunFrom(StrEnum):
    """The stage that a rerun starts with: the one that failed, else the first, or one that is asked for."""

    BROKEN = "broken"
    TRANSCRIPTION = "transcription"
    DIARIZATION = "diarization"
    ANALYSIS = "analysis"

    def of(self, heard: Heard | None) -> Heard | None:
        """What of ``heard`` is kept; None: everything is to be heard again."""
        if heard is None or self is RerunFrom.TRANSCRIPTION:
            return None
        if self is RerunFrom.DIARIZATION or "diarization" in heard.failed_stages:
            return heard.without("diarization")
        return heard


@dataclass(frozen=True)
class StoredCall:
    """A call, its current analysis, None while there is none, its place in the queue while it waits, the
    verdicts on its moments, and the corrections of its text."""

    record: CallRecord
    analysis: Analysis | None
    queue_position: int | None = None
    reviews: tuple[MomentReview, ...] = ()
    corrections: tuple[CorrectText, ...] = ()


@dataclass(frozen=True)
class Accepted:
    """What became of an upload, and the call that it is about, as it is now.

    ``by_key``: an earlier request came with the same Idempotency-Key.
    """

    record: CallRecord
    queue_position: int | None
    intake: Intake
    by_key: bool = False

    @property
    def call_id(self) -> str:
        return self.record.call_id


class CallService:
    """Takes calls in, reads and deletes them. Each method is one transaction. Thread-safe."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        *,
        room: Room,
        forget_elsewhere: Callable[[str], None],
    ) -> None:
        """``forget_elsewhere`` removes what others keep of a call that was deleted; it raises nothing."""
        self._database = database
        self._storage = storage
        self._room = room
        self._forget_elsewhere = forget_elsewhere

    def check_room(self) -> None:
        """Raises Busy when one more call would not be taken."""
        with self._database.snapshot() as session:
            self._room.check(ClaimRepository(session))

    def accept(self, new: NewCall, key: RequestKey | None = None) -> Accepted:
        """Take in a recording that is stored already.

        Raises Busy, CallExists when the id belongs to another recording, IdempotencyKeyReused, and LegalHold
        where starting over would remove what is held. The stored file of ``new`` is in use only after
        ``STARTED``.
        """
        for _ in range(_MOST_RACES):
            try:
                with self._database.session() as session:
                    keys = IdempotencyKeyRepository(session)
                    calls, claims = CallRepository(session), ClaimRepository(session)
                    accepted, abandoned_key = self._accept(calls, claims, keys, new, key)
                break
            except _KeyJustTaken:
                continue
        else:
            raise Busy("the same Idempotency-Key is being sent by many at once", retry_after_s=1)
        if abandoned_key:
            self._storage.delete(abandoned_key)
        return accepted

    def _accept(
        self,
        calls: CallRepository,
        claims: ClaimRepository,
        keys: IdempotencyKeyRepository,
        new: NewCall,
        key: RequestKey | None,
    ) -> tuple[Accepted, str | None]:
        """In one transaction; also the key of a recording that is of no more use."""
        known = keys.get(key.key) if key else None
        if key and known:
            if known.fingerprint != key.fingerprint:
                raise IdempotencyKeyReused("this Idempotency-Key was sent with another request")
            new = replace(new, call_id=known.call_id)
        intake, abandoned_key = self._place(calls, claims, new, by_key=known is not None)
        if key and not known and not keys.add(key.key, KnownRequest(key.fingerprint, new.call_id), utc_now()):
            raise _KeyJustTaken
        record = found_call(calls.get(new.call_id), new.call_id)
        return Accepted(record, claims.position(record), intake, known is not None), abandoned_key

    def _place(
        self, calls: CallRepository, claims: ClaimRepository, new: NewCall, *, by_key: bool
    ) -> tuple[Intake, str | None]:
        earlier = calls.lock(new.call_id)
        if earlier is None:
            self._room.check(claims, new.queue)
            if calls.insert(new, utc_now()):
                return Intake.STARTED, None
            earlier = calls.lock(new.call_id)
        if earlier is None:  # deleted between the two statements
            raise Busy(f"call {new.call_id} was being deleted; send it again", retry_after_s=1)
        if _starts_over(earlier, by_key=by_key):
            refuse_if_held(earlier)
            self._room.check(claims, new.queue)
            calls.restart(new, utc_now())
            return Intake.STARTED, earlier.audio_key
        if earlier.fingerprint != new.fingerprint:
            raise CallExists(f"call id {new.call_id} belongs to another recording or other options")
        return Intake.REPLAYED if earlier.status.is_final else Intake.JOINED, None

    def rerun(self, call_id: str, start: RerunFrom) -> CallRecord:
        """Do a finished call again, from the stage ``start``; its result stays until there is a new one.

        Raises CallNotFound, CallUnfinished, TextDeleted, Busy, and AudioGone where the recording is needed
        and gone.
        """
        with self._database.session() as session:
            calls, checkpoints = CallRepository(session), CheckpointRepository(session)
            record = found_call(calls.lock(call_id), call_id)
            heard = start.of(checkpoints.get(call_id))
            if not record.status.is_final:
                raise CallUnfinished(f"call {call_id} is {record.status}")
            refuse_without_words(record)
            if record.audio_key is None and (heard is None or heard.turns is None):
                raise AudioGone(f"the recording of call {call_id} is no longer kept")
            self._room.check(ClaimRepository(session))
            if heard is None:
                checkpoints.drop(call_id)
            else:
                checkpoints.put(call_id, heard, utc_now())
            needs_audio = heard is None or heard.turns is None
            calls.rerun(call_id, Queue.TRANSCRIBE if needs_audio else Queue.ANALYZE, utc_now())
            return found_call(calls.get(call_id), call_id)

    def cancel(self, call_id: str) -> CallRecord:
        """Stop an unfinished call, whoever works on it. Raises CallNotFound and CallFinished."""
        with self._database.session() as session:
            calls = CallRepository(session)
            record = found_call(calls.lock(call_id), call_id)
            if not ClaimRepository(session).cancel(call_id, utc_now()):
                raise CallFinished(f"call {call_id} is {record.status}")
            return found_call(calls.get(call_id), call_id)

    def progress(self, call_id: str) -> tuple[CallRecord, int | None]:
        """The call's state and its place in the queue, None unless it waits. Raises CallNotFound."""
        with self._database.snapshot() as session:
            record = found_call(CallRepository(session).get(call_id), call_id)
            return record, ClaimRepository(session).position(record)

    def states(self, call_ids: Sequence[str]) -> dict[str, tuple[CallRecord, int | None]]:
        """``progress`` of all these calls at once; those that are not there are missing."""
        with self._database.snapshot() as session:
            records = CallRepository(session).get_many(call_ids)
            waiting = [record.call_id for record in records if record.is_waiting]
            positions = ClaimRepository(session).positions(waiting) if waiting else {}
            return {record.call_id: (record, positions.get(record.call_id)) for record in records}

    def forget_old_keys(self, now: datetime) -> int:
        """Remove Idempotency-Keys that were kept long enough; returns how many."""
        with self._database.session() as session:
            return IdempotencyKeyRepository(session).forget_before(now - KEYS_KEPT)

    # One call is read from the primary, lists from the replica. A replica that does not know a call yet could
    # be made up for, but not one that knows an older state of it: a percentage would fall, a correction just
    # made be gone. It is a look by key, which costs the primary little.

    def record(self, call_id: str) -> CallRecord:
        """Raises CallNotFound."""
        with self._database.snapshot() as session:
            return found_call(CallRepository(session).get(call_id), call_id)

    def read(self, call_id: str) -> StoredCall:
        """The call with its current analysis. Raises CallNotFound."""
        with self._database.snapshot() as session:
            record = found_call(CallRepository(session).get(call_id), call_id)
            position = ClaimRepository(session).position(record)
            analysis, edits = ResultRepository(session).current_with_edits(call_id)
            reviews = ReviewRepository(session).of_call(call_id)
            return StoredCall(record, analysis, position, reviews, texts_of(edits))

    def finished(self, call_id: str, *, needs_words: bool = True) -> tuple[CallRecord, Analysis]:
        """The call and its current analysis.

        Raises CallNotFound, CallNotReady where there is none, and where words are needed that were deleted
        TextDeleted.
        """
        stored = self.read(call_id)
        if stored.analysis is None:
            raise CallNotReady(f"call {call_id} is {stored.record.status}")
        if needs_words:
            refuse_without_words(stored.record)
        return stored.record, stored.analysis

    def page(
        self, filters: CallFilter, limit: int, cursor: str | None
    ) -> tuple[tuple[CallSummary, ...], str | None]:
        """Newest first. Raises ValidationFailed for a cursor that this service did not make."""
        return self._database.read(lambda session: CallRepository(session).page(filters, limit, cursor))

    def summary(self, call_id: str) -> CallSummary:
        """The call as a line of a list. Raises CallNotFound."""
        with self._database.snapshot() as session:
            return found_call(CallRepository(session).summary(call_id), call_id)

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

    def assign(self, call_id: str, parties: Mapping[str, str | None]) -> None:
        """Say whose call it is: `agent_id`, `team_id`, `customer_id`, None where nobody is known; those that
        are not named stay. Raises CallNotFound."""
        with self._database.session() as session:
            if not CallRepository(session).assign(call_id, parties):
                raise CallNotFound(f"there is no call {call_id}")
            FigureRepository(session).assign(call_id)

    def delete(self, call_id: str) -> None:
        """Remove everything that is kept of the call. Raises CallNotFound and LegalHold."""
        with self._database.session() as session:
            removed = found_call(CallRepository(session).delete(call_id), call_id)
        self._forget_elsewhere(call_id)
        with ExitStack() as each:  # the next one too where one cannot be removed
            for key in removed.file_keys:
                each.callback(self._storage.delete, key)


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


def _starts_over(call: CallRecord, *, by_key: bool) -> bool:
    """Whether sending a call again begins it anew.

    What a key stands for is told again, unless it was a failure of ours.
    """
    if call.status is CallStatus.CANCELLED:
        return not by_key
    is_ours = call.failure is None or call.failure.status >= 500
    return call.status is CallStatus.FAILED and (is_ours or not by_key)
