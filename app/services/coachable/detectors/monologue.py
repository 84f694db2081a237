"""Finds turns that go on for too long."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from app.schemas.metrics import Metrics
from app.services.coachable.detectors.base import Detector, TimedFinding
from app.services.monologues import held_floor


class Monologue(Detector):
    """A party holds the floor for more than ``longer_than_s``; others' turns under ``interjection_under_s``
    do not break it."""

    longer_than_s: float = Field(90.0, gt=0)
    interjection_under_s: float = Field(2.0, ge=0)

    def find(self, metrics: Metrics) -> Iterator[TimedFinding]:
        for party in metrics.parties:
            for span in held_floor(metrics.turns, party.speaker, self.interjection_under_s):
                if span.end_s - span.start_s > self.longer_than_s:
                    yield TimedFinding(span.start_s, span.end_s, span.speaker, at_s=span.start_s)
