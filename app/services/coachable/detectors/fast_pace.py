"""Finds where a party speaks too fast to be followed."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from app.schemas.audio import Span
from app.schemas.metrics import Metrics, PartyMetrics
from app.services.coachable.detectors.base import Detector, TimedFinding


class FastPace(Detector):
    """Over ``over_words_per_minute`` in every window of 15 s of the party's own talk, for ``at_least_s`` of
    that talk; no less than 15, the length of a window."""

    over_words_per_minute: float = Field(200.0, gt=0)
    at_least_s: float = Field(15.0, ge=15.0)

    def find(self, metrics: Metrics) -> Iterator[TimedFinding]:
        for party in metrics.parties:
            for stretch in self._fast(party):
                if party.talk_within_s(stretch.start_s, stretch.end_s) >= self.at_least_s:
                    yield TimedFinding(stretch.start_s, stretch.end_s, party.speaker, at_s=stretch.start_s)

    def _fast(self, party: PartyMetrics) -> list[Span]:
        """Fast windows, put together where they overlap."""
        stretches: list[Span] = []
        for window in party.pace:
            if window.words_per_minute <= self.over_words_per_minute:
                continue
            if stretches and window.start_s < stretches[-1].end_s:
                stretches[-1] = Span(stretches[-1].start_s, window.end_s)
            else:
                stretches.append(Span(window.start_s, window.end_s))
        return stretches
