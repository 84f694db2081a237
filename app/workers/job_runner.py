"""Works on waiting calls in this process: a few threads that take them from the database, and a bell."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

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


class JobRunner:
    """At most ``slots`` calls in work at a time; work goes on whether or not a client waits. Thread-safe.

    Old recordings leave one slot free where there is more than one, so that a new call finds it at once.
    """

    def __init__(
        self,
        work: WorkService,
        task: CallTask,
        *,
        slots: int,
        queues: Sequence[Queue],
        max_attempts: int,
        on_end: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_end`` is called whenever the work on a call has ended here, however it did."""
        self._work = work
        self._task = task
        self._slots = slots
        self._queues = tuple(queues)
        self._max_attempts = max_attempts
        self._on_end = on_end
        self._bell = threading.Condition()
        self._rings = 0
        self._active: dict[Claim, Progress] = {}
        self._busy = 0
        self._old_in_work = 0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def active(self) -> tuple[tuple[Claim, Progress], ...]:
        """The calls in work here; one that was cancelled and begun anew may be there twice for a moment."""
        with self._lock:
            return tuple(self._active.items())

    def start(self) -> None:
        """Begin to take calls, in threads of its own."""
        self._threads = [
            threading.Thread(target=self._serve, name=f"call-{number}", daemon=True)
            for number in range(self._slots)
        ]
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """A call waits: look now."""
        with self._bell:
            self._rings += 1
            self._bell.notify_all()

    def retire(self) -> None:
        """Take no further call."""
        self._stopping.set()
        self.ring()

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
            if self._stopping.is_set():
                return False
            self._busy += 1
        try:
            return self._work_one()
        finally:
            with self._lock:
                self._busy -= 1

    def _work_one(self) -> bool:
        with self._lock:
            may_take_old = self._old_in_work < max(1, self._slots - 1)
            queues = [queue for queue in self._queues if queue is not Queue.BULK or may_take_old]
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
        unfinished = self.active()
        for _, progress in unfinished:
            progress.stop()
        try:
            for claim, _ in unfinished:
                if self._work.hand_back(claim):
                    log.info("call.handed_back", extra={"call_id": claim.call_id})
        except DatabaseUnavailable:
            log.warning("calls.not_handed_back")
        except AppError:
            log.exception("calls.not_handed_back")

    def _serve(self) -> None:
        while not self._stopping.is_set():
            seen = self._rings
            try:
                if self.work_one():
                    continue
            except AppError as error:
                log.warning("calls.not_taken", extra={"code": error.code})
            except Exception:
                log.exception("calls.not_taken")
            with self._bell:
                if self._rings == seen and not self._stopping.is_set():
                    self._bell.wait(IDLE_S)

    def _run(self, work: Work) -> None:
        progress = self._task.follow(work, self._max_attempts)
        with self._lock:
            self._active[work.claim] = progress
        try:
            with log_fields(**describe(work.record)):
                self._task.run(work, progress)
        finally:
            with self._lock:
                del self._active[work.claim]
            self._on_end()

    def _is_busy(self) -> bool:
        with self._lock:
            return self._busy > 0

    def _let_go_of_old(self) -> None:
        with self._lock:
            self._old_in_work -= 1
