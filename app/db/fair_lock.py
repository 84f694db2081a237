"""A lock whose waiters get it in the order in which they came."""

from __future__ import annotations

import threading
from collections import deque


class FairLock:
    """Mutual exclusion between threads, first come first served; not re-entrant.

    ``threading.Lock`` lets the thread that releases it take it again at once, so that others may starve.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def acquire(self, timeout_s: float) -> bool:
        """Wait for the lock; False when it has not come within ``timeout_s``."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            turn.wait(timeout_s)
        except BaseException:
            if not self._withdraw(turn):
                self.release()
            raise
        return turn.is_set() or not self._withdraw(turn)

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                # Handed over while still taken, so that no newcomer can step in between.
                self._waiting.popleft().set()
            else:
                self._taken = False

    def _withdraw(self, turn: threading.Event) -> bool:
        """Leave the queue; False when the lock has been handed over meanwhile."""
        with self._guard:
            if turn.is_set():
                return False
            self._waiting.remove(turn)
            return True
