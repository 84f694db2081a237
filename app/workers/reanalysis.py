"""Analyses stored calls again, behind all other work and a bounded number at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event

from app.core.exceptions import CallNotFound, CallNotReady, CallUnfinished, TextDeleted
from app.schemas.call import Queue
from app.services.reanalysis_service import ReanalysisService
from app.workers.bell import Bell

MOST_WAITING = 200
PAGE = 100
POLL_S = 0.5


@dataclass(frozen=True)
class Wanted:
    """Calls that came in from ``since`` to before ``until``, the oldest ``limit`` of them."""

    since: datetime
    until: datetime
    limit: int | None = None
    playbook: str | None = None
    revision: str | None = None


@dataclass
class Tally:
    """What became of the calls so far; ``failed``: why each of these failed."""

    queued: int = 0
    done: int = 0
    passed_over: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Reanalysis:
    """One run; ``stopping`` ends it early, and what is queued then stays so."""

    def __init__(
        self,
        service: ReanalysisService,
        bell: Bell,
        stopping: Event,
        tell: Callable[[Tally], None] = lambda _: None,
        *,
        wait: bool = True,
    ) -> None:
        """``tell`` is told how far it is. Without ``wait`` the calls are queued and left to others."""
        self._service = service
        self._bell = bell
        self._stopping = stopping
        self._tell = tell
        self._wait = wait
        self._outstanding: set[str] = set()
        self.tally = Tally()

    def run(self, wanted: Wanted) -> Tally:
        """Raises UnknownPlaybook, PlaybookInvalid and DatabaseUnavailable."""
        self._service.check_playbook(wanted.playbook, wanted.revision)
        for call_id in self._calls(wanted):
            while self._is_full() and not self._stopping.is_set():
                self._pause()
            if self._stopping.is_set():
                return self.tally
            self._queue(call_id, wanted)
        while self._outstanding and not self._stopping.is_set():
            self._pause()
        return self.tally

    def _calls(self, wanted: Wanted) -> Iterator[str]:
        after, left = None, wanted.limit
        while left is None or left > 0:
            page = self._service.due(wanted.since, wanted.until, after, min(PAGE, left or PAGE))
            yield from (call_id for _, call_id in page)
            if not page:
                return
            after = page[-1]
            left = None if left is None else left - len(page)

    def _queue(self, call_id: str, wanted: Wanted) -> None:
        try:
            self._service.queue(call_id, wanted.playbook, wanted.revision, queue=Queue.BULK)
        except (CallNotFound, CallUnfinished, CallNotReady, TextDeleted):  # since the page was read
            self.tally.passed_over += 1
            return
        self._bell.ring(call_id, Queue.BULK)
        self.tally.queued += 1
        if self._wait:
            self._outstanding.add(call_id)

    def _is_full(self) -> bool:
        return len(self._outstanding) >= MOST_WAITING or self._service.waiting() >= MOST_WAITING

    def _pause(self) -> None:
        self._stopping.wait(POLL_S)
        known = self._service.records(tuple(self._outstanding)) if self._outstanding else {}
        for call_id in tuple(self._outstanding):
            record = known.get(call_id)
            if record is not None and not record.status.is_final:
                continue
            self._outstanding.remove(call_id)
            if record is None:  # deleted
                self.tally.queued -= 1
                self.tally.passed_over += 1
            elif record.failure is not None:
                self.tally.failed[call_id] = record.failure.code
            else:
                self.tally.done += 1
        self._tell(self.tally)
