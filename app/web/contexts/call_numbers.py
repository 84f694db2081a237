"""The metrics of a call as its page shows them. Values are written out; None: it cannot be told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A stretch of the recording that a number comes from, with the segment in which it starts."""

    start_s: float
    label: str
    segment: int | None


@dataclass(frozen=True)
class GuideShown:
    """A figure that people quote, and who does."""

    text: str
    source: str


@dataclass(frozen=True)
class Figure:
    """One number. ``about`` says what it is; ``place``: where it was heard, if it is one stretch."""

    key: str
    name: str
    value: str | None
    about: str
    guide: GuideShown | None
    place: Place | None
    share: float | None = None


@dataclass(frozen=True)
class PartyColumn:
    label: str
    role: str


@dataclass(frozen=True)
class PartyRow:
    """One number for each party, in the order of the columns."""

    name: str
    values: tuple[str | None, ...]
    guide: GuideShown | None = None


@dataclass(frozen=True)
class PlaceList:
    """All stretches of one kind. ``note`` says how they are counted."""

    name: str
    note: str
    places: tuple[Place, ...]


@dataclass(frozen=True)
class Numbers:
    version: str
    figures: tuple[Figure, ...]
    columns: tuple[PartyColumn, ...]
    rows: tuple[PartyRow, ...]
    lists: tuple[PlaceList, ...]
