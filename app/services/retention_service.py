"""How long calls are kept: recordings and words go when their time is over, unless a call is held."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from app.core.clock import Clock, utc_now
from app.core.exceptions import CallNotFound
from app.db.repositories.clips import ClipRepository
from app.db.repositories.retention import RetentionRepository
from app.db.session import Database
from app.schemas.retention import Swept
from app.storage.removals import RemovalKeeper

log = logging.getLogger(__name__)

RECORDINGS_AT_A_TIME = 100
CLIPS_AT_A_TIME = 100
TEXTS_AT_A_TIME = 10
"""Calls in one transaction: thousands of words each, while others wait to write."""


class RetentionService:
    """The only place that removes for age. Age counts from when a call came in; only finished calls count.

    Thread-safe, in any number of processes.
    """

    def __init__(
        self,
        database: Database,
        storage: RemovalKeeper,
        *,
        audio_days: int | None,
        text_days: int | None,
        forget_elsewhere: Callable[[str], None],
        remove_withdrawn: Callable[[], object],
        clock: Clock = utc_now,
    ) -> None:
        """None keeps for ever. ``forget_elsewhere`` removes what others keep of a call's words,
        ``remove_withdrawn`` what was made from recordings that are gone; neither raises anything."""
        self._database = database
        self._storage = storage
        self._audio_days = audio_days
        self._text_days = text_days
        self._forget_elsewhere = forget_elsewhere
        self._remove_withdrawn = remove_withdrawn
        self._clock = clock

    def sweep(self) -> Swept:
        """Remove all that is too old. Raises DatabaseUnavailable and StorageUnavailable.

        What was not reached then is removed by the next sweep.
        """
        now = self._clock()
        texts = 0 if self._text_days is None else self._sweep_texts(now, self._text_days)
        recordings = 0 if self._audio_days is None else self._sweep_recordings(now, self._audio_days)
        clips = self._sweep_clips()
        if recordings or texts or clips:
            log.info("retention.swept", extra={"recordings": recordings, "texts": texts, "clips": clips})
        return Swept(recordings, texts, clips)

    def hold(self, call_id: str, *, held: bool) -> None:
        """Put a call under legal hold, or take it out. Raises CallNotFound."""
        with self._database.session() as session:
            if not RetentionRepository(session).hold(call_id, held=held):
                raise CallNotFound(f"there is no call {call_id}")
        log.info("call.held" if held else "call.released", extra={"call_id": call_id})

    def _sweep_texts(self, now: datetime, days: int) -> int:
        before, count = now - timedelta(days=days), 0
        while True:
            with self._database.session() as session:
                call_ids = RetentionRepository(session).delete_texts(before, now, TEXTS_AT_A_TIME)
            for call_id in call_ids:
                self._forget_elsewhere(call_id)
            count += len(call_ids)
            if len(call_ids) < TEXTS_AT_A_TIME:
                return count

    def _sweep_recordings(self, now: datetime, days: int) -> int:
        before, count = now - timedelta(days=days), 0
        while True:
            # The row first: bytes that stay behind are found, a row that promises bytes would be wrong.
            with self._database.session() as session:
                keys = RetentionRepository(session).release_recordings(before, now, RECORDINGS_AT_A_TIME)
            self._remove_withdrawn()
            self._storage.delete_all(keys)
            count += len(keys)
            if len(keys) < RECORDINGS_AT_A_TIME:
                return count

    def _sweep_clips(self) -> int:
        """Those of calls that lost recording or words, now or before, unless their consent is recorded."""
        count = 0
        while True:
            with self._database.session() as session:
                due = ClipRepository(session).take_due(CLIPS_AT_A_TIME)
            for call_id in {clip.call_id for clip in due}:
                self._forget_elsewhere(call_id)
            self._storage.delete_all([clip.audio_key for clip in due])
            count += len(due)
            if len(due) < CLIPS_AT_A_TIME:
                return count
