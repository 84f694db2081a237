"""Works on waiting calls in this process: a few threads that take them from the database, and a bell."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from app.core.exceptions import AppError, CallInterrupted
from app.core.logging import log_fields
from app.schemas.call import CallRecord, Claim, Queue
from app.services.call_service import CallService
from app.services.work_service import Work, WorkService
from app.workers.progress import Progress
from app.workers.tasks import CallTask, describe

log = logging.getLogger(__name__)

POLL_S = 0.5
IDLE_S = 1.0
"""Calls of other processes on the same database ring no bell here."""
LAST_WORDS_S = 2.0


class JobRunner:
    """At most ``slots`` calls in work at a time; work goes on whether or not a client waits. Thread-safe.

    Old recordings leave one slot free where there is more than one, so that a new call finds it at once.
    """

    def __init__(
        self,
        calls: CallService,
        work: WorkService,
        task: CallTask,
        *,
        slots: int,
        queues: Sequence[Queue],
        max_attempts: int,
    ) -> None:
        self._calls = calls
        self._work = work
        self._task = task
        self._slots = slots
        self._queues = tuple(queues)
        self._max_attempts = max_attempts
        self._bell = threading.Condition()
        self._rings = 0
        self._active: dict[str, tuple[Claim, Progress]] = {}
        self._old_in_work = 0
        self._lock = threading.Lock()
        self._waiters: dict[str, list[Future[None]]] = {}
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def active(self) -> tuple[tuple[Claim, Progress], ...]:
        """The calls in work here."""
        with self._lock:
            return tuple(self._active.values())

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
        while self.active() and time.monotonic() < until:
            time.sleep(0.05)
        for claim, progress in self.active():
            progress.stop()
            try:
                if self._work.hand_back(claim):
                    log.info("call.handed_back", extra={"call_id": claim.call_id})
            except AppError:
                log.exception("call.not_handed_back", extra={"call_id": claim.call_id})
        self._stopped.set()
        for thread in self._threads:
            thread.join(LAST_WORDS_S)

    def work_one(self) -> bool:
        """Take the call whose turn it is and work on it to its end; False when there was none to take."""
        if self._stopping.is_set():
            return False
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

    async def finished(self, call_id: str) -> CallRecord:
        """Wait for the call, wherever it is worked on, without holding a thread.

        Raises CallNotFound, and CallInterrupted when this process stops before.
        """
        while True:
            ended: Future[None] = Future()
            with self._lock:
                self._waiters.setdefault(call_id, []).append(ended)
            try:
                record = await asyncio.to_thread(self._calls.record, call_id)
                if record.status.is_final:
                    return record
                if self._stopped.is_set():
                    raise CallInterrupted(f"call {call_id} goes on later: GET /calls/{call_id} tells of it")
                await asyncio.wait({asyncio.wrap_future(ended)}, timeout=POLL_S)
            finally:
                self._forget_waiter(call_id, ended)

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
            self._active[work.claim.call_id] = (work.claim, progress)
        try:
            with log_fields(**describe(work.record)):
                self._task.run(work, progress)
        finally:
            with self._lock:
                self._active.pop(work.claim.call_id, None)
                waiters = tuple(self._waiters.get(work.claim.call_id, ()))
            for ended in waiters:
                if not ended.done():
                    ended.set_result(None)

    def _forget_waiter(self, call_id: str, ended: Future[None]) -> None:
        with self._lock:
            self._waiters[call_id].remove(ended)
            if not self._waiters[call_id]:
                del self._waiters[call_id]

    def _let_go_of_old(self) -> None:
        with self._lock:
            self._old_in_work -= 1
