"""Conditions on where a segment lies in the call and on what was measured on it and around it.

What was not measured (no metrics, loudness or sentiment) makes its condition false, and ``not`` of it true.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from app.services.coachable.detectors.interruption import Interruption
from app.services.coachable.detectors.monologue import Monologue
from app.services.coachable.part import Part

if TYPE_CHECKING:
    from app.services.coachable.view import CallView, Column, Mask, Positions, SpokenOver

_ROUNDING = 0.001


class OnTheCall(Part):
    """Thresholds as fields; stateless, pure."""

    @abstractmethod
    def holds(self, view: CallView) -> Mask:
        """Of which segments it is true."""


class _Bounds(OnTheCall):
    """A condition of which at least one field must be given."""

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        names = type(self)._bounds()
        if all(getattr(self, name) is None for name in names):
            raise ValueError(f"give at least one of {', '.join(names)}")
        return self

    @classmethod
    def _bounds(cls) -> list[str]:
        return [name for name, field in cls.model_fields.items() if field.default is None]


class Place(_Bounds):
    """The segment overlaps the first or the last part of the call, in seconds or in percent of its length.

    All that are given must hold: ``last_s: 60`` with ``first_percent: 100`` says no more than ``last_s: 60``.
    """

    first_s: float | None = Field(None, gt=0)
    last_s: float | None = Field(None, gt=0)
    first_percent: float | None = Field(None, gt=0, le=100)
    last_percent: float | None = Field(None, gt=0, le=100)

    def holds(self, view: CallView) -> Mask:
        length_s = view.duration_s
        inside = ~view.none
        for first_s in (self.first_s, _part_of(length_s, self.first_percent)):
            if first_s is not None:
                inside &= view.starts_s < first_s
        for last_s in (self.last_s, _part_of(length_s, self.last_percent)):
            if last_s is not None:
                inside &= view.ends_s > length_s - last_s
        return inside


class Silence(_Bounds):
    """Nobody speaks for so long right ``before`` the segment's first word, or right ``after`` its last.

    Before the first words of a call and after its last ones, nobody is waiting: there it is false.
    """

    before_at_least_s: float | None = Field(None, gt=0)
    after_at_least_s: float | None = Field(None, gt=0)

    def holds(self, view: CallView) -> Mask:
        quiet = ~view.none
        if self.before_at_least_s is not None:
            quiet &= view.silence_before_s >= self.before_at_least_s - _ROUNDING
        if self.after_at_least_s is not None:
            quiet &= view.silence_after_s >= self.after_at_least_s - _ROUNDING
        return quiet


class Pace(_Bounds):
    """Words of the segment by the time that its speaker speaks within it, if that is ``at_least_s``."""

    over_words_per_minute: float | None = Field(None, gt=0)
    under_words_per_minute: float | None = Field(None, gt=0)
    at_least_s: float = Field(3.0, gt=0)

    def holds(self, view: CallView) -> Mask:
        at_pace = view.talk_s >= self.at_least_s - _ROUNDING
        return at_pace & _between(
            view.words_per_minute, self.over_words_per_minute, self.under_words_per_minute
        )


class Loudness(_Bounds):
    """The segment's mean level lies so many dB above, or below, its speaker's own median."""

    louder_by_db: float | None = Field(None, gt=0)
    quieter_by_db: float | None = Field(None, gt=0)

    def holds(self, view: CallView) -> Mask:
        inside = ~view.none
        if self.louder_by_db is not None:
            inside &= view.louder_by_db >= self.louder_by_db
        if self.quieter_by_db is not None:
            inside &= view.louder_by_db <= -self.quieter_by_db
        return inside


class SentimentScore(_Bounds):
    """The segment's 5 × (P(positive) − P(negative)), in [−5, 5], lies above or below a value."""

    above: float | None = Field(None, ge=-5, le=5)
    below: float | None = Field(None, ge=-5, le=5)

    def holds(self, view: CallView) -> Mask:
        return _between(view.sentiment, self.above, self.below)


class InMonologue(Monologue, OnTheCall):
    """The segment is part of a monologue of its speaker's."""

    def holds(self, view: CallView) -> Mask:
        part = view.none
        for held in view.held_floor(self.interjection_under_s):
            if held.end_s - held.start_s > self.longer_than_s:
                own = view.spoken_by(held.speaker)
                part |= own & (view.starts_s < held.end_s) & (view.ends_s > held.start_s)
        return part


class InInterruption(Interruption, OnTheCall):
    """An interruption begins within the segment: its speaker interrupts, or is interrupted, or either.

    Where the parties share a channel, who speaks at once is guessed, and the condition is false.
    """

    by: Literal["speaker", "other", "either"] = "speaker"

    def holds(self, view: CallView) -> Mask:
        within = view.none
        if self.by != "other":
            within[self._long(view.interrupting)] = True
        if self.by != "speaker":
            within[self._long(view.interrupted)] = True
        return within

    def _long(self, over: SpokenOver) -> Positions:
        return over.positions[over.lengths_s >= self.overlap_at_least_s]


def _part_of(length_s: float, percent: float | None) -> float | None:
    return None if percent is None else length_s * percent / 100


def _between(values: Column, above: float | None, below: float | None) -> Mask:
    inside: Mask = values == values  # noqa: PLR0124 - not where it is NaN
    if above is not None:
        inside &= values > above
    if below is not None:
        inside &= values < below
    return inside
