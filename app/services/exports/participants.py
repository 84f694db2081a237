"""The measured parties of a call put together by role, for formats that know one participant for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.schemas.metrics import Metrics, PartyMetrics
from app.schemas.speaker import Role

ORDER = (Role.AGENT, Role.CUSTOMER, Role.UNKNOWN)
QUARTERS = 4


@dataclass(frozen=True)
class Participant:
    """All parties of one role, measured as one: the union of their speech, the sum of their words."""

    role: Role
    parties: tuple[PartyMetrics, ...]

    @property
    def words(self) -> int:
        return sum(party.words for party in self.parties)

    @property
    def talk_ms(self) -> int:
        """Length of the union of all that they say."""
        total, reached = 0, 0
        spans = [span for party in self.parties for span in party.speech]
        for span in sorted(spans, key=lambda span: span.start_s):
            start, end = max(to_ms(span.start_s), reached), to_ms(span.end_s)
            total += max(0, end - start)
            reached = max(reached, end)
        return total

    @property
    def words_per_minute(self) -> float | None:
        return 60_000 * self.words / self.talk_ms if self.talk_ms else None

    @property
    def questions_per_hour(self) -> float | None:
        found = [party.questions_per_hour for party in self.parties]
        known = [rate for rate in found if rate is not None]
        return sum(known) if known else None

    @property
    def sentiment(self) -> float | None:
        return self._mean(range(QUARTERS))

    @property
    def sentiment_quarters(self) -> tuple[float | None, ...]:
        return tuple(self._mean([quarter]) for quarter in range(QUARTERS))

    @property
    def sentiment_shift(self) -> float | None:
        first, *_, last = self.sentiment_quarters
        return None if first is None or last is None else last - first

    def _mean(self, quarters: Iterable[int]) -> float | None:
        """Mean score of the quarters, weighted by words; None where nothing was judged."""
        wanted = tuple(quarters)
        judged = [party.sentiment.quarters[quarter] for party in self.parties for quarter in wanted]
        scored = [(quarter.score, quarter.words) for quarter in judged if quarter.score is not None]
        words = sum(count for _, count in scored)
        return sum(score * count for score, count in scored) / words if words else None


def participants_of(metrics: Metrics) -> dict[Role, Participant]:
    """Those roles that anybody has: agent, customer, unknown, in this order."""
    found = {role: tuple(party for party in metrics.parties if party.role is role) for role in ORDER}
    return {role: Participant(role, parties) for role, parties in found.items() if parties}


def to_ms(seconds: float) -> int:
    return round(seconds * 1000)
