"""Rings for workers elsewhere: through a broker, from a thread of its own, never in the way of a request."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, Full
from queue import Queue as Inbox
from typing import Any

from app.core.config import Settings
from app.core.exceptions import AppError
from app.schemas.call import Queue
from app.services.work_service import WorkService
from app.workers.celery_app import CONNECT_S, TASK, broker_name, make_celery

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
AT_ONCE = 100
EXPIRES_S = 3600
"""A ring that old is of no use: whoever has room has looked by then."""
KEPT_S = 60
"""The same, counted by a broker that can (AMQP), so that no clocks need to agree."""
STOP_S = 2.0


class CeleryBell:
    """Notes in the database that it rings, and publishes it.

    A ring that cannot be sent is dropped and not tried again here: a call that nobody was told of is found
    and rung for by ``Reminder``, and once the broker is back one ring after the other succeeds.
    """

    def __init__(self, settings: Settings, work: WorkService) -> None:
        """Raises ConfigurationError when Celery is missing."""
        self._settings = settings
        self._work = work
        self._celery = make_celery(settings)
        self._rings: Inbox[tuple[str, Queue] | None] = Inbox(MOST_WAITING)
        self._is_away = False
        self._thread = threading.Thread(target=self._publish_all, name="bell", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Send what is left within a moment."""
        with suppress(Full):
            self._rings.put_nowait(None)
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def ring(self, call_id: str, queue: Queue) -> None:
        with suppress(Full):
            self._rings.put_nowait((call_id, queue))

    def _publish_all(self) -> None:
        with self._celery.connection_for_write() as connection:
            self._publish_with(self._celery.amqp.Producer(connection, auto_declare=False))

    def _publish_with(self, producer: Any) -> None:
        while (ring := self._rings.get()) is not None:
            batch = [ring, *self._more()]
            self._note(self._work.rung, batch)
            for done, (call_id, queue) in enumerate(batch):
                if not self._publish(producer, call_id, queue):
                    self._note(self._work.not_rung, batch[done:])
                    break

    def _note(self, note: Callable[[Sequence[str]], None], rings: Sequence[tuple[str, Queue]]) -> None:
        try:
            note([call_id for call_id, _ in rings])
        except AppError as error:
            log.warning("bell.not_noted", extra={"code": error.code})

    def _more(self) -> list[tuple[str, Queue]]:
        """What waits behind the first ring; the end is left for the next time."""
        found: list[tuple[str, Queue]] = []
        with suppress(Empty):
            while len(found) < AT_ONCE - 1:
                ring = self._rings.get_nowait()
                if ring is None:
                    self._rings.put(None)
                    break
                found.append(ring)
        return found

    def _publish(self, producer: Any, call_id: str, queue: Queue) -> bool:
        try:
            self._celery.send_task(
                TASK,
                args=[call_id],
                queue=broker_name(self._settings, queue),
                producer=producer,
                expires=EXPIRES_S,
                expiration=KEPT_S,
                retry=True,
                retry_policy={"max_retries": 1, "interval_start": 0},
                confirm_timeout=CONNECT_S,
            )
        except Exception as error:  # whatever a broker's library raises: the call is safe without the ring
            if not self._is_away:
                log.warning("broker.away", extra={"error": type(error).__name__})
            self._is_away = True
            return False
        if self._is_away:
            log.info("broker.back")
        self._is_away = False
        return True
