"""Figures of agents as several pages show them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FigureHead:
    """What a figure is called and what it says; ``guide``: what people quote about it, with the source."""

    key: str
    label: str
    meaning: str
    guide: str | None


@dataclass(frozen=True)
class Standing:
    """A figure, and where it lies beside the team's median: ``place`` from -1 to 1 of the farthest that
    anybody is from it, None where there is nothing to compare. ``beside``: the same in words."""

    shown: str
    place: float | None
    beside: str


@dataclass(frozen=True)
class WhatFollows:
    """A type of moment that comes first after an objection, ``nothing`` among them, and after how many."""

    kind: str
    count: int
    share: float


@dataclass(frozen=True)
class ObjectionLine:
    """Objections of one kind. ``before`` and ``after``: the customer's mean sentiment around them in [-5, 5],
    over the ``judged`` ones; ``calls_address``: of the calls that hold objections."""

    subtype: str | None
    count: int
    follows: tuple[WhatFollows, ...]
    judged: int
    before: float | None
    after: float | None
