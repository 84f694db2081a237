"""Rendered reels that are kept: in the storage, under rows that go when one of their calls does."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

from app.core.clock import Clock, utc_now
from app.core.exceptions import AppError, AudioDeleted, CallNotFound, ReelNotFound, StorageUnavailable
from app.db.repositories.calls import CallRepository
from app.db.repositories.reels import ReelRepository
from app.db.session import Database
from app.schemas.call import CallRecord
from app.schemas.guards import refuse_without_words
from app.schemas.reel import Reel
from app.storage.base import StoredFile
from app.storage.removals import RemovalKeeper

log = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
REMOVED_AT_A_TIME = 100


class ReelShelf:
    """Thread-safe, in any number of processes. ``kept`` bounds the age of a reel, ``limit_bytes`` all of them
    together: the oldest go."""

    def __init__(
        self,
        database: Database,
        storage: RemovalKeeper,
        *,
        kept: timedelta,
        limit_bytes: int,
        clock: Clock = utc_now,
    ) -> None:
        self._database = database
        self._storage = storage
        self._kept = kept
        self._limit_bytes = limit_bytes
        self._clock = clock

    def find(self, reel_id: str) -> Reel | None:
        """None also for one that is too old, or whose call was deleted or analysed anew."""
        with self._database.snapshot() as session:
            reel = ReelRepository(session).get(reel_id)
        return reel if reel is not None and reel.created_at >= self._clock() - self._kept else None

    def read(self, reel: Reel, first: int, count: int) -> Iterator[bytes]:
        """``count`` bytes from the byte ``first`` on. Raises ReelNotFound and StorageUnavailable."""
        try:
            return self._storage.read(reel.audio_key, first, count)
        except StorageUnavailable:
            if self._storage.exists(reel.audio_key):
                raise
            raise ReelNotFound(f"the file of reel {reel.reel_id} is missing") from None

    def is_there(self, reel: Reel) -> bool:
        """Whether its file is."""
        return self._storage.exists(reel.audio_key)

    def store(self, path: Path) -> StoredFile:
        """Put the file of a reel into the storage; until ``keep`` it belongs to nobody."""
        writer = self._storage.create()
        try:
            with path.open("rb") as file:
                while chunk := file.read(READ_BYTES):
                    writer.write(chunk)
            return writer.commit()
        except BaseException:
            writer.discard()
            raise

    def keep(self, reel: Reel, calls: Sequence[CallRecord], *, needs_recording: bool) -> None:
        """Keep a reel whose file is stored, for as long as ``calls`` are as they were.

        Raises CallNotFound, TextDeleted or AudioDeleted where one is not any more; the file is removed then.
        """
        try:
            with self._database.session() as session:
                repository = CallRepository(session)
                # In one order, so that no two wait for one another.
                for call in sorted(calls, key=lambda each: each.call_id):
                    _check_unchanged(call, repository.lock(call.call_id), needs_recording=needs_recording)
                unused = ReelRepository(session).put(reel, [call.call_id for call in calls])
        except BaseException:
            self._storage.delete(reel.audio_key)
            raise
        if unused is not None:
            self._storage.delete(unused)
        self.remove_due()

    def remove_due(self) -> int:
        """Remove the files of withdrawn, old and too many reels; returns how many.

        Its own trouble is nobody's: what is left is removed the next time.
        """
        removed = 0
        try:
            while keys := self._due():
                self._storage.delete_all(keys)
                with self._database.session() as session:
                    removed += ReelRepository(session).remove(keys)
        except AppError as error:
            log.error("reels.not_removed", extra={"code": error.code, "detail": error.detail})
        if removed:
            log.info("reels.removed", extra={"reels": removed})
        return removed

    def _due(self) -> tuple[str, ...]:
        before = self._clock() - self._kept
        with self._database.snapshot() as session:
            return ReelRepository(session).due(before, self._limit_bytes, REMOVED_AT_A_TIME)


def _check_unchanged(call: CallRecord, now: CallRecord | None, *, needs_recording: bool) -> None:
    if now is None or now.audio_sha256 != call.audio_sha256:
        raise CallNotFound(f"call {call.call_id} was deleted meanwhile")
    refuse_without_words(now)
    if needs_recording and now.audio_key is None:
        raise AudioDeleted(f"the recording of call {call.call_id} was removed meanwhile")
