"""How many calls may wait."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.exceptions import Busy
from app.db.repositories.claims import ClaimRepository
from app.schemas.call import Queue

RETRY_AFTER_S = 10


@dataclass(frozen=True)
class Room:
    """``slots``: calls that this process works on at a time, 0 where other processes do. Old recordings wait
    apart: whoever brings them sees to it that they are not too many."""

    most_waiting: int
    slots: int

    def check(self, claims: ClaimRepository, queue: Queue = Queue.TRANSCRIBE) -> None:
        """Raises Busy when one more call would not be taken into ``queue``."""
        if queue is Queue.BULK:
            return
        queues = (Queue.TRANSCRIBE, Queue.ANALYZE)
        # Where the work is done here, a call that is about to begin does not count as waiting.
        there = claims.unfinished(queues, waiting_only=not self.slots)
        if there >= self.slots + max(self.most_waiting, 0 if self.slots else 1):
            raise Busy(f"{there} calls wait or are in work", retry_after_s=RETRY_AFTER_S)
