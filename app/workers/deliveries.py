"""Sends webhooks in this process: one thread that claims what is due, a few that send it."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter

from app.core.exceptions import AppError
from app.schemas.webhook import ClaimedDelivery
from app.services.delivery_service import DeliveryService

log = logging.getLogger(__name__)

SENDERS = 8
SENDERS_EACH = 2
"""Messages on their way to one receiver at a time: one that hangs must not hold up the others."""
POLL_S = 1.0
HOUSEKEEPING_S = 30.0


class DeliveryLoop:
    """At most ``SENDERS`` messages on their way at a time. Thread-safe."""

    def __init__(self, deliveries: DeliveryService) -> None:
        self._deliveries = deliveries
        self._queue: queue.Queue[ClaimedDelivery | None] = queue.Queue()
        self._on_their_way: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        senders = [
            threading.Thread(target=self._work, name=f"webhook-{number}", daemon=True)
            for number in range(SENDERS)
        ]
        self._threads = [threading.Thread(target=self._dispatch, name="webhooks", daemon=True), *senders]
        for thread in self._threads:
            thread.start()

    def stop(self, grace_s: float) -> None:
        """Begin nothing new; let what is on its way end within ``grace_s``. The rest is sent again later."""
        self._stopping.set()
        self._wake.set()
        until = time.monotonic() + grace_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _dispatch(self) -> None:
        cleaned = -HOUSEKEEPING_S
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                if time.monotonic() - cleaned >= HOUSEKEEPING_S:
                    cleaned = time.monotonic()
                    self._deliveries.keep_house()
                while not self._stopping.is_set() and self._claim():
                    pass
            except AppError as error:
                log.warning("webhooks.not_claimed", extra={"code": error.code})
                self._stopping.wait(POLL_S)
            except Exception:
                log.exception("webhooks.not_claimed")
                self._stopping.wait(POLL_S)
            self._wake.wait(POLL_S)
        for _ in range(SENDERS):
            self._queue.put(None)

    def _claim(self) -> bool:
        """Put one due delivery on its way; False where there is none, or no sender for it."""
        with self._lock:
            if self._on_their_way.total() >= SENDERS:
                return False
            saturated = [name for name, count in self._on_their_way.items() if count >= SENDERS_EACH]
        claimed = self._deliveries.claim(saturated)
        if claimed is None:
            return False
        with self._lock:
            self._on_their_way[claimed.destination] += 1
        self._queue.put(claimed)
        return True

    def _work(self) -> None:
        while (claimed := self._queue.get()) is not None:
            try:
                self._deliveries.attempt(claimed)
            except AppError as error:
                log.warning("webhook.not_stored", extra={"code": error.code, "delivery_id": claimed.id})
            except Exception:
                log.exception("webhook.not_finished", extra={"delivery_id": claimed.id})
            finally:
                with self._lock:
                    self._on_their_way[claimed.destination] -= 1
                    self._on_their_way += Counter()  # drops what is at zero
                self._wake.set()
