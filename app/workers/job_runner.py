"""Runs accepted calls in this process: a bounded queue, a few threads, a heartbeat."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from concurrent.futures import Future

from app.core.config import Settings
from app.core.exceptions import AppError, Busy
from app.core.logging import current_log_fields, log_fields
from app.schemas.call import CallRecord
from app.services.call_service import CallService
from app.workers.tasks import CallTask

log = logging.getLogger(__name__)

POLL_S = 0.5
BUSY_RETRY_AFTER_S = 10


class JobRunner:
    """At most ``MAX_CONCURRENT_CALLS`` in work, the rest wait their turn up to ``MAX_QUEUED_CALLS``.

    Work goes on whether or not a client still waits for it. Thread-safe.
    """

    def __init__(self, settings: Settings, calls: CallService, task: CallTask) -> None:
        self._settings = settings
        self._calls = calls
        self._task = task
        self._queue: queue.Queue[tuple[str, dict[str, object]] | None] = queue.Queue()
        self._finished: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._reserved = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        workers = [
            threading.Thread(target=self._work, name=f"call-{number}", daemon=True)
            for number in range(self._settings.max_concurrent_calls)
        ]
        self._threads = workers
        for thread in [*workers, threading.Thread(target=self._beat, name="heartbeat", daemon=True)]:
            thread.start()

    def stop(self, grace_s: float) -> None:
        """Let calls in work end within ``grace_s``; the rest fails with `interrupted`."""
        self._stopping.set()
        for _ in self._threads:
            self._queue.put(None)
        until = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        try:
            self._calls.interrupt_own()
        except AppError:
            log.exception("calls.not_interrupted")

    def check_room(self) -> None:
        """Raises Busy when one more call would not be taken."""
        settings = self._settings
        if self._stopping.is_set():
            raise Busy("the service is stopping", retry_after_s=BUSY_RETRY_AFTER_S)
        if self._reserved >= settings.max_concurrent_calls + settings.max_queued_calls:
            raise Busy(retry_after_s=BUSY_RETRY_AFTER_S)

    def reserve(self) -> None:
        """Take a place, to be used by ``submit`` or given back by ``release``. Raises Busy."""
        with self._lock:
            self.check_room()
            self._reserved += 1

    def release(self) -> None:
        with self._lock:
            self._reserved -= 1

    def submit(self, call_id: str) -> None:
        """Queue an accepted call; its place was reserved."""
        with self._lock:
            self._finished[call_id] = Future()
        self._queue.put((call_id, current_log_fields()))

    async def finished(self, call_id: str) -> CallRecord:
        """Wait for the call, wherever it is worked on, without holding a thread. Raises CallNotFound."""
        while True:
            here = self._finished.get(call_id)
            if here is not None:
                await asyncio.shield(asyncio.wrap_future(here))
            record = await asyncio.to_thread(self._calls.record, call_id)
            if record.status.is_final:
                return record
            await asyncio.sleep(POLL_S)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            call_id, fields = item
            try:
                if not self._stopping.is_set():
                    with log_fields(**{**fields, "call_id": call_id}):
                        self._task.run(call_id)
            except Exception:
                log.exception("call.not_finished", extra={"call_id": call_id})
            finally:
                self.release()
                with self._lock:
                    done = self._finished.pop(call_id)
                done.set_result(None)

    def _beat(self) -> None:
        while not self._stopping.is_set():
            try:
                self._calls.beat()
                self._calls.give_up_lost(tuple(self._finished))
            except AppError as error:
                log.warning("heartbeat.failed", extra={"code": error.code})
            except Exception:
                log.exception("heartbeat.failed")
            self._stopping.wait(self._settings.heartbeat_s)
