"""A call along its length: lanes of the parties, moments, silences, sentiment. Places are percent of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stretch:
    """From ``x``, ``width`` wide, in percent; the same in seconds."""

    x: float
    width: float
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Lane:
    """One party: when it speaks, and its share of the speech."""

    speaker: str
    label: str
    role: str
    share: float | None
    speech: tuple[Stretch, ...]


@dataclass(frozen=True)
class Mark:
    """Where a moment begins."""

    moment_id: str
    kind: str
    subtype: str | None
    is_timed: bool
    x: float
    start_s: float


@dataclass(frozen=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A segment's score, or a mean of several: from the middle up or down. ``y`` is percent from the top."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True)
class Level:
    """A mean over a quarter: a line at ``y`` percent from the top."""

    x: float
    end_x: float
    y: float


@dataclass(frozen=True)
class Curve:
    """One party's sentiment."""

    label: str
    role: str
    bars: tuple[Bar, ...]
    quarters: tuple[Level, ...]


@dataclass(frozen=True)
class QuarterRow:
    """A line of the table of sentiment: None where nothing was judged."""

    label: str
    scores: tuple[float | None, ...]
    whole: float | None
    shift: float | None


@dataclass(frozen=True)
class Tracks:
    duration_s: float
    lanes: tuple[Lane, ...]
    silences: tuple[Stretch, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    curves: tuple[Curve, ...]
    quarters: tuple[QuarterRow, ...]
