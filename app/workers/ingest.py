"""Loads a back catalogue: takes recordings in, a bounded number at a time, and follows their calls."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import TypeVar

from app.core.exceptions import AppError, AudioRejected, InputError, InsufficientStorage, Unavailable
from app.schemas.call import CallRecord, NewCall, Queue
from app.schemas.catalogue import Catalogue, Outcome, Recording, Settled
from app.schemas.engine import EngineState
from app.services.call_service import Intake
from app.services.catalogue_service import CatalogueService, Next
from app.workers.bell import Bell
from app.workers.ingest_progress import Audience, Pace, Stopping, Tally
from app.workers.runtime import Runtime

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_WAITING = 200
"""Old recordings that wait at a time, whoever brought them: the rest stays where it is."""
LOOKED_UP = 100
"""Calls that one look at the database is about."""
POLL_S = 1.0
AGAIN_S = 2.0
PATIENCE_S = 600.0
"""How long a database, a storage or a disk without room is waited for."""
UNTOUCHED_S = 15.0
"""Calls that wait so long while none is in work are told of."""
MOST_FAILURES_IN_A_ROW = 20
"""Failures of the service, not of recordings: then something is wrong with it, and the rest is spared."""


class Ingest:
    """One run through a catalogue; ``stopping`` ends it early, from any thread."""

    def __init__(
        self,
        service: CatalogueService,
        bell: Bell,
        audience: Audience,
        stopping: Stopping,
        *,
        retry_failed: bool = False,
        wait: bool = True,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Without ``wait`` calls are queued and left to others."""
        self._service = service
        self._bell = bell
        self._audience = audience
        self._stopping = stopping
        self._retry_failed = retry_failed
        self._wait = wait
        self._patience_s = patience_s
        self.tally = Tally()
        self.pace = Pace()
        self.halted_by: str | None = None
        """The failure that so many calls in a row ended with that the run was stopped."""
        self._failures_in_a_row = 0
        self._outstanding: dict[str, Recording] = {}
        self._room = 0
        self._looked_at = -POLL_S
        self._touched_at = time.monotonic()

    def run(self, catalogue: Catalogue) -> None:
        """Returns when all is done or ``stopping`` is set.

        Raises DatabaseUnavailable, StorageUnavailable or InsufficientStorage that was waited for in vain.
        """
        self.tally.total = len(catalogue.recordings) + len(catalogue.settled)
        for settled in catalogue.settled:
            self._settle(settled)
        try:
            for start in range(0, len(catalogue.recordings), LOOKED_UP):
                self._take_in_all(catalogue.recordings[start : start + LOOKED_UP])
            while self._outstanding and not self._stopping.is_set():
                self._pause()
        except (Unavailable, InsufficientStorage):
            if not self._stopping.is_set():
                raise
        finally:
            self._audience.update(self.tally, self.pace, None)

    def look_back(self) -> None:
        """See once more what has ended, after those who work here have stopped."""
        if self._outstanding:
            with suppress(AppError):
                self._look()

    def _take_in_all(self, recordings: Sequence[Recording]) -> None:
        if self._stopping.is_set():
            return
        call_ids = [recording.call_id for recording in recordings]
        known = self._patiently(lambda: self._service.known(call_ids))
        for recording in recordings:
            if self._stopping.is_set():
                return
            self._look_now_and_then()
            try:
                record = known.get(recording.call_id)
                standing = self._service.standing(recording, record, retry_failed=self._retry_failed)
                if standing is Next.TAKE_IN:
                    self._take_in(recording)
                elif standing is Next.WAIT_FOR:
                    self._follow(recording)
                else:
                    self._settle(standing)
            except InputError as error:
                self._settle(_refused(recording, error))

    def _take_in(self, recording: Recording) -> None:
        while self._room <= 0:
            if self._stopping.is_set():
                return
            self._pause()
        self._patiently(self._service.check_room)
        new: NewCall = self._patiently(lambda: self._service.store(recording))
        intake = self._patiently(lambda: self._service.take_in(new))
        if intake is Intake.STARTED:
            self._room -= 1
            self._bell.ring(new.call_id, Queue.BULK)
        if intake is Intake.REPLAYED:
            self._settle(Settled(recording.name, Outcome.PRESENT))
        else:
            self._follow(recording)

    def _follow(self, recording: Recording) -> None:
        if self._wait:
            self._outstanding[recording.call_id] = recording
            self.tally.outstanding = len(self._outstanding)
        else:
            self._settle(Settled(recording.name, Outcome.QUEUED))

    def _settle(self, settled: Settled) -> None:
        self.tally.add(settled)
        self._audience.settled(settled)

    def _pause(self) -> None:
        self._look_now_and_then()
        self._stopping.wait(POLL_S / 4)

    def _look_now_and_then(self) -> None:
        now = time.monotonic()
        if now - self._looked_at < POLL_S:
            return
        self._looked_at = now
        self._look()
        note = None
        if self.tally.waiting and now - self._touched_at > UNTOUCHED_S:
            note = "nobody has begun one for a while: is a service or a worker running?"
        self._audience.update(self.tally, self.pace, note)

    def _look(self) -> None:
        """See what has ended, and for how many more there is room."""
        call_ids = tuple(self._outstanding)
        known = self._patiently(lambda: self._service.known(call_ids)) if call_ids else {}
        for call_id in call_ids:
            record = known.get(call_id)
            settled = self._service.settled(self._outstanding[call_id], record)
            if settled is not None:
                del self._outstanding[call_id]
                self.pace.add()
                self._settle(settled)
                self._watch_failures(record)
        self.tally.outstanding = len(self._outstanding)
        waiting, self.tally.in_work = self._patiently(self._service.queue)
        if self.tally.in_work or not waiting or MOST_WAITING - waiting > self._room:
            self._touched_at = time.monotonic()
        self.tally.waiting, self._room = waiting, MOST_WAITING - waiting

    def _watch_failures(self, record: CallRecord | None) -> None:
        failure = record.failure if record is not None else None
        if failure is None or failure.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            self._failures_in_a_row = 0
            return
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= MOST_FAILURES_IN_A_ROW:
            self.halted_by = failure.code
            self._stopping.set()

    def _patiently(self, action: Callable[[], T]) -> T:
        """What is away or full is waited for, but not for ever."""
        until = time.monotonic() + self._patience_s
        told = None
        while True:
            try:
                return action()
            except (Unavailable, InsufficientStorage) as error:
                if self._stopping.is_set() or time.monotonic() >= until:
                    raise
                if error.code != told:
                    told = error.code
                    log.warning("ingest.waits", extra={"code": error.code})
                self._audience.update(self.tally, self.pace, f"waits: {error.detail}")
                self._stopping.wait(AGAIN_S)


def _refused(recording: Recording, error: AppError) -> Settled:
    """Without a table any file may lie in a folder; what a table names has to be a recording."""
    is_skipped = isinstance(error, AudioRejected) and not recording.is_asked_for
    outcome = Outcome.SKIPPED if is_skipped else Outcome.FAILED
    return Settled(recording.name, outcome, error.code, error.detail)


def await_engines(runtime: Runtime, stopping: Stopping, tell: Callable[[str], None]) -> tuple[str, ...]:
    """Wait for engines that are being fetched or loaded: a catalogue is worth the better ones.

    Returns what is to be said of those that answer in their place. Raises EngineUnavailable.
    """
    told = False
    while not stopping.is_set() and (awaited := ", ".join(_awaited(runtime))):
        if not told:
            tell(f"Waits for {awaited}.")
        told = True
        stopping.wait(POLL_S / 4)
    if stopping.is_set():
        return ()
    runtime.check_engines()
    choices = runtime.engines.choose().degraded
    return tuple(f"{choice.stage} is done by {choice.label}: {choice.reason}" for choice in choices)


def _awaited(runtime: Runtime) -> Iterator[str]:
    """Engines on their way that come before those that can answer now."""
    for stage, views in runtime.engines.views().items():
        for view in views:
            if view.state is EngineState.READY:
                break
            if view.state is EngineState.LOADING:
                yield f"{stage} {view.label}"
