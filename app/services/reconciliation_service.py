"""Brings recordings and calls together again, where a crash or a hand came between them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.core.clock import Clock, utc_now
from app.db.repositories.recordings import RecordingRepository
from app.db.session import Database
from app.schemas.retention import KeptRecording, Reconciled
from app.storage.base import ListedFile
from app.storage.removals import RemovalKeeper

log = logging.getLogger(__name__)

MOST_AT_A_TIME = 50_000
"""Keys that a pass looks at; the next one goes on from there."""
PAGE = 1000
MARKS_AT_A_TIME = 100
LEAST_AGE = timedelta(hours=1)
"""Younger recordings without a call may belong to one that is just coming in."""
RECHECK_S = 60.0
FEW = 20
"""So many recordings without a call are removed whatever the rest looks like."""


@dataclass
class _Differences:
    """What a pass found; ``stopped_at`` is the last key that it looked at, empty at the end of all."""

    matched: int = 0
    orphans: list[str] = field(default_factory=list)
    missed: list[KeptRecording] = field(default_factory=list)
    back: list[KeptRecording] = field(default_factory=list)
    stopped_at: str = ""


class ReconciliationService:
    """Looks at both sides in the order of their keys, page by page, and remembers where it stopped.

    A file that no row names is removed, a call whose recording is missing is marked, and the mark taken away
    when it is back. Not thread-safe; several processes may do it at once.
    """

    def __init__(
        self,
        database: Database,
        storage: RemovalKeeper,
        *,
        clock: Clock = utc_now,
        most_at_a_time: int = MOST_AT_A_TIME,
    ) -> None:
        self._database = database
        self._storage = storage
        self._clock = clock
        self._most_at_a_time = most_at_a_time
        self._stopped_at = ""

    def run(self, pause: Callable[[float], bool]) -> Reconciled:
        """One pass. Recordings without a call are looked up again after a ``pause`` of so many seconds, and
        stay where that returns True: the service stops.

        Raises DatabaseUnavailable and StorageUnavailable; the next pass then begins where this one began.
        """
        found = self._compare(self._stopped_at)
        # Asked for one by one: some may have come since the storage was listed.
        gone = [recording for recording in found.missed if not self._storage.exists(recording.key)]
        missed = self._mark(gone, self._clock())
        back = self._mark(found.back, None)
        removed = self._remove(found, pause)
        self._stopped_at = found.stopped_at
        result = Reconciled(
            found.matched, len(found.orphans), removed, missed, back, ended=not found.stopped_at
        )
        log.info(
            "recordings.compared",
            extra={"matched": found.matched, "orphans": len(found.orphans), "removed": removed},
        )
        if missed or back:
            log.warning("recordings.missing", extra={"missed": missed, "back": back})
        return result

    def _compare(self, after: str) -> _Differences:
        found = _Differences()
        youngest = self._clock() - LEAST_AGE
        pairs = _side_by_side(self._storage.listed(after), self._recordings(after))
        for count, (file, recording) in enumerate(pairs):
            if count == self._most_at_a_time:
                return found
            if file is None:
                assert recording is not None
                # What was made from recordings has no mark: it is made anew, or who wants to hear it is told.
                if recording.call_id is not None and not recording.is_missed:
                    found.missed.append(recording)
                found.stopped_at = recording.key
                continue
            found.stopped_at = file.key
            if recording is not None:
                found.matched += 1
                if recording.is_missed:
                    found.back.append(recording)
            elif file.stored_at < youngest:
                found.orphans.append(file.key)
        found.stopped_at = ""
        return found

    def _recordings(self, after: str) -> Iterator[KeptRecording]:
        while True:
            with self._database.snapshot() as session:
                page = RecordingRepository(session).page(after, PAGE)
            yield from page
            if len(page) < PAGE:
                return
            after = page[-1].key

    def _mark(self, recordings: Sequence[KeptRecording], missed_at: datetime | None) -> int:
        marked = 0
        for start in range(0, len(recordings), MARKS_AT_A_TIME):
            with self._database.session() as session:
                repository = RecordingRepository(session)
                for recording in recordings[start : start + MARKS_AT_A_TIME]:
                    marked += repository.mark(recording, missed_at)
        return marked

    def _remove(self, found: _Differences, pause: Callable[[float], bool]) -> int:
        orphans = found.orphans
        if not orphans:
            return 0
        if len(orphans) > FEW and len(orphans) > found.matched:
            # Another database than the one that these recordings belong to, or a restored older one.
            log.error(
                "recordings.too_many_without_call",
                extra={"recordings": len(orphans), "matched": found.matched},
            )
            return 0
        if pause(RECHECK_S):
            return 0
        removed = 0
        for start in range(0, len(orphans), PAGE):
            batch = orphans[start : start + PAGE]
            with self._database.snapshot() as session:
                known = RecordingRepository(session).known(batch)
            without_call = [key for key in batch if key not in known]
            self._storage.delete_all(without_call)
            removed += len(without_call)
        log.warning("recordings.removed", extra={"recordings": removed})
        return removed


def _side_by_side(
    files: Iterator[ListedFile], recordings: Iterator[KeptRecording]
) -> Iterator[tuple[ListedFile | None, KeptRecording | None]]:
    """Both sides in the order of their keys, None where one of them lacks the other's key."""
    file, recording = next(files, None), next(recordings, None)
    while file is not None or recording is not None:
        if recording is None or (file is not None and file.key < recording.key):
            yield file, None
            file = next(files, None)
        elif file is None or recording.key < file.key:
            yield None, recording
            recording = next(recordings, None)
        else:
            yield file, recording
            file, recording = next(files, None), next(recordings, None)
