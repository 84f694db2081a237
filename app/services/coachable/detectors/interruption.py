"""Finds where one party stops another from speaking on."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from app.schemas.metrics import Interruption as Measured
from app.schemas.metrics import Metrics
from app.services.coachable.detectors.base import Detector, TimedFinding


class Interruption(Detector):
    """An interruption as metrics define it, in which both speak for ``overlap_at_least_s``.

    Who interrupts two at once does so once.
    """

    overlap_at_least_s: float = Field(0.3, ge=0.3)

    def find(self, metrics: Metrics) -> Iterator[TimedFinding]:
        longest: dict[tuple[str, float], Measured] = {}
        for each in metrics.interruptions:
            if each.kind == "interruption" and each.length_s >= self.overlap_at_least_s:
                known = longest.setdefault((each.speaker, each.start_s), each)
                if each.length_s > known.length_s:
                    longest[each.speaker, each.start_s] = each
        for each in longest.values():
            yield TimedFinding(each.start_s, each.end_s, each.speaker, each.start_s, each.reliable)
