"""One agent over time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.agents import WindowForm
from app.web.contexts.base import Choice
from app.web.contexts.figures import FigureHead, ObjectionLine, Standing
from app.web.contexts.frame import Frame
from app.web.contexts.reels import ReelAsk


@dataclass(frozen=True)
class FigureCourse:
    """A figure over the window: the agent's, the team's, and how far the guide reaches, if there is one.

    ``unit`` says how a chart writes its numbers: `share`, `seconds`, `clock`, `count`,
    `whole` or `score`.
    """

    head: FigureHead
    unit: str
    standing: Standing
    team: str
    least: float | None
    most: float | None


@dataclass(frozen=True)
class PeriodPart:
    """A figure in one period. ``value`` and ``team_value`` are plain numbers, empty where there is none."""

    key: str
    shown: str
    value: str
    team_shown: str
    team_value: str


@dataclass(frozen=True)
class PeriodLine:
    start: datetime
    label: str
    parts: tuple[PeriodPart, ...]


@dataclass(frozen=True)
class MomentCourse:
    """Moments of a type, a call, period by period: polylines of 160 x 28 pixels, the agent's and the team's.

    ``words``: the course for those who cannot see it.
    """

    kind: str
    standing: Standing
    team: str
    lines: tuple[str, ...]
    team_lines: tuple[str, ...]
    words: str


@dataclass(frozen=True)
class AgentPage:
    """``has_calls``: in this window. ``calls_address``: of the list of this agent's calls."""

    template: ClassVar[str] = "agent.html"

    frame: Frame
    agent_id: str
    window: WindowForm
    team_id: str | None
    buckets: tuple[Choice, ...]
    calls: int
    has_calls: bool
    last_call_id: str | None
    last_held_at: datetime | None
    calls_address: str
    team_address: str
    team_agents: int
    figures: tuple[FigureCourse, ...]
    periods: tuple[PeriodLine, ...]
    moments: tuple[MomentCourse, ...]
    objections: tuple[ObjectionLine, ...]
    reel: ReelAsk
