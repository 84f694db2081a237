"""The agents of a team, beside one another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.web.contexts.base import Choice
from app.web.contexts.figures import FigureHead, ObjectionLine, Standing
from app.web.contexts.frame import Frame
from app.web.contexts.reels import ReelAsk


@dataclass(frozen=True)
class Preset:
    """A window of time by one click."""

    label: str
    address: str
    is_chosen: bool


@dataclass(frozen=True)
class WindowForm:
    """What the form asks for; dates as YYYY-MM-DD."""

    teams: tuple[Choice, ...]
    date_from: str
    date_to: str
    presets: tuple[Preset, ...]


@dataclass(frozen=True)
class MomentRate:
    """Moments of a type, a call. ``share`` of the highest rate of that type in the team, in [0, 1]."""

    kind: str
    rate: str
    share: float


@dataclass(frozen=True)
class AgentLine:
    """``share_of_speech`` in [0, 1]; the rest stands in the order of the table's ``columns``; ``most``: the
    moments that come most often; ``rates``: in the order of the page's ``kinds``."""

    agent_id: str
    address: str
    team_ids: tuple[str, ...]
    calls: int
    last_held_at: datetime
    share_of_speech: float | None
    figures: tuple[Standing, ...]
    rates: tuple[MomentRate, ...]


@dataclass(frozen=True)
class MedianLine:
    """What the middle of the team's agents comes to."""

    agents: int
    calls: int
    share_of_speech: float | None
    figures: tuple[Standing, ...]
    rates: tuple[MomentRate, ...]


@dataclass(frozen=True)
class AgentsPage:
    """``kinds``: the types of moment that occur. ``objections`` is empty for all teams together.

    ``unnamed_calls`` name no agent; ``has_calls``: there are calls in the window, whoever held them.
    """

    template: ClassVar[str] = "agents.html"

    frame: Frame
    window: WindowForm
    team_id: str | None
    columns: tuple[FigureHead, ...]
    median: MedianLine
    agents: tuple[AgentLine, ...]
    kinds: tuple[str, ...]
    objections: tuple[ObjectionLine, ...]
    unnamed_calls: int
    has_calls: bool
    reel: ReelAsk
