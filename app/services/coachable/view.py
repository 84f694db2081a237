"""A call as conditions look at it: its segments as columns, with what was measured on each. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from app.schemas.audio import Span
from app.schemas.metrics import Metrics, PartyMetrics, SpeakerSpan
from app.schemas.sentiment import Sentiment
from app.schemas.speaker import Role
from app.schemas.transcript import Segment
from app.services.coachable.detectors.base import TimedFinding
from app.services.coachable.playbook import TimedRule
from app.services.monologues import held_floor

Column = npt.NDArray[np.float64]
"""A number for each segment; NaN where it was not measured, which no comparison holds for."""
Mask = npt.NDArray[np.bool_]
"""For each segment, whether something is true of it."""


_ROUNDING_S = 0.001


@dataclass(frozen=True)
class Interrupted:
    """Both speak for ``length_s``, from within the segments at these positions."""

    length_s: float
    interrupting: list[int]
    interrupted: list[int]


class CallView:
    """Columns are in the order of ``segments`` and made when they are first asked for.

    Not to be shared between threads. ``sentiments`` are those of ``segments``, one by one.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        metrics: Metrics | None = None,
        sentiments: Sequence[Sentiment | None] | None = None,
    ) -> None:
        self.segments = segments
        self.metrics = metrics
        self._sentiments = sentiments or [None] * len(segments)
        self._floors: dict[float, list[SpeakerSpan]] = {}
        self._masks: dict[tuple[str, str], Mask] = {}
        self._parties = {party.speaker: party for party in metrics.parties} if metrics else {}

    def __len__(self) -> int:
        return len(self.segments)

    @property
    def none(self) -> Mask:
        return np.zeros(len(self), dtype=np.bool_)

    @cached_property
    def texts(self) -> list[str]:
        return [segment.text for segment in self.segments]

    @cached_property
    def starts_s(self) -> Column:
        return np.array([segment.start_s for segment in self.segments], dtype=np.float64)

    @cached_property
    def ends_s(self) -> Column:
        return np.array([segment.end_s for segment in self.segments], dtype=np.float64)

    @cached_property
    def duration_s(self) -> float:
        """The length of the recording; without metrics, the end of the last word."""
        return self.metrics.duration_s if self.metrics else float(self.ends_s.max(initial=0.0))

    @cached_property
    def has_text(self) -> Mask:
        return np.array([bool(text) for text in self.texts], dtype=np.bool_)

    @cached_property
    def speaker_names(self) -> tuple[str, ...]:
        return tuple(sorted({segment.speaker for segment in self.segments}))

    def spoken_by(self, speaker: str) -> Mask:
        return self._where("speaker", speaker)

    def may_be(self, role: str) -> Mask:
        """Segments whose speaker has this role, or one that is not known; all of them for any other word."""
        if role not in (Role.AGENT, Role.CUSTOMER):
            return ~self.none
        return self._where("role", role) | self._where("role", Role.UNKNOWN)

    def found_in_time(self, rule: TimedRule) -> list[TimedFinding]:
        """What the rule's detector finds about those in the rule's role."""
        if self.metrics is None:
            return []
        return [
            found
            for found in rule.condition.detector.find(self.metrics)
            if rule.role == "anyone" or (found.speaker and self.metrics.role_of(found.speaker) == rule.role)
        ]

    def held_floor(self, interjection_under_s: float) -> Sequence[SpeakerSpan]:
        """Everybody's turns, put together where others' turns shorter than that part them."""
        if interjection_under_s not in self._floors:
            self._floors[interjection_under_s] = [
                span
                for speaker in self._parties
                for span in held_floor(
                    self.metrics.turns if self.metrics else (), speaker, interjection_under_s
                )
            ]
        return self._floors[interjection_under_s]

    @cached_property
    def interruptions(self) -> list[Interrupted]:
        """Those that are heard and not guessed."""
        return [
            Interrupted(
                each.length_s,
                self._positions_at(each.speaker, each.start_s),
                self._positions_at(each.over, each.start_s),
            )
            for each in (self.metrics.interruptions if self.metrics else ())
            if each.kind == "interruption" and each.reliable
        ]

    def _positions_at(self, speaker: str, time_s: float) -> list[int]:
        time_s += _ROUNDING_S
        speaking = self.spoken_by(speaker) & (self.starts_s <= time_s) & (self.ends_s > time_s)
        return list(np.flatnonzero(speaking).tolist())

    def _where(self, name: str, value: str) -> Mask:
        known = self._masks.get((name, value))
        if known is None:
            of_each = [getattr(segment, name) == value for segment in self.segments]
            known = self._masks[name, value] = np.array(of_each, dtype=np.bool_)
        return known

    @cached_property
    def sentiment(self) -> Column:
        """5 × (P(positive) − P(negative)), in [−5, 5]."""
        return _column([_score(each) for each in self._sentiments])

    @cached_property
    def talk_s(self) -> Column:
        """How long the segment's speaker speaks from its start to its end."""
        return _column(
            [
                party.talk_within_s(segment.start_s, segment.end_s) if party else None
                for segment, party in self._with_parties()
            ]
        )

    @cached_property
    def words_per_minute(self) -> Column:
        words = np.array(
            [sum(bool(word.text.strip()) for word in segment.words) for segment in self.segments]
        )
        talk_s = np.where(self.talk_s > 0, self.talk_s, np.nan)
        return 60 * words / talk_s

    @cached_property
    def louder_by_db(self) -> Column:
        """Mean over the segment's seconds of how far its speaker lies above that speaker's own median."""
        return _column(
            [
                _mean_change(party, segment.start_s, segment.end_s) if party else None
                for segment, party in self._with_parties()
            ]
        )

    @cached_property
    def silence_before_s(self) -> Column:
        """How long nobody speaks right before the segment; 0 where somebody does, NaN at the first words."""
        return _column([self._speech.silence_before_s(start_s) for start_s in self.starts_s.tolist()])

    @cached_property
    def silence_after_s(self) -> Column:
        return _column([self._speech.silence_after_s(end_s) for end_s in self.ends_s.tolist()])

    @cached_property
    def _speech(self) -> _Speech:
        return _Speech([span for party in self._parties.values() for span in party.speech])

    def _with_parties(self) -> Sequence[tuple[Segment, PartyMetrics | None]]:
        return [(segment, self._parties.get(segment.speaker)) for segment in self.segments]


def _column(values: Sequence[float | None]) -> Column:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _mean_change(party: PartyMetrics, start_s: float, end_s: float) -> float | None:
    loudness = party.loudness
    if loudness is None:
        return None
    first = bisect_left(loudness.seconds, int(start_s))
    last = bisect_left(loudness.seconds, end_s)
    heard = loudness.change_db[first:last]
    return sum(heard) / len(heard) if heard else None


def _score(sentiment: Sentiment | None) -> float | None:
    if sentiment is None or not sentiment.is_judged:
        return None
    return 5 * (sentiment.positive - sentiment.negative)


class _Speech:
    """Everybody's speech."""

    def __init__(self, spans: Sequence[Span]) -> None:
        ordered = sorted(spans, key=lambda span: span.start_s)
        self._starts = [span.start_s for span in ordered]
        # Latest end among the spans up to each one: it never falls, so that it can be searched.
        self._reach = list(accumulate((span.end_s for span in ordered), max))

    def silence_before_s(self, time_s: float) -> float | None:
        before = bisect_left(self._starts, time_s - _ROUNDING_S)
        return max(0.0, time_s - self._reach[before - 1]) if before else None

    def silence_after_s(self, time_s: float) -> float | None:
        until = bisect_right(self._reach, time_s + _ROUNDING_S)
        return max(0.0, self._starts[until] - time_s) if until < len(self._starts) else None
