"""Reels of several calls: what they are asked of, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.frame import Frame


@dataclass(frozen=True)
class ReelAsk:
    """What reels of a page are made of: calls of an agent, of a team, taken in between two days; empty: any.

    ``sources``: what may be heard. ``week_from``: the day with which the last seven begin.
    """

    agent_id: str
    team_id: str
    date_from: str
    date_to: str
    week_from: str
    sources: tuple[Choice, ...]
    max_seconds: int


@dataclass(frozen=True)
class ReelChapter:
    """A moment of a reel, from ``start_s`` of it on; ``address``: of its place in the call.

    ``unspoken``: what no voice could be had for.
    """

    start_s: float
    kind: str
    subtype: str | None
    call_id: str
    address: str
    call_start_s: float
    unspoken: tuple[str, ...]


@dataclass(frozen=True)
class ReelOfCalls:
    """``voices``: the engines that spoke, empty where none did."""

    reel_id: str
    duration_s: float
    voices: str
    calls: int
    chapters: tuple[ReelChapter, ...]


@dataclass(frozen=True)
class ReelOfCallsPage:
    template: ClassVar[str] = "reel_of_calls.html"

    frame: Frame
    reel: ReelOfCalls


@dataclass(frozen=True)
class ReelOfCallsQuestion:
    """The same as a dialog's content."""

    template: ClassVar[str] = "reel_of_calls_question.html"

    reel: ReelOfCalls
