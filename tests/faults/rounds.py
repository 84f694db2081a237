"""Rounds side by side: how many held, why others did not, and what was measured meanwhile."""

from __future__ import annotations

import random
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.faults.rows import Outcome

RESUMED_WITHIN_S = 60.0
LONGEST_WAIT_S = 150.0
POLL_S = 0.05
MOST_PROBLEMS = 5


class Rounds:
    """Each round is a function that raises where something does not hold. Thread-safe."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.held = 0
        self._lock = threading.Lock()
        self._problems: list[str] = []
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._seen: Counter[str] = Counter()

    def run(self, at_once: int, do: Callable[[int], None], numbers: range | None = None) -> None:
        """All rounds, or those with these numbers, so many of them at a time; each is told its number."""
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(lambda number: self._one(number, do), numbers or range(self.count)))

    def _one(self, number: int, do: Callable[[int], None]) -> None:
        try:
            do(number)
        except Exception as error:
            self.fail(f"round {number}: {told(error)}")
        else:
            with self._lock:
                self.held += 1

    def fail(self, problem: str) -> None:
        with self._lock:
            self._problems.append(problem)

    def fail_all(self, problems: Sequence[str]) -> None:
        """Something that is seen at the end alone did not hold, if there are problems."""
        for problem in problems:
            self.fail(problem)
        if problems:
            self.held = 0

    def took(self, what: str, seconds: float) -> None:
        """A time, of which the longest is told."""
        with self._lock:
            self._seconds[what].append(seconds)

    def saw(self, what: str, times: int = 1) -> None:
        """Something that is counted."""
        with self._lock:
            self._seen[what] += times

    def outcome(self, *notes: str) -> Outcome:
        """What is shown in the table."""
        times = [f"{what} after {max(values):.1f} s at most" for what, values in self._seconds.items()]
        seen = [f"{what}: {count}" for what, count in sorted(self._seen.items())]
        problems = [problem[:300] for problem in self._problems[:MOST_PROBLEMS]]
        return Outcome(self.held, self.count, "; ".join([*notes, *times, *seen, *problems]))


def told(error: Exception) -> str:
    """What was wrong, and the line that found it."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error) or frame.line} ({Path(frame.filename).name}:{frame.lineno})"


def until(condition: Callable[[], bool], what: str, within_s: float = LONGEST_WAIT_S) -> float:
    """Wait; returns the seconds that it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, f"waited {within_s:.0f} s in vain for {what}"
        time.sleep(POLL_S)
    return time.monotonic() - began


def some_time(longest_s: float) -> None:
    """Let a random time pass."""
    time.sleep(random.uniform(0, longest_s))


def spread(kinds: Sequence[str]) -> str:
    """`decode 3, persist 2`: what there was, and how often."""
    return ", ".join(f"{kind} {count}" for kind, count in sorted(Counter(kinds).items()))
