"""A call as conditions look at it: its segments as columns, with what was measured on each. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from app.schemas.metrics import Metrics, SpeakerSpan
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
Positions = npt.NDArray[np.intp]
"""Of segments."""

_ROUNDING_S = 0.001


@dataclass(frozen=True)
class SpokenOver:
    """Where interruptions begin: for each, the position of the segment, and how long both speak."""

    positions: Positions
    lengths_s: Column


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
        self._of_speakers: dict[str, tuple[list[int], list[float], list[float]]] = {}
        self._in_time: dict[str, list[TimedFinding]] = {}
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
        if rule.id not in self._in_time:
            metrics = self.metrics
            self._in_time[rule.id] = [
                found
                for found in (rule.condition.detector.find(metrics) if metrics else ())
                if rule.role == "anyone" or self.role_of(found.speaker) == rule.role
            ]
        return self._in_time[rule.id]

    def role_of(self, speaker: str | None) -> Role | None:
        """None where it is nobody's."""
        return self.metrics.role_of(speaker) if self.metrics and speaker is not None else None

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
    def interrupting(self) -> SpokenOver:
        """Segments of those who interrupt; of interruptions that are heard and not guessed."""
        return self._spoken_over("speaker")

    @cached_property
    def interrupted(self) -> SpokenOver:
        """Segments of those who are interrupted."""
        return self._spoken_over("over")

    def _spoken_over(self, side: str) -> SpokenOver:
        found = [
            (position, each.length_s)
            for each in (self.metrics.interruptions if self.metrics else ())
            if each.kind == "interruption" and each.reliable
            if (position := self._position_at(getattr(each, side), each.start_s)) is not None
        ]
        return SpokenOver(
            np.array([position for position, _ in found], dtype=np.intp),
            np.array([length_s for _, length_s in found], dtype=np.float64),
        )

    def _position_at(self, speaker: str, time_s: float) -> int | None:
        """The last of the speaker's segments to start by then, if it has not ended."""
        positions, starts_s, ends_s = self._of_speaker(speaker)
        place = bisect_right(starts_s, time_s + _ROUNDING_S) - 1
        if place < 0 or ends_s[place] <= time_s + _ROUNDING_S:
            return None
        return positions[place]

    def _of_speaker(self, speaker: str) -> tuple[list[int], list[float], list[float]]:
        """Positions of the speaker's segments in order of start, their starts and their ends."""
        if speaker not in self._of_speakers:
            own = np.flatnonzero(self.spoken_by(speaker))
            ordered = own[np.argsort(self.starts_s[own], kind="stable")]
            times = self.starts_s[ordered].tolist(), self.ends_s[ordered].tolist()
            self._of_speakers[speaker] = ordered.tolist(), *times
        return self._of_speakers[speaker]

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
        talk_s = np.full(len(self), np.nan)
        for speaker, party in self._parties.items():
            own = self.spoken_by(speaker)
            edges_s = [edge for span in party.speech for edge in (span.start_s, span.end_s)] or [0.0]
            spoken_s = np.zeros(len(edges_s))
            spoken_s[1::2] = np.diff(edges_s)[::2]
            so_far_s = np.cumsum(spoken_s)
            until_s, before_s = (
                np.interp(at, edges_s, so_far_s) for at in (self.ends_s[own], self.starts_s[own])
            )
            talk_s[own] = until_s - before_s
        return talk_s

    @cached_property
    def words_per_minute(self) -> Column:
        words = np.array(
            [len([word for word in segment.words if word.text.strip()]) for segment in self.segments]
        )
        return 60 * words / np.where(self.talk_s > 0, self.talk_s, np.nan)

    @cached_property
    def louder_by_db(self) -> Column:
        """Mean over the segment's seconds of how far its speaker lies above that speaker's own median."""
        louder = np.full(len(self), np.nan)
        for speaker, party in self._parties.items():
            if party.loudness is not None:
                own = self.spoken_by(speaker)
                seconds = party.loudness.seconds
                first = np.searchsorted(seconds, np.floor(self.starts_s[own]))
                last = np.searchsorted(seconds, self.ends_s[own])
                so_far = np.cumsum([0.0, *party.loudness.change_db])
                louder[own] = (so_far[last] - so_far[first]) / np.where(last > first, last - first, np.nan)
        return louder

    @cached_property
    def silence_before_s(self) -> Column:
        """How long nobody speaks right before the segment; 0 where somebody does, NaN at the first words."""
        starts_s, reach_s = self._speech
        before = np.searchsorted(starts_s, self.starts_s - _ROUNDING_S)
        return np.maximum(0.0, self.starts_s - np.concatenate(([np.nan], reach_s))[before])

    @cached_property
    def silence_after_s(self) -> Column:
        """The same after its last word; NaN at the last words of the call."""
        starts_s, reach_s = self._speech
        until = np.searchsorted(reach_s, self.ends_s + _ROUNDING_S, side="right")
        return np.maximum(0.0, np.concatenate((starts_s, [np.nan]))[until] - self.ends_s)

    @cached_property
    def _speech(self) -> tuple[Column, Column]:
        """Everybody's speech in order of start: when it starts, and the latest end up to each stretch.

        The latter never falls, so that it can be searched.
        """
        spans = [span for party in self._parties.values() for span in party.speech]
        ordered = sorted(spans, key=lambda span: span.start_s)
        starts_s = np.array([span.start_s for span in ordered], dtype=np.float64)
        ends_s = np.array([span.end_s for span in ordered], dtype=np.float64)
        return starts_s, np.maximum.accumulate(ends_s)


def _column(values: Sequence[float | None]) -> Column:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _score(sentiment: Sentiment | None) -> float | None:
    if sentiment is None or not sentiment.is_judged:
        return None
    return 5 * (sentiment.positive - sentiment.negative)
