"""Finds silences in the midst of a call."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from app.schemas.metrics import Metrics
from app.services.coachable.detectors.base import Detector, TimedFinding


class DeadAir(Detector):
    """Nobody speaks for ``at_least_s``. Before the first word and after the last, nobody is kept waiting."""

    at_least_s: float = Field(5.0, ge=3.0)

    def find(self, metrics: Metrics) -> Iterator[TimedFinding]:
        for gap in metrics.non_talk:
            if gap.place == "between" and gap.length_s >= self.at_least_s:
                yield TimedFinding(gap.start_s, gap.end_s, None, at_s=gap.start_s)
