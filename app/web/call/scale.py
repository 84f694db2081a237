"""Times of a call as places along its length, in percent. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.web.contexts.call_tracks import Stretch, Tick
from app.web.formatting import clock

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
_MOST_TICKS = 10
_EDGE = 96.0
"""A label further to the right would be cut off."""


@dataclass(frozen=True)
class Scale:
    duration_s: float

    def place(self, time_s: float) -> float:
        if self.duration_s <= 0:
            return 0.0
        return round(min(max(time_s / self.duration_s, 0.0), 1.0) * 100, 3)

    def stretch(self, start_s: float, end_s: float) -> Stretch:
        x = self.place(start_s)
        return Stretch(x, round(self.place(end_s) - x, 3), start_s, end_s)

    def ticks(self) -> tuple[Tick, ...]:
        """At round times, about ten of them."""
        step = next((one for one in _STEPS_S if self.duration_s / one <= _MOST_TICKS), _STEPS_S[-1])
        times = (step * number for number in range(int(self.duration_s // step) + 1))
        return tuple(Tick(place, clock(time_s)) for time_s in times if (place := self.place(time_s)) <= _EDGE)
