"""Times that only a quiet machine keeps: told always, and judged where a row is done as often as it says."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.faults.rows import Outcome


@dataclass(frozen=True)
class Timing:
    what: str
    seconds: float
    limit_s: float

    def __str__(self) -> str:
        return f"{self.what} {self.seconds * 1000:.0f} ms (at most {self.limit_s * 1000:.0f})"


def percentile(values: Sequence[float], share: float) -> float:
    """The least value that so great a share of them does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def timed(outcome: Outcome, *timings: Timing, judged: bool) -> Outcome:
    """The outcome with its times; where they are ``judged``, one that took too long costs a round."""
    late = judged and any(timing.seconds > timing.limit_s for timing in timings)
    held = min(outcome.held, outcome.tried - 1) if late else outcome.held
    return Outcome(held, outcome.tried, "; ".join(filter(None, [*map(str, timings), outcome.notes])))


def total(*outcomes: Outcome) -> Outcome:
    """The same thing, done in several places."""
    notes = "; ".join(outcome.notes for outcome in outcomes if outcome.notes)
    held, tried = (sum(getattr(outcome, name) for outcome in outcomes) for name in ("held", "tried"))
    return Outcome(held, tried, notes)
