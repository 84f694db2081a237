"""Agents and teams over time: what their calls come to, and how an agent stands beside the team."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

NOTHING = "nothing"
"""In the place of a type of moment: none followed."""


class Bucket(StrEnum):
    """How calls are put together over time: by UTC days, by weeks that begin on Monday, or by months."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Window:
    """Calls held from the one time to the other, both included. Times are aware and in UTC."""

    date_from: datetime
    date_to: datetime


@dataclass(frozen=True)
class AgentFigures:
    """What a number of calls of one agent comes to; or, of a team, the median of that over its agents.

    ``calls``: how many were analysed. ``share_of_speech`` (agent / (agent + customer)), ``patience_s``,
    ``longest_monologue_s`` (seconds) and ``sentiment_shift`` (the customers', last quarter − first, in
    [-10, 10]): the median over the calls of which it can be told, None where there is none.
    ``interruptions``: how often the agent interrupts, a call that has metrics; ``moments_per_call``: moments
    of each type, a call. Medians and means are to four places.

    Of a team each number is the median over those of its agents of whom it can be told, the agent that it
    is compared with among them.
    """

    calls: float = 0
    share_of_speech: float | None = None
    patience_s: float | None = None
    longest_monologue_s: float | None = None
    interruptions: float | None = None
    sentiment_shift: float | None = None
    moments_per_call: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ObjectionPattern:
    """Objections of one kind, and what follows them within a minute (``app.schemas.figures``).

    ``followed_by``: how many were followed first by a moment of each type, or by ``nothing``; the numbers add
    up to ``count``. ``followed_at_all``: how many were followed by a moment of each type, first or later.
    ``sentiment_before`` and ``sentiment_after``: means over the ``judged`` objections that have both, in
    [-5, 5], to four places; None where there is none.
    """

    subtype: str | None
    count: int
    followed_by: dict[str, int]
    followed_at_all: dict[str, int]
    judged: int
    sentiment_before: float | None
    sentiment_after: float | None


@dataclass(frozen=True)
class AgentSummary:
    """One agent's calls of a window, and the latest of them; ``team_ids``: the teams that these name."""

    agent_id: str
    team_ids: tuple[str, ...]
    last_call_id: str
    last_held_at: datetime
    figures: AgentFigures


@dataclass(frozen=True)
class TeamSummary:
    """A team's calls of a window; ``figures`` are the medians over its ``agents``.

    ``team_id`` None: all agents. ``calls`` counts those that name no agent, too.
    """

    team_id: str | None
    agents: int
    calls: int
    last_held_at: datetime | None
    figures: AgentFigures


@dataclass(frozen=True)
class Period:
    """One stretch of an agent's time, from ``start`` to before ``end``, and the team's median in it, of
    ``team_agents`` agents."""

    start: datetime
    end: datetime
    figures: AgentFigures
    team: AgentFigures
    team_agents: int


@dataclass(frozen=True)
class AgentCourse:
    """An agent over time. ``team`` is the median over the ``team_agents`` agents of the team that is asked
    for, or of all; ``periods`` follow one another without a gap and cover the window."""

    agent_id: str
    window: Window
    bucket: Bucket
    last_call_id: str | None
    last_held_at: datetime | None
    figures: AgentFigures
    team: AgentFigures
    team_agents: int
    periods: tuple[Period, ...]
    objections: tuple[ObjectionPattern, ...]


@dataclass(frozen=True)
class TeamTable:
    """A team with its agents, in order of their ids."""

    window: Window
    summary: TeamSummary
    agents: tuple[AgentSummary, ...]
    objections: tuple[ObjectionPattern, ...]
