"""How the loading of a back catalogue goes, and who is told of it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from app.schemas.catalogue import Outcome, Settled

PACE_S = 300.0
"""What the pace is taken from: the last minutes."""
_NAP_S = 0.1


@dataclass
class Tally:
    """How far the catalogue is; ``outstanding`` of its calls are not finished. ``in_work`` and ``waiting``
    count all old recordings."""

    total: int = 0
    counts: Counter[Outcome] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    with_warnings: int = 0
    outstanding: int = 0
    in_work: int = 0
    waiting: int = 0

    @property
    def left(self) -> int:
        return self.total - self.counts.total()

    def add(self, settled: Settled) -> None:
        self.counts[settled.outcome] += 1
        self.with_warnings += settled.has_warnings
        if settled.code is not None:
            reasons = self.failed if settled.outcome is Outcome.FAILED else self.skipped
            reasons[settled.code] += 1


class Pace:
    """Calls a minute, from those that ended in the last minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._ends: deque[float] = deque()

    def add(self) -> None:
        self._ends.append(self._clock())

    @property
    def per_minute(self) -> float:
        now = self._clock()
        while self._ends and self._ends[0] < now - PACE_S:
            self._ends.popleft()
        return 60 * len(self._ends) / max(1.0, min(PACE_S, now - self._began))

    def left_s(self, calls: int) -> float | None:
        """How long so many more take; None as long as that cannot be told."""
        per_minute = self.per_minute
        return 60 * calls / per_minute if per_minute else None


class Audience:
    """Whoever wants to know how it goes: this one does not."""

    def settled(self, settled: Settled) -> None:
        """One more file is done with."""

    def update(self, tally: Tally, pace: Pace, note: str | None) -> None:
        """Told about once a second; ``note`` says what is waited for, if anything is."""


class Stopping:
    """Whether the run is to end. Without a lock, so that a signal may set it at any moment."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, seconds: float) -> None:
        """Sleep, or less when it is set."""
        until = time.monotonic() + seconds
        while not self._is_set and (left_s := until - time.monotonic()) > 0:
            time.sleep(min(left_s, _NAP_S))
