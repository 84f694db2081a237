"""Use cases of whoever loads a back catalogue: what is there already, one recording in, what became of it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto
from io import BufferedReader
from pathlib import Path

from app.core.exceptions import AppError, CallExists, InputError, InsufficientStorage, UploadTooLarge
from app.db.repositories.calls import CallRepository
from app.db.repositories.claims import ClaimRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from app.schemas.call import CallRecord, NewCall, Queue
from app.schemas.catalogue import Outcome, Recording, Settled
from app.services.audio_service import AudioService
from app.services.call_service import CallService, Intake, fingerprint
from app.services.catalogue import files
from app.storage.base import Storage, StoredFile
from app.storage.intents import Intents

log = logging.getLogger(__name__)

LEAST_FREE_BYTES = 512 * 1024 * 1024
"""Old recordings stop short of a full disk: new calls, and the work on those that wait, need room too."""


class Next(Enum):
    """What is to be done about a recording that is not settled."""

    TAKE_IN = auto()
    WAIT_FOR = auto()


class CatalogueService:
    """Not thread-safe. What it takes in waits in the queue of old recordings.

    ``folders``: those of this machine that fill up, of recordings and of work.
    """

    def __init__(
        self,
        database: Database,
        storage: Storage,
        calls: CallService,
        audio: AudioService,
        intents: Intents,
        *,
        most_bytes: int,
        folders: Sequence[Path],
    ) -> None:
        self._database = database
        self._storage = storage
        self._calls = calls
        self._audio = audio
        self._intents = intents
        self._most_bytes = most_bytes
        self._folders = folders
        self._unsure: set[str] = set()

    def clear_up(self) -> None:
        """Remove what earlier runs left when they were killed. Raises AppError."""
        for noted in self._intents.abandoned():
            known = self.known(tuple(noted.values()))
            for key, call_id in noted.items():
                record = known.get(call_id)
                if record is None or record.audio_key != key:
                    self._storage.delete(key)
        self._storage.sweep()

    def close(self) -> None:
        self._intents.close()

    def known(self, call_ids: Sequence[str]) -> dict[str, CallRecord]:
        """Those of the calls that are there. Raises DatabaseUnavailable."""
        with self._database.snapshot() as session:
            return {record.call_id: record for record in CallRepository(session).get_many(call_ids)}

    def queue(self) -> tuple[int, int]:
        """How many old recordings wait, and how many are in work. Raises DatabaseUnavailable."""
        with self._database.snapshot() as session:
            claims = ClaimRepository(session)
            waiting = claims.unfinished((Queue.BULK,), waiting_only=True)
            return waiting, claims.unfinished((Queue.BULK,), waiting_only=False) - waiting

    def check_room(self) -> None:
        """Raises InsufficientStorage where the disk is nearly full."""
        for folder in self._folders:
            with suppress(OSError):
                if shutil.disk_usage(folder).free < LEAST_FREE_BYTES:
                    raise InsufficientStorage(f"less than {LEAST_FREE_BYTES >> 20} MB of the disk are free")

    def standing(
        self, recording: Recording, record: CallRecord | None, *, retry_failed: bool
    ) -> Settled | Next:
        """Where a recording stands whose call is ``record``, if there is one. Raises FileUnusable."""
        name = recording.name
        if record is None or (record.status is CallStatus.FAILED and retry_failed):
            return Next.TAKE_IN
        ended = _ended(name, record, "in an earlier run: ")
        if ended is not None and ended.outcome is not Outcome.LOADED:
            return ended
        if not self._is_same(recording, record):
            detail = f"call {record.call_id} belongs to another recording or other options"
            return Settled(name, Outcome.FAILED, CallExists.code, detail)
        # What is done elsewhere, or again, is not ours to wait for.
        return Next.WAIT_FOR if record.queue is Queue.BULK else Settled(name, Outcome.PRESENT)

    def store(self, recording: Recording) -> NewCall:
        """Check the recording and copy it into the storage, or leave nothing there.

        Raises FileUnusable, AudioRejected, UploadTooLarge, InsufficientStorage and StorageUnavailable.
        """
        with files.opened(recording.path) as source:
            size = files.size_of(source)
            head = files.first(source, self._audio.head_bytes)
            self._audio.check(head, size)
            if size > self._most_bytes:
                most_mb = self._most_bytes >> 20
                raise UploadTooLarge(f"a recording may have at most {most_mb} MB (MAX_UPLOAD_SIZE_MB)")
            return _new_call(recording, self._copy(source, recording.call_id))

    def take_in(self, new: NewCall) -> Intake:
        """Queue what was stored; bytes that are not needed go. May be repeated after it has failed.

        Raises InputError where the call cannot be, and AppError where it is not known whether it is.
        """
        key = new.audio_key
        if key in self._unsure and self._was_kept(new):
            intake = Intake.STARTED
        else:
            try:
                intake = self._calls.accept(new).intake
            except InputError:
                self._remove(key)
                raise
            except AppError:
                self._unsure.add(key)
                raise
            if intake is not Intake.STARTED:
                self._remove(key)
        self._unsure.discard(key)
        self._intents.drop(key)
        return intake

    def settled(self, recording: Recording, record: CallRecord | None) -> Settled | None:
        """What became of a call that was waited for, None while that is open."""
        if record is None:
            return Settled(recording.name, Outcome.SKIPPED, "deleted", "its call was deleted meanwhile")
        return _ended(recording.name, record)

    def _is_same(self, recording: Recording, record: CallRecord) -> bool:
        with files.opened(recording.path) as source:
            if files.size_of(source) != record.audio_bytes:
                return False
            return fingerprint(files.digest(source), recording.options) == record.fingerprint

    def _copy(self, source: BufferedReader, call_id: str) -> StoredFile:
        writer = self._storage.create()
        try:
            for chunk in files.chunks(source):
                writer.write(chunk)
            self._intents.note(writer.key, call_id)
            return writer.commit()
        except BaseException:
            writer.discard()
            self._remove(writer.key)  # a commit that failed may have come far
            raise

    def _remove(self, key: str) -> None:
        """What cannot be removed now keeps its note, and the next run removes it."""
        try:
            self._storage.delete(key)
        except AppError as error:
            log.warning("recording.not_removed", extra={"code": error.code})
            return
        self._intents.drop(key)

    def _was_kept(self, new: NewCall) -> bool:
        """Whether a change of which no answer came was made all the same."""
        record = self.known((new.call_id,)).get(new.call_id)
        if record is None:
            return False
        # A call that has failed since may have given up its recording.
        return record.audio_key == new.audio_key or not self._storage.exists(new.audio_key)


def _ended(name: str, record: CallRecord, when: str = "") -> Settled | None:
    """What became of a call, None while it is in work."""
    match record.status:
        case CallStatus.FAILED:
            code, detail = (record.failure.code, record.failure.detail) if record.failure else ("failed", "")
            return Settled(name, Outcome.FAILED, code, f"{when}{detail}")
        case CallStatus.CANCELLED:
            return Settled(name, Outcome.SKIPPED, "cancelled", f"{when}call {record.call_id} was cancelled")
        case CallStatus.COMPLETED | CallStatus.COMPLETED_WITH_WARNINGS:
            has_warnings = record.status is CallStatus.COMPLETED_WITH_WARNINGS
            return Settled(name, Outcome.LOADED, has_warnings=has_warnings)
    return None


def _new_call(recording: Recording, stored: StoredFile) -> NewCall:
    return NewCall(
        call_id=recording.call_id,
        fingerprint=fingerprint(stored.sha256, recording.options),
        audio_key=stored.key,
        audio_sha256=stored.sha256,
        audio_bytes=stored.size,
        agent_id=recording.agent_id,
        team_id=recording.team_id,
        customer_id=recording.customer_id,
        options=recording.options,
        started_at=recording.started_at,
        direction=recording.direction,
        metadata=recording.metadata,
        queue=Queue.BULK,
    )
