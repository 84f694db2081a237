"""The HTTP vocabulary of agents and teams, as OpenAPI shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.coaching import AgentSummary, Bucket, TeamSummary, Window
from app.schemas.requests import PartyId, UtcTime


class WindowQuery(BaseModel):
    """Which calls are meant, by when they were held: `started_at`, where it is known, else `created_at`."""

    model_config = ConfigDict(extra="forbid")

    date_from: UtcTime | None = Field(
        None, description="Held at or after this time; 12 weeks before that of `date_to` where it is missing."
    )
    date_to: UtcTime | None = Field(None, description="Held at or before this time; now where it is missing.")


class AgentsQuery(WindowQuery):
    """Which agents, and which of their calls."""

    team_id: PartyId | None = Field(None, description="Only calls of this team.", examples=["emea"])


class AgentQuery(AgentsQuery):
    """Which of an agent's calls, and in what steps."""

    bucket: Bucket = Bucket.WEEK


class AgentList(BaseModel):
    """Agents with calls in the window, in order of their ids."""

    window: Window
    items: list[AgentSummary]


class TeamList(BaseModel):
    """All agents together, and each team with calls in the window, in order of their ids."""

    window: Window
    all: TeamSummary
    items: list[TeamSummary]


_FIGURES: dict[str, Any] = {
    "calls": 41,
    "share_of_speech": 0.52,
    "patience_s": 0.6,
    "longest_monologue_s": 84.2,
    "interruptions": 0.7317,
    "sentiment_shift": 1.2,
    "moments_per_call": {"objection": 1.8, "discovery_question": 3.1, "next_step": 0.9},
}
_WINDOW = {"date_from": "2026-02-23T00:00:00Z", "date_to": "2026-03-08T23:59:59Z"}
_AGENT: dict[str, Any] = {
    "agent_id": "agent-7",
    "team_ids": ["emea"],
    "last_call_id": "CALL-001",
    "last_held_at": "2026-03-06T09:30:00Z",
    "figures": _FIGURES,
}
_TEAM: dict[str, Any] = {
    "team_id": "emea",
    "agents": 12,
    "calls": 502,
    "last_held_at": "2026-03-06T16:00:00Z",
    "figures": _FIGURES,
}
_OBJECTIONS = [
    {
        "subtype": "price",
        "count": 31,
        "followed_by": {"discount_offer": 14, "discovery_question": 9, "nothing": 8},
        "followed_at_all": {"discount_offer": 16, "discovery_question": 12, "next_step": 4},
        "judged": 28,
        "sentiment_before": 0.4,
        "sentiment_after": -0.9,
    }
]
AGENT_LIST = {"window": _WINDOW, "items": [_AGENT]}
TEAM_LIST = {"window": _WINDOW, "all": {**_TEAM, "team_id": None}, "items": [_TEAM]}
TEAM_TABLE = {"window": _WINDOW, "summary": _TEAM, "agents": [_AGENT], "objections": _OBJECTIONS}
AGENT_COURSE: dict[str, Any] = {
    "agent_id": "agent-7",
    "window": _WINDOW,
    "bucket": "week",
    "last_call_id": "CALL-001",
    "last_held_at": "2026-03-06T09:30:00Z",
    "figures": _FIGURES,
    "team": _FIGURES,
    "team_agents": 12,
    "periods": [
        {
            "start": "2026-03-02T00:00:00Z",
            "end": "2026-03-09T00:00:00Z",
            "figures": _FIGURES,
            "team": _FIGURES,
            "team_agents": 12,
        }
    ],
    "objections": _OBJECTIONS,
}
