"""Works on waiting calls in this process: a few threads that take them from the database, and a bell."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.clock import utc_now
from app.core.exceptions import AppError, DatabaseUnavailable
from app.core.logging import log_fields
from app.schemas.call import Claim, Queue
from app.services.work_service import Work, WorkService
from app.workers.progress import Progress
from app.workers.tasks import CallTask, describe

log = logging.getLogger(__name__)

IDLE_S = 1.0
"""Calls of other processes on the same database ring no bell here."""
LAST_WORDS_S = 2.0


@dataclass(frozen=True)
class _InWork:
    progress: Progress
    queue: Queue


class JobRunner:
    """At most ``slots`` calls in work at a time; work goes on whether or not a client waits. Thread-safe.

    Old recordings leave one slot free where other calls are served too, so that a new call finds it at once.
    """

    def __init__(
        self,
        work: WorkService,
        task: CallTask,
        *,
        slots: int,
        queues: Sequence[Queue],
        max_attempts: int,
        may_take: Callable[[], bool] = lambda: True,
        on_change: Callable[[], None] = lambda: None,
        on_left: Callable[[str, Queue], None] = lambda _call_id, _queue: None,
    ) -> None:
        """``may_take``: whether calls can be worked on now. ``on_change`` is called whenever the work on a
        call has begun or ended here; ``on_left`` is told of a call that waits again, maybe for others."""
        self._work = work
        self._task = task
        self._slots = slots
        self._queues = tuple(queues)
        self._max_attempts = max_attempts
        self._may_take = may_take
        self._on_change = on_change
        self._on_left = on_left
        self._most_old = slots if self._queues == (Queue.BULK,) else max(1, slots - 1)
        self._bell = threading.Condition()
        self._rings = 0
        self._idle = 0
        self._woken = 0
        self._idle_s: float | None = IDLE_S
        self._active: dict[Claim, _InWork] = {}
        self._busy = 0
        self._old_in_work = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self.claimed_at: datetime | None = None
        """When a call was taken last."""
        self.ended = 0
        """Calls whose work has ended here, however it did."""

    def active(self) -> tuple[tuple[Claim, Progress], ...]:
        """The calls in work here; one that was cancelled and begun anew may be there twice for a moment."""
        with self._lock:
            return tuple((claim, work.progress) for claim, work in self._active.items())

    def open_queues(self) -> frozenset[Queue]:
        """The queues from which one more call would be taken now."""
        with self._lock:
            active = [work.queue for work in self._active.values()]
        if self._stopping.is_set() or len(active) >= self._slots or not self._may_take():
            return frozenset()
        return frozenset(self._without_old(active.count(Queue.BULK)))

    def start(self) -> None:
        """Begin to take calls, in threads of its own."""
        self._threads = [
            threading.Thread(target=self._serve, name=f"call-{number}", daemon=True)
            for number in range(self._slots)
        ]
        for thread in self._threads:
            thread.start()

    def look_every(self, seconds: float | None) -> None:
        """How long an idle thread waits for a ring before it looks all the same; None: until there is one."""
        with self._bell:
            self._idle_s = seconds
            self._bell.notify_all()

    def ring(self) -> bool:
        """A call waits: look now. False when nobody was idle; who is busy looks anyway, once that is done."""
        with self._bell:
            self._rings += 1
            if self._woken >= self._idle:
                return False
            self._woken += 1
            self._bell.notify()
            return True

    def retire(self) -> None:
        """Take no further call."""
        self._stopping.set()
        with self._bell:
            self._bell.notify_all()

    def stop(self, grace_s: float) -> None:
        """Let calls in work end within ``grace_s``; the rest is handed back for others to go on with."""
        self.retire()
        until = time.monotonic() + grace_s
        while self._is_busy() and time.monotonic() < until:
            time.sleep(0.05)
        self._hand_back()
        until = time.monotonic() + LAST_WORDS_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def work_one(self) -> bool:
        """Take the call whose turn it is and work on it to its end; False when there was none to take."""
        with self._lock:
            if self._stopping.is_set() or not self._may_take():
                return False
            self._busy += 1
        try:
            return self._work_one()
        finally:
            with self._lock:
                self._busy -= 1

    def _work_one(self) -> bool:
        with self._lock:
            queues = self._without_old(self._old_in_work)
            if Queue.BULK in queues:
                self._old_in_work += 1  # held until it is known what was taken
        work = None
        try:
            work = self._work.take(queues)
        finally:
            if Queue.BULK in queues and (work is None or work.record.queue is not Queue.BULK):
                self._let_go_of_old()
        if work is None:
            return False
        try:
            self._run(work)
        finally:
            if work.record.queue is Queue.BULK:
                self._let_go_of_old()
        return True

    def _hand_back(self) -> None:
        """What cannot be handed back for want of a database is found by those who look for lost calls."""
        with self._lock:
            unfinished = dict(self._active)
        for work in unfinished.values():
            work.progress.stop()
        try:
            for claim, work in unfinished.items():
                if self._work.hand_back(claim):
                    log.info("call.handed_back", extra={"call_id": claim.call_id})
                    self._on_left(claim.call_id, work.queue)
        except DatabaseUnavailable:
            log.warning("calls.not_handed_back")
        except AppError:
            log.exception("calls.not_handed_back")

    def _serve(self) -> None:
        while not self._stopping.is_set():
            seen, has_looked = self._rings, False
            try:
                if self.work_one():
                    continue
                has_looked = True
            except AppError as error:
                log.warning("calls.not_taken", extra={"code": error.code})
            except Exception:
                log.exception("calls.not_taken")
            self._rest(seen, has_looked=has_looked)

    def _rest(self, seen: int, *, has_looked: bool) -> None:
        """Wait for a ring, unless there was one since ``seen`` was counted."""
        with self._bell:
            if self._stopping.is_set() or (has_looked and self._rings != seen):
                return
            self._idle += 1
            self._bell.wait(self._idle_s if has_looked else IDLE_S)
            self._idle -= 1
            # Each ring wakes one. One that woke by itself may be taken for it, which costs a look at most.
            self._woken = max(0, self._woken - 1)

    def _run(self, work: Work) -> None:
        progress = self._task.follow(work, self._max_attempts)
        with self._lock:
            self._active[work.claim] = _InWork(progress, work.record.queue or Queue.TRANSCRIBE)
            self.claimed_at = utc_now()
        self._on_change()
        try:
            with log_fields(**describe(work.record)):
                left_in = self._task.run(work, progress)
            if left_in is not None:
                self._on_left(work.claim.call_id, left_in)
        finally:
            with self._lock:
                del self._active[work.claim]
                self.ended += 1
            self._on_change()

    def _without_old(self, old_in_work: int) -> list[Queue]:
        """The queues that are served, but for old recordings where enough of them are in work."""
        may_take_old = old_in_work < self._most_old
        return [queue for queue in self._queues if queue is not Queue.BULK or may_take_old]

    def _is_busy(self) -> bool:
        with self._lock:
            return self._busy > 0

    def _let_go_of_old(self) -> None:
        with self._lock:
            self._old_in_work -= 1
