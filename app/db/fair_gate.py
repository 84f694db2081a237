"""A gate with so many places inside; whoever waits is let in by the order of coming."""

from __future__ import annotations

import threading
from collections import deque


class FairGate:
    """Lets ``places`` threads in at a time, first come first served; not re-entrant.

    Neither ``threading``'s locks nor SQLAlchemy's pool promise an order: whoever leaves may come in again at
    once, so that others starve.
    """

    def __init__(self, places: int) -> None:
        self._guard = threading.Lock()
        self._free = places
        self._waiting: deque[threading.Event] = deque()

    def enter(self, timeout_s: float) -> bool:
        """Wait for a place; False when none has come within ``timeout_s``."""
        with self._guard:
            if self._free:
                self._free -= 1
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        try:
            turn.wait(timeout_s)
        except BaseException:
            if not self._withdraw(turn):
                self.leave()
            raise
        return turn.is_set() or not self._withdraw(turn)

    def leave(self) -> None:
        with self._guard:
            if self._waiting:
                # Handed over without being free in between, so that no newcomer can step in.
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _withdraw(self, turn: threading.Event) -> bool:
        """Leave the queue; False when a place has been handed over meanwhile."""
        with self._guard:
            if turn.is_set():
                return False
            self._waiting.remove(turn)
            return True
