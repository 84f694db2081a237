"""Rings where a ring was lost: for calls that nobody was told of, and again for those that nobody took."""

from __future__ import annotations

from collections.abc import Collection

from app.schemas.call import ALL_QUEUES, Queue
from app.services.work_service import WorkService
from app.workers.bell import Bell

AT_ONCE = 100
AGAIN_AT_ONCE = 4
"""Each of them wakes somebody who goes on until nothing waits."""
ON_ITS_WAY = 0.2
"""Share of the time between two rounds for which a ring may still be on its way."""


class Reminder:
    """What an outbox would do: a call is in the database before anybody is told, so none is forgotten."""

    def __init__(self, work: WorkService, bell: Bell, *, round_s: float) -> None:
        self._work = work
        self._bell = bell
        self._round_s = round_s

    def ring_for_untold(self) -> int:
        """Ring for waiting calls that no worker was told of; returns how many."""
        found = 0
        for queue in ALL_QUEUES:
            for call_id in self._work.untold(queue, self._round_s * ON_ITS_WAY, AT_ONCE):
                self._bell.ring(call_id, queue)
                found += 1
        return found

    def ring_again(self, quiet: dict[Queue, float]) -> Collection[Queue]:
        """Ring once more in queues in which calls wait though it was rung for them, where the last ring was
        a round ago. To be called by who has room for such a call: if all are busy, no ring is of use.

        ``quiet``: seconds since the last ring in each such queue. Returns the queues that were rung.
        """
        due = [queue for queue, quiet_s in quiet.items() if quiet_s >= self._round_s]
        for queue in due:
            for call_id in self._work.told(queue, AGAIN_AT_ONCE):
                self._bell.ring(call_id, queue)
        return due
