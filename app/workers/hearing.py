"""Whether the rings of others still reach this process: a connection may look alive and carry nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from app.schemas.call import Queue
from app.services.work_service import WorkService
from app.workers.reminder import Reminder

log = logging.getLogger(__name__)

LONGEST_PAUSE_S = 5.0
"""Whoever was away for longer (its process was stopped, or the database) begins to judge anew."""


class Hearing:
    """Deaf is who has room, for longer than ``deaf_s``, for a call that waits and was rung for, rings for it
    itself, and hears no ring at all."""

    def __init__(
        self,
        work: WorkService,
        reminder: Reminder,
        open_queues: Callable[[], frozenset[Queue]],
        *,
        deaf_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._reminder = reminder
        self._open_queues = open_queues
        self._deaf_s = deaf_s
        self._clock = clock
        self._waits_since: float | None = None
        self._checked_at = 0.0
        self.is_deaf = False

    def heard(self) -> None:
        """A ring came."""
        self._waits_since = None

    def check(self) -> None:
        """To be called every few seconds while the broker seems to be there. Raises DatabaseUnavailable."""
        now = self._clock()
        if now - self._checked_at > LONGEST_PAUSE_S:
            self._waits_since = None
        self._checked_at = now
        open_queues = self._open_queues()
        quiet = self._work.quiet_s(tuple(open_queues)) if open_queues else {}
        if not quiet:
            self._waits_since = None
            return
        if self._waits_since is None:
            self._waits_since = now
        elif now - self._waits_since >= self._deaf_s:
            self.is_deaf = True
        self._reminder.ring_again(quiet)
